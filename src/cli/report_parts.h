/// Sections of the report's page. Internal to report_*.cc.
#pragma once
#include <string>
#include <string_view>

#include "engine/image_report.h"

namespace mica::cli {

// Compiled in from report/page.css and report/page.js.
extern const std::string_view kReportStyle, kReportScript;

struct ReportSection {
  std::string id, title, html;     ///< html empty: there is nothing to tell
};
ReportSection layers_section(const engine::ImageReport& report);
ReportSection waste_section(const engine::ImageReport& report);
ReportSection caches_section(const engine::ImageReport& report);
ReportSection duplicates_section(const engine::ImageReport& report);
ReportSection largest_section(const engine::ImageReport& report);
ReportSection build_section(const engine::ImageReport& report);
ReportSection dockerfile_section(const engine::ImageReport& report);
ReportSection sizes_section(const engine::ImageReport& report);

/// "layer 3, line 6" as links.
std::string layer_links(const engine::ImageReport& report, std::size_t layer);
/// What to change so that the bytes of a rollup are not stored.
std::string remedy(const engine::ImageReport& report, const analyze::Rollup& rollup);

}  // namespace mica::cli
