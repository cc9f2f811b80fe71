#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "cli/progress_text.h"
#include "engine/build_reports.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"format", 'f', "string", "Format output using a custom template:\n'json':             Print as JSON\n'TEMPLATE':         Print output using the given Go template"},
};

json::Value record(const build::ReportedStep& step) {
  json::Value value = json::Value::object();
  value.set("Number", std::int64_t{step.number});
  value.set("Title", step.title);
  value.set("Instruction", step.text);
  value.set("Line", std::int64_t{step.line});
  value.set("Outcome", name(step.outcome));
  value.set("Reasons", json::from(step.reasons));
  value.set("DurationNs", step.duration_ns);
  value.set("Layer", step.layer);
  value.set("HasLog", !step.log.empty());
  return value;
}

json::Value record(const build::BuildReport& report, const std::vector<build::ReportedStep>& steps) {
  json::Value value = json::Value::object();
  value.set("Build", report.id);
  value.set("Image", report.image.empty() ? "" : "sha256:" + report.image);
  value.set("Tags", json::from(report.tags));
  value.set("Context", report.context);
  value.set("Dockerfile", report.dockerfile);
  value.set("Target", report.target);
  value.set("Started", rfc3339(report.started));
  value.set("DurationNs", report.duration_ns);
  value.set("Error", report.error);
  json::Value list = json::Value::array();
  for (const auto& step : steps) list.push(record(step));
  value.set("Steps", std::move(list));
  return value;
}

/// "ran in 3.1s", and what made it so.
std::string outcome_lines(const build::ReportedStep& step) {
  std::string text = "   ";
  switch (step.outcome) {
    case build::Outcome::done: text += "ran in " + shown_seconds(step.duration_ns); break;
    case build::Outcome::cached: text += "cached"; break;
    case build::Outcome::failed: text += "failed after " + shown_seconds(step.duration_ns); break;
    case build::Outcome::cancelled: text += "did not end: the build stopped before"; break;
  }
  for (const auto& reason : step.reasons) text += "\n     " + reason;
  return text + "\n";
}

std::string page(const build::BuildReport& report, const std::vector<build::ReportedStep>& steps) {
  std::string text = format("Build {}", report.id);
  if (!report.tags.empty()) text += " of " + join(report.tags, ", ");
  text += format(": {} in {}", ago(report.started.ns), shown_seconds(report.duration_ns));
  text += format("\n  {}, {}{}\n", report.context, report.dockerfile, report.target.empty() ? "" : ", target " + report.target);
  if (!report.error.empty()) text += format("  failed: {}\n", report.error);
  for (const auto& step : steps)
    text += format("\n#{} {}{}\n{}", step.number, step.title, step.line > 0 ? format("  (line {})", step.line) : "", outcome_lines(step));
  return text;
}

Result<int> run(Context& context) {
  const auto& words = context.args.positionals();
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  // "why '#4'" asks about the newest build; no image is called so.
  const bool step_only = words.size() == 1 && words[0].starts_with('#');
  const auto report = TRY(engine::find_report(*engine, words.empty() || step_only ? "" : words[0]));
  std::vector<build::ReportedStep> steps = report.steps;
  if (step_only || words.size() == 2) {
    auto step = TRY(engine::find_step(report, words.back()));
    steps = {std::move(step)};
  }
  const std::string text = context.args.has("format") ? TRY(render_one(context.args.text("format"), record(report, steps), "*cli.buildReport")) : page(report, steps);
  TRY(print(text));
  return 0;
}

}  // namespace

constinit const Command kWhy{.usage = "[OPTIONS] [IMAGE|BUILD] [STEP]",
                             .summary = "Explain for each step of a build why it ran or was cached",
                             .aliases = "",
                             .flags = kFlags,
                             .least = 0,
                             .most = 2,
                             .run = run};

}  // namespace mica::cli
