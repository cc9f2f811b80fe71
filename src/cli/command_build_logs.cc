#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "cli/progress_text.h"
#include "engine/build_reports.h"

namespace mica::cli {
namespace {

constexpr Flag kLogFlags[] = {
    {"builder", 0, "string", ""},
    {"progress", 0, "string", ""},
    {"timestamps", 't', "", "Begin each line with the seconds since its step began"},
};
constexpr Flag kHistoryFlags[] = {
    {"builder", 0, "string", ""},
    {"format", 0, "string", kFormatHelp},
    {"limit", 'n', "int", "How many of the newest builds to list (default 20)"},
    {"no-trunc", 0, "", ""},
};
constexpr Column kColumns[] = {{"CreatedAt", "CREATED AT"}, {"Duration", "DURATION"}, {"Error", "ERROR"}, {"ID", "BUILD ID"},
                               {"Image", "IMAGE ID"},       {"Name", "NAME"},         {"Ref", "REF"},     {"Status", "STATUS"},
                               {"Steps", "STEPS"},          {"Cached", "CACHED"}};

/// Writes output of a step to stdout, each line with a prefix.
class Lines {
 public:
  Lines(std::string prefix, bool stamps) : prefix_(std::move(prefix)), stamps_(stamps) {}

  Result<> write(std::int64_t ms, std::string_view bytes) {
    if (prefix_.empty() && !stamps_) return print(bytes);
    std::string out;
    while (!bytes.empty()) {
      if (!open_) out += prefix_ + (stamps_ ? shown_stamp(ms * 1'000'000) + " " : "");
      const std::size_t end = bytes.find('\n');
      open_ = end == bytes.npos;
      out += bytes.substr(0, open_ ? bytes.size() : end + 1);
      bytes.remove_prefix(open_ ? bytes.size() : end + 1);
    }
    return print(out);
  }
  Result<> end() { return open_ ? print("\n") : Result<>(); }

 private:
  std::string prefix_;
  bool stamps_, open_ = false;
};

Result<> show_log(engine::Engine& engine, const build::ReportedStep& step, Lines lines) {
  Result<> written;
  TRY(engine::read_log(engine, step, [&](int, std::int64_t ms, std::string_view bytes) {
    if (written) written = lines.write(ms, bytes);
  }));
  TRY(std::move(written));
  return lines.end();
}

std::string ending(const build::ReportedStep& step) {
  switch (step.outcome) {
    case build::Outcome::done: return "DONE " + shown_seconds(step.duration_ns);
    case build::Outcome::cached: return "CACHED";
    case build::Outcome::failed: return "ERROR";
    case build::Outcome::cancelled: return "CANCELED";
  }
  return {};
}

/// Every step with its output, in the form of plain progress. A log that is gone is remarked on, not an error: the others are there.
Result<> show_all(engine::Engine& engine, const build::BuildReport& report) {
  bool first = true;
  for (const auto& step : report.steps) {
    TRY(print(format("{}#{} {}\n", first ? "" : "\n", step.number, step.title)));
    first = false;
    if (!step.log.empty()) {
      auto shown = show_log(engine, step, Lines(format("#{} ", step.number), true));
      if (!shown && shown.error().code() != Errc::not_found) return shown;
      if (!shown) TRY(print(format("#{} (its output is no longer kept)\n", step.number)));
    }
    TRY(print(format("#{} {}\n", step.number, ending(step))));
  }
  if (report.error.empty()) return {};
  return print(format("\nERROR: {}\n", report.error));
}

Result<int> logs(Context& context) {
  const auto& words = context.args.positionals();
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const bool step_only = words.size() == 1 && words[0].starts_with('#');
  const auto report = TRY(engine::find_report(*engine, words.empty() || step_only ? "" : words[0]));
  if (words.size() < 2 && !step_only) {
    TRY(show_all(*engine, report));
    return 0;
  }
  const auto step = TRY(engine::find_step(report, words.back()));
  TRY(show_log(*engine, step, Lines("", context.args.flag("timestamps"))));
  return 0;
}

/// What a build is called in a list: its first tag, else the folder or file it was made from.
std::string name_of(const build::BuildReport& report) {
  if (!report.tags.empty()) return report.tags[0].starts_with("docker.io/library/") ? report.tags[0].substr(18) : report.tags[0];
  const std::string name = base_name(report.context);
  return report.target.empty() ? name : format("{} ({})", name, report.target);
}

json::Value row(const build::BuildReport& report) {
  const auto cached = std::count_if(report.steps.begin(), report.steps.end(), [](const auto& step) { return step.outcome == build::Outcome::cached; });
  json::Value value = json::Value::object();
  value.set("ID", std::to_string(report.id));
  value.set("Ref", format("default/default/{}", report.id));
  value.set("Name", name_of(report));
  value.set("Status", report.error.empty() ? "Completed" : "Error");
  value.set("CreatedAt", ago(report.started.ns));
  value.set("Duration", shown_seconds(report.duration_ns));
  value.set("Error", report.error);
  value.set("Image", report.image.substr(0, 12));
  value.set("Steps", std::to_string(report.steps.size()));
  value.set("Cached", std::to_string(cached));
  return value;
}

Result<int> history(Context& context) {
  const auto limit = parse_int(context.args.text("limit", "20"));
  if (!limit || *limit < 1) return failf(Errc::invalid_argument, "--limit takes a number above 0, not {}", quoted(context.args.text("limit")));
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto reports = TRY(engine::newest_reports(*engine, static_cast<int>(std::min<std::int64_t>(*limit, 1'000'000))));
  std::vector<json::Value> rows;
  for (const auto& report : reports) rows.push_back(row(report));
  const ListStyle style{.table = "table {{.ID}}\t{{.Name}}\t{{.Status}}\t{{.CreatedAt}}\t{{.Duration}}", .columns = kColumns, .type_name = "*history.lsContext"};
  const std::string text = TRY(render_list(style, context.args.text("format"), rows));
  TRY(print(text));
  return 0;
}

}  // namespace

constinit const Command kBuilderLogs{.usage = "[OPTIONS] [IMAGE|BUILD] [STEP]",
                                     .summary = "Print the kept output of a build's steps",
                                     .aliases = "mica builder logs, mica buildx history logs",
                                     .flags = kLogFlags,
                                     .least = 0,
                                     .most = 2,
                                     .run = logs};
constinit const Command kBuilderHistory{.usage = "[OPTIONS]",
                                        .summary = "List the newest builds",
                                        .aliases = "mica builder history, mica buildx history ls",
                                        .flags = kHistoryFlags,
                                        .least = 0,
                                        .most = 0,
                                        .run = history};

}  // namespace mica::cli
