/// `why` and `builder logs`: what earlier builds did.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "build/report.h"
#include "engine/engine.h"

namespace mica::engine {

/// The newest build report that `name` stands for: "" is the newest build; a number ("17") or a reference from a metadata file
/// ("default/default/17") that build, when there is one; anything else an image (name or id). Errors: not_found ("no build of X is
/// known", with a hint).
Result<build::BuildReport> find_report(Engine& engine, const std::string& name);
/// The newest first.
Result<std::vector<build::BuildReport>> newest_reports(Engine& engine, int limit);
/// The step of a report: its number as shown during the build ("4", "#4"), or a word that exactly one step's text contains
/// ("npm install"). Errors: not_found with the list of steps, invalid_argument (several match).
Result<build::ReportedStep> find_step(const build::BuildReport& report, std::string_view step);
/// The kept output of a step. Errors: not_found (no output, or no longer kept).
Result<> read_log(Engine& engine, const build::ReportedStep& step,
                  const std::function<void(int stream, std::int64_t ms, std::string_view bytes)>& chunk);

}  // namespace mica::engine
