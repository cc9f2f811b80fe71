#include "engine/build_reports.h"

#include "base/format.h"
#include "base/text.h"
#include "build/step_log.h"

namespace mica::engine {
namespace {

std::string list_of(const build::BuildReport& report) {
  std::string list = "the steps are:";
  for (const auto& step : report.steps) list += format("\n    #{} {}", step.number, step.title);
  return list;
}

constexpr std::string_view kReferencePrefix = "default/default/";   // builder and node, as buildx has them

}  // namespace

Result<build::BuildReport> find_report(Engine& engine, const std::string& name) {
  build::Reports reports(engine.database());
  if (name.empty()) {
    auto newest = TRY(reports.newest(1));
    if (newest.empty()) return fail(Error(Errc::not_found, "no build is known in this store").with_hint("'mica build' makes one"));
    return std::move(newest[0]);
  }
  const std::string_view word = name;
  if (const auto number = parse_int(word.starts_with(kReferencePrefix) ? word.substr(kReferencePrefix.size()) : word)) {
    auto report = TRY(reports.numbered(*number));
    if (report) return std::move(*report);
  }
  const auto image = TRY(engine.images().resolve(name));
  auto report = TRY(reports.of_image(image.id.digest.hex()));
  if (!report)
    return fail(Error(Errc::not_found, format("no build of {} is known", name)).with_hint("the image was not built in this store, or long ago"));
  return std::move(*report);
}

Result<std::vector<build::BuildReport>> newest_reports(Engine& engine, int limit) { return build::Reports(engine.database()).newest(limit); }

Result<build::ReportedStep> find_step(const build::BuildReport& report, std::string_view step) {
  const auto number = parse_int(step.starts_with('#') ? step.substr(1) : step);
  std::vector<const build::ReportedStep*> found;
  for (const auto& one : report.steps)
    if (number ? one.number == *number : one.text.find(step) != one.text.npos) found.push_back(&one);
  if (found.empty()) return fail(Error(Errc::not_found, format("the build has no step {}", quoted(step))).with_hint(list_of(report)));
  if (found.size() > 1) return fail(Error(Errc::invalid_argument, format("{} steps of the build contain {}", found.size(), quoted(step))).with_hint(list_of(report)));
  return *found[0];
}

Result<> read_log(Engine& engine, const build::ReportedStep& step,
                  const std::function<void(int stream, std::int64_t ms, std::string_view bytes)>& chunk) {
  if (step.log.empty()) return failf(Errc::not_found, "step #{} ({}) wrote no output", step.number, step.text);
  if (!engine.blobs().has(step.log)) return failf(Errc::not_found, "the output of step #{} ({}) is no longer kept", step.number, step.text);
  return build::read_step_log(engine.blobs(), step.log, chunk);
}

}  // namespace mica::engine
