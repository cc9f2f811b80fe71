#include <cstdlib>

#include "analyze/limits.h"
#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "cli/progress_text.h"
#include "engine/image_trend.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"against", 0, "string", "Compare with this one in place of the image before:\nan image ID of the trend, another name, or a time\n(e.g., 24h, 2026-03-01)"},
    {"all-tags", 'a', "", "Show images of all tags of the repository"},
    {"fail-if-grows", 0, "bytes", "Exit with status 1 if the newest image is larger than\nthe one before by more than this, in bytes or percent\n(e.g., 10MB, 5%)"},
    {"format", 0, "string", kFormatHelp},
    {"limit", 'n', "int", "Number of images to show, newest first; 0 shows all\n(default 20)"},
    {"no-trunc", 0, "", "Don't truncate output"},
};
constexpr Column kColumns[] = {
    {"BuildSeconds", "BUILD SECONDS"}, {"BuildTime", "BUILD TIME"},   {"Bytes", "BYTES"},           {"CreatedAt", "CREATED AT"}, {"CreatedSince", "CREATED"}, {"Delta", "DELTA"},
    {"DeltaBytes", "DELTA BYTES"},     {"Errors", "ERRORS"},          {"Findings", "FINDINGS"},     {"ID", "IMAGE ID"},          {"Layers", "LAYERS"},        {"Repository", "REPOSITORY"},
    {"Size", "SIZE"},                  {"StepsCached", "STEPS CACHED"}, {"StepsRun", "STEPS RUN"}, {"Tag", "TAG"},               {"Warnings", "WARNINGS"},    {"Waste", "WASTE"},
    {"WasteBytes", "WASTE BYTES"},
};
constexpr std::int64_t kShown = 20;
constexpr std::string_view kUnknown = "-";

