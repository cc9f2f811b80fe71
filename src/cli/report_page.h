/// The page of `report`: one HTML text that needs nothing else. The tables are in it as HTML; the treemap, sorting and search are made by its script (report/page.js) of the JSON
/// block that it carries (docs/formats/report.md), so the page is an archive too.
///
/// Nothing in it can ask the network or run anything but that script: its policy (Content-Security-Policy) names style and script by their digests. All that comes from
/// the image is escaped. Lists are cut so that the page stays below 1 MB; what is cut is told as a sum.
#pragma once
#include <string>

#include "base/time.h"
#include "engine/image_report.h"
#include "json/json.h"

namespace mica::cli {

std::string report_page(const engine::ImageReport& report, Timestamp now);

inline constexpr int kReportVersion = 1;
/// The JSON block: the analysis as docs/formats/analyze.md has it, with long lists cut, and "report".
json::Value report_data(const engine::ImageReport& report, Timestamp now);

}  // namespace mica::cli
