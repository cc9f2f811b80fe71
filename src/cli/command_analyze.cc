#include <algorithm>
#include <optional>

#include "base/format.h"
#include "base/text.h"
#include "cli/analyze_page.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "cli/progress_text.h"
#include "cli/terminal_width.h"
#include "cli/tui_image.h"
#include "cli/tui_terminal.h"
#include "engine/analyze_image.h"
#include "engine/analyze_json.h"
#include "engine/analyze_rebuild.h"
#include "engine/interrupt.h"
#include "sys/fd.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"base", 0, "string", "Lowest layers that are the base image's: a number, an\nimage of the store, or \"none\" (default: found out)"},
    {"changed", 0, "list", "Also tell what a rebuild costs after this file or\nfolder of the context changed"},
    {"ci", 0, "", "Hold to dive's limits for CI, and to those in\n\".dive-ci\""},
    {"ci-config", 0, "string", "File of dive's limits (default \".dive-ci\")"},
    {"format", 'f', "string", "Format output using a custom template:\n'json':             Print as JSON\n'TEMPLATE':         Print output using the given Go template"},
    {"max-layer", 0, "bytes", "Largest layer allowed, unpacked (e.g., 100MB)"},
    {"max-reclaimable", 0, "bytes", "Most waste allowed outside the base image, in bytes\nor percent"},
    {"max-size", 0, "bytes", "Largest image allowed, unpacked"},
    {"max-waste", 0, "bytes", "Most waste allowed, in bytes or percent (e.g., 5%)"},
    {"min-efficiency", 0, "float", "Least efficiency allowed (e.g., 0.95 or 95%)"},
    {"no-trunc", 0, "", "Don't truncate output"},
    {"platform", 0, "string", "Analyze this platform's image of an index"},
    {"remote", 0, "", "Look at the registry for what the store does not have"},
    {"top", 0, "int", "Lines of each list (default 10)"},
    {"tui", 0, "", "Browse layers and files in the terminal"},
};
constexpr std::string_view kDiveFile = ".dive-ci";
constexpr std::size_t kMaxDiveFile = 1 << 20;

Result<> read_dive_rules(const Args& args, analyze::Limits& limits) {
  const std::string file = args.text("ci-config", kDiveFile);
  limits = analyze::dive_defaults();
  if (!args.has("ci-config") && !sys::exists(file)) return {};
  const std::string text = TRY(sys::read_file(file, kMaxDiveFile));
  TRY_DOING(analyze::apply_dive_rules(text, limits), format("reading {}", file));
  return {};
}

Result<analyze::Limits> limits_of(const Args& args) {
  analyze::Limits limits;
  if (args.flag("ci") || args.has("ci-config")) TRY(read_dive_rules(args, limits));
  if (args.has("min-efficiency")) limits.min_efficiency = TRY_DOING(analyze::parse_share(args.text("min-efficiency")), "reading --min-efficiency");
  if (args.has("max-waste")) limits.max_waste = TRY_DOING(analyze::parse_amount(args.text("max-waste")), "reading --max-waste");
  if (args.has("max-reclaimable")) limits.max_reclaimable = TRY_DOING(analyze::parse_amount(args.text("max-reclaimable")), "reading --max-reclaimable");
  if (args.has("max-size")) limits.max_size = TRY_DOING(analyze::parse_bytes(args.text("max-size")), "reading --max-size");
  if (args.has("max-layer")) limits.max_layer = TRY_DOING(analyze::parse_bytes(args.text("max-layer")), "reading --max-layer");
  return limits;
}

Result<AnalyzePage> page_of(const Args& args) {
  const auto terminal = output_terminal();
  AnalyzePage page{.width = terminal.width, .colour = terminal.colour, .whole = args.flag("no-trunc")};
  if (!args.has("top")) return page;
  const auto top = parse_int(args.text("top"));
  if (!top || *top < 0) return failf(Errc::invalid_argument, "--top {}: a number is needed", quoted(args.text("top")));
  page.top = static_cast<std::size_t>(*top);
  return page;
}

std::string rebuild_page(const engine::Rebuild& rebuild, const AnalyzePage& page) {
  using Outcome = engine::PredictedStep::Outcome;
  const auto runs = std::ranges::count(rebuild.steps, Outcome::run, &engine::PredictedStep::outcome), may = std::ranges::count(rebuild.steps, Outcome::maybe, &engine::PredictedStep::outcome);
  std::string text = format("\nChanging {} rebuilds {} of {} steps: {}", plain_line(join(rebuild.changed, ", ")), runs, rebuild.steps.size(), shown_seconds(rebuild.run_ns));
  if (may > 0) text += format("; {} more may run: {}", may, shown_seconds(rebuild.maybe_ns));
  TextTable table({false, true, false, true, false}, 2, page.whole ? 0 : page.width, page.colour);
  for (const auto& step : rebuild.steps) {
    const bool is_hit = step.outcome == Outcome::hit;
    table.add({{format("  {}", name(step.outcome)), is_hit ? nullptr : "\x1b[33m"}, {std::to_string(step.line)}, {plain_line(step.instruction)}, {is_hit ? "" : shown_seconds(step.duration_ns)}, {cut_to(plain_line(step.reason), 50)}});
  }
  return text + "\n" + table.str();
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  const auto limits = TRY(limits_of(args));
  const auto page = TRY(page_of(args));
  const bool browses = args.flag("tui");
  if (browses && (args.has("format") || args.has("changed"))) return fail(Errc::invalid_argument, "--tui cannot be used with --format or --changed");
  if (browses) TRY(RawTerminal::check());
  const engine::ReadImage request{.what = args.positional(0), .remote = args.flag("remote"), .platform = args.text("platform"), .base = args.text("base"),
                                  .remark = [](std::string line) { note(line + "\n"); }};
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto analyzed = TRY_DOING(engine::analyze_image(*engine, request, {.largest = std::max<std::size_t>(page.top, 20)}, interrupt.cancel()), format("analyzing {}", request.what));
  const auto breaches = analyze::check(analyzed.analysis, limits);
  std::optional<engine::Rebuild> rebuild;
  if (args.has("changed")) rebuild = TRY(engine::predict_rebuild(*engine, request.what, args.list("changed")));
  std::string text;
  if (args.has("format")) {
    json::Value value = engine::to_json(analyzed.analysis, breaches);
    if (rebuild) value.set("rebuild", engine::to_json(*rebuild));
    text = TRY(render_one(args.text("format"), value, "analyze.Analysis"));
  } else if (browses) {
    TRY(browse_image(*engine, request, analyzed, interrupt.cancel()));
  } else {
    text = analyze_page(analyzed.analysis, page);
    if (rebuild) text += rebuild_page(*rebuild, page);
  }
  TRY(print(text));
  for (const auto& breach : breaches) note(format("mica: {}: {} ({})\n", request.what, breach.text, breach.limit));
  return breaches.empty() ? 0 : 1;
}

}  // namespace

constinit const Command kAnalyze{.usage = "[OPTIONS] IMAGE|ARCHIVE|LAYOUT|REF",
                                 .summary = "Show what the layers of an image are made of, and what is wasted",
                                 .aliases = "mica image analyze, mica analyze",
                                 .flags = kFlags,
                                 .least = 1,
                                 .most = 1,
                                 .run = run};

}  // namespace mica::cli