std::string share(std::int64_t part, std::int64_t whole) { return whole > 0 ? format("{:+.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole)) : "new"; }

std::string shown_delta(std::int64_t before, std::int64_t after) {
  const std::int64_t by = after - before;
  if (by == 0) return "same size";
  return format("{}{} ({})", by > 0 ? "+" : "-", human_size(std::abs(by)), share(by, before));
}

std::string shown_findings(const engine::TrendRow::Findings& findings) {
  const auto count = [](std::int64_t number, std::string_view what) { return number == 0 ? std::string() : format("{} {}{}", number, what, number == 1 ? "" : "s"); };
  const std::string errors = count(findings.errors, "error"), warnings = count(findings.warnings, "warning");
  return errors.empty() && warnings.empty() ? "none" : errors.empty() || warnings.empty() ? errors + warnings : errors + ", " + warnings;
}

/// `before`: the row that it followed. Numbers that are not known are empty.
json::Value row(const engine::TrendRow& trend, const engine::TrendRow* before, bool full) {
  json::Value value = json::Value::object();
  value.set("BuildSeconds", trend.build ? format("{:.3f}", static_cast<double>(trend.build->duration_ns) / 1e9) : "");
  value.set("BuildTime", trend.build ? shown_seconds(trend.build->duration_ns) : std::string(kUnknown));
  value.set("Bytes", std::to_string(trend.bytes));
  value.set("CreatedAt", rfc3339(trend.since));
  value.set("CreatedSince", ago(trend.since.ns));
  value.set("Delta", before ? shown_delta(before->bytes, trend.bytes) : std::string(kUnknown));
  value.set("DeltaBytes", before ? std::to_string(trend.bytes - before->bytes) : "");
  value.set("Errors", trend.findings ? std::to_string(trend.findings->errors) : "");
  value.set("Findings", trend.findings ? shown_findings(*trend.findings) : std::string(kUnknown));
  value.set("ID", full ? trend.image.digest.str() : trend.image.digest.short_hex());
  value.set("Layers", std::to_string(trend.layers));
  value.set("Repository", oci::Reference::parse(trend.repository)->familiar_name());
  value.set("Size", human_size(trend.bytes));
  value.set("StepsCached", trend.build ? std::to_string(trend.build->cached) : "");
  value.set("StepsRun", trend.build ? std::to_string(trend.build->run) : "");
  value.set("Tag", trend.tag);
  value.set("Warnings", trend.findings ? std::to_string(trend.findings->warnings) : "");
  value.set("Waste", trend.waste ? human_size(*trend.waste) : std::string(kUnknown));
  value.set("WasteBytes", trend.waste ? std::to_string(*trend.waste) : "");
  return value;
}

Result<std::size_t> limit_of(const Args& args) {
  const std::string text = args.text("limit", std::to_string(kShown));
  const auto limit = parse_int(text);
  if (!limit || *limit < 0) return failf(Errc::invalid_argument, "--limit {}: a number is needed", quoted(text));
  return static_cast<std::size_t>(*limit);
}

std::string named(const engine::TrendRow& trend) { return format("{}:{}", oci::Reference::parse(trend.repository)->familiar_name(), trend.tag); }

Result<int> judge(engine::Engine& engine, const std::vector<engine::TrendRow>& rows, const Args& args) {
  const auto allowed = TRY_DOING(analyze::parse_amount(args.text("fail-if-grows", "0")), "reading --fail-if-grows");
  const auto baseline = TRY_DOING(engine::trend_baseline(engine, rows, args.text("against")), "reading --against");
  const auto& newest = rows.front();
  if (!baseline) {
    note(format("mica: {}: there is no earlier image to compare with\n", named(newest)));
    return 0;
  }
  const std::string since = format("since {} of {} ({})", baseline->image.digest.short_hex(), named(*baseline), ago(baseline->since.ns));
  if (!args.has("fail-if-grows")) {
    note(format("mica: {}: {} is {}, it was {} {}\n", named(newest), newest.image.digest.short_hex(), human_size(newest.bytes), human_size(baseline->bytes), since));
    return 0;
  }
  if (!engine::grew_beyond(*baseline, newest, allowed)) return 0;
  const std::string most = allowed.share ? format("{:g} %", *allowed.share * 100) : human_size(static_cast<std::int64_t>(allowed.bytes));
  note(format("mica: {}: {} is {}, {} {}: at most +{} is allowed\n", named(newest), newest.image.digest.short_hex(), human_size(newest.bytes),
              shown_delta(baseline->bytes, newest.bytes), since, most));
  return 1;
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  const std::size_t limit = TRY(limit_of(args));
  if (args.has("fail-if-grows")) TRY_DOING(analyze::parse_amount(args.text("fail-if-grows")), "reading --fail-if-grows");
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto rows = TRY(engine::image_trend(*engine, {.name = args.positional(0), .all_tags = args.flag("all-tags"), .shown = limit}, interrupt.cancel()));
  std::vector<json::Value> shown;
  for (std::size_t i = 0; i < rows.size() && (limit == 0 || i < limit); ++i)
    shown.push_back(row(rows[i], i + 1 < rows.size() ? &rows[i + 1] : nullptr, args.flag("no-trunc") || args.text("format") == "json"));
  const ListStyle style{.table = args.flag("all-tags") ? "table {{.Tag}}\t{{.CreatedSince}}\t{{.ID}}\t{{.Size}}\t{{.Delta}}\t{{.Layers}}\t{{.Waste}}\t{{.BuildTime}}\t{{.Findings}}"
                                                       : "table {{.CreatedSince}}\t{{.ID}}\t{{.Size}}\t{{.Delta}}\t{{.Layers}}\t{{.Waste}}\t{{.BuildTime}}\t{{.Findings}}",
                        .columns = kColumns,
                        .type_name = "*formatter.trendContext"};
  const std::string text = TRY(render_list(style, args.text("format"), shown));
  TRY(print(text));
  if (!args.has("fail-if-grows") && !args.has("against")) return 0;
  return judge(*engine, rows, args);
}

}  // namespace

constinit const Command kImageTrend{.usage = "[OPTIONS] NAME[:TAG]",
                                    .summary = "Show the sizes, build times and findings of the images that a name stood for",
                                    .aliases = {},
                                    .flags = kFlags,
                                    .least = 1,
                                    .most = 1,
                                    .run = run};

}  // namespace mica::cli
