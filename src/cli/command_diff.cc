#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "cli/analyze_page.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "cli/progress_text.h"
#include "cli/terminal_width.h"
#include "engine/diff_images.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

using What = analyze::PathChange::What;
using Where = analyze::LayerChange::Where;

constexpr Flag kFlags[] = {
    {"exit-code", 0, "", "Exit with 1 if the images differ"},
    {"format", 'f', "string", "Format output using a custom template:\n'json':             Print as JSON\n'TEMPLATE':         Print output using the given Go template"},
    {"no-trunc", 0, "", "Don't truncate output"},
    {"platform", 0, "string", "Compare this platform's images of indexes"},
    {"remote", 0, "", "Look at registries for what the store does not have"},
    {"top", 0, "int", "Lines of each list (default 30)"},
};
constexpr std::size_t kTop = 30;
constexpr const char* kGreen = "\x1b[32m";
constexpr const char* kRed = "\x1b[31m";
constexpr const char* kYellow = "\x1b[33m";

std::string grown(std::int64_t before, std::int64_t after) {
  const std::int64_t by = after - before;
  const std::string sizes = format("{} to {}", human_size(before), human_size(after));
  return by == 0 ? human_size(before) + ", the same" : format("{} ({}{})", sizes, by > 0 ? "+" : "-", human_size(std::abs(by)));
}

class Page {
 public:
  Page(const engine::ImageDifference& difference, OutputTerminal terminal, std::size_t top, bool whole)
      : difference_(difference), changes_(difference.changes), terminal_(terminal), top_(top), whole_(whole) {}

  std::string run() {
    text_ = format("{} to {}\n", plain_line(difference_.before_name), plain_line(difference_.after_name));
    if (!difference_.any()) return text_ + "no differences\n";
    text_ += format("  files     {}\n", grown(signed_(changes_.live_before), signed_(changes_.live_after)));
    text_ += format("  unpacked  {}\n", grown(signed_(changes_.total_before), signed_(changes_.total_after)));
    if (difference_.compressed_before >= 0 && difference_.compressed_after >= 0) text_ += format("  to pull   {}\n", grown(difference_.compressed_before, difference_.compressed_after));
    config();
    layers();
    packages();
    files();
    return std::move(text_);
  }

 private:
  static std::int64_t signed_(std::uint64_t bytes) { return static_cast<std::int64_t>(bytes); }
  TextTable table(std::vector<bool> right, std::size_t shrinks) const { return {std::move(right), shrinks, whole_ ? 0 : terminal_.width, terminal_.colour}; }
  void title(std::string_view words) { text_ += format("\n{}\n", words); }
  void rest(std::size_t count, std::string_view what) {
    if (count > top_) text_ += format("  and {} more {}\n", count - top_, what);
  }

  void config() {
    if (difference_.config.empty()) return;
    title("Config");
    auto rows = table({false, false}, 1);
    for (std::size_t i = 0; i < std::min(top_, difference_.config.size()); ++i) {
      const auto& one = difference_.config[i];
      if (!one.before) rows.add({{"  + " + plain_line(one.name), kGreen}, {plain_line(*one.after)}});
      else if (!one.after) rows.add({{"  - " + plain_line(one.name), kRed}, {plain_line(*one.before)}});
      else rows.add({{"  ~ " + plain_line(one.name), kYellow}, {plain_line(*one.before + " to " + *one.after)}});
    }
    text_ += rows.str();
    rest(difference_.config.size(), "settings");
  }

  void layers() {
    const auto shared = std::ranges::count(changes_.layers, Where::both, &analyze::LayerChange::where);
    title(format("Layers: {} shared", shared));
    auto rows = table({false, true, false}, 2);
    std::size_t different = 0;
    for (const auto& one : changes_.layers) {
      if (one.where == Where::both || ++different > top_) continue;
      const bool is_new = one.where == Where::after;
      rows.add({{is_new ? "  +" : "  -", is_new ? kGreen : kRed}, {shown_size(one.bytes)}, {plain_line(one.instruction.empty() ? one.diff_id : one.instruction)}});
    }
    text_ += rows.str();
    rest(different, "layers");
  }

  void packages() {
    if (changes_.has_rpm) text_ += "\nan rpm database is there; its packages are not compared\n";
    if (changes_.packages.empty()) return;
    title("Packages");
    auto rows = table({false, false, false}, 2);
    for (std::size_t i = 0; i < std::min(top_, changes_.packages.size()); ++i) {
      const auto& one = changes_.packages[i];
      const std::string what = plain_line(one.was && one.is ? one.before + " to " + one.after : one.was ? one.before : one.after);
      const char* const mark = one.was && one.is ? "  ~ " : one.was ? "  - " : "  + ";
      rows.add({{mark + one.manager, one.was && one.is ? kYellow : one.was ? kRed : kGreen}, {plain_line(one.name)}, {what}});
    }
    text_ += rows.str();
    rest(changes_.packages.size(), "packages");
  }

  /// A directory that came or went stands for all that is in it.
  void files() {
    std::size_t added = 0, removed = 0, changed = 0;
    std::vector<Row> rows;
    for (const auto& one : changes_.paths) {
      if (one.kind != analyze::Kind::directory || one.what == What::changed) ++(one.what == What::added ? added : one.what == What::removed ? removed : changed);
      if (!rows.empty() && rows.back().first->what == one.what && one.what != What::changed && rows.back().first->kind == analyze::Kind::directory && analyze::is_within(one.path, rows.back().first->path)) {
        rows.back().bytes += signed_(one.bytes_after) - signed_(one.bytes_before);
        rows.back().files += one.kind != analyze::Kind::directory;
        continue;
      }
      rows.push_back({.first = &one, .bytes = signed_(one.bytes_after) - signed_(one.bytes_before)});
    }
    if (rows.empty()) return;
    title(format("Files: {} added, {} removed, {} changed", added, removed, changed));
    auto lines = table({false, true, false, false}, 2);
    for (std::size_t i = 0; i < std::min(top_, rows.size()); ++i) lines.add(line(rows[i]));
    text_ += lines.str();
    rest(rows.size(), "paths");
  }

  struct Row {
    const analyze::PathChange* first = nullptr;
    std::int64_t bytes = 0;
    std::size_t files = 0;
  };
  static std::vector<TextTable::Cell> line(const Row& row) {
    const auto& one = *row.first;
    std::string path = "/" + one.path;
    if (one.kind == analyze::Kind::directory) path += row.files > 0 ? format("/ ({} {})", row.files, row.files == 1 ? "file" : "files") : "/";
    const char* const mark = one.what == What::added ? "  +" : one.what == What::removed ? "  -" : "  ~";
    const char* const colour = one.what == What::added ? kGreen : one.what == What::removed ? kRed : kYellow;
    const std::string size = row.bytes == 0 ? "" : (row.bytes > 0 ? "+" : "-") + human_size(std::abs(row.bytes));
    return {{mark, colour}, {size}, {plain_line(path)}, {join(analyze::aspects(one), ", ")}};
  }

  const engine::ImageDifference& difference_;
  const analyze::ImageChanges& changes_;
  OutputTerminal terminal_;
  std::size_t top_;
  bool whole_;
  std::string text_;
};

Result<int> run(Context& context) {
  const Args& args = context.args;
  std::size_t top = kTop;
  if (args.has("top")) {
    const auto number = parse_int(args.text("top"));
    if (!number || *number < 0) return failf(Errc::invalid_argument, "--top {}: a number is needed", quoted(args.text("top")));
    top = static_cast<std::size_t>(*number);
  }
  const auto request = [&](std::size_t index) {
    return engine::ReadImage{.what = args.positional(index), .remote = args.flag("remote"), .platform = args.text("platform"), .remark = [](std::string line) { note(line + "\n"); }};
  };
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto difference = TRY(engine::diff_images(*engine, request(0), request(1), interrupt.cancel()));
  std::string text;
  if (args.has("format")) text = TRY(render_one(args.text("format"), engine::to_json(difference), "diff.ImageDifference"));
  else text = Page(difference, output_terminal(), top, args.flag("no-trunc")).run();
  TRY(print(text));
  return args.flag("exit-code") && difference.any() ? 1 : 0;
}

}  // namespace

constinit const Command kDiff{.usage = "[OPTIONS] IMAGE IMAGE",
                              .summary = "Show what differs between two images",
                              .aliases = "mica image diff, mica diff",
                              .flags = kFlags,
                              .least = 2,
                              .most = 2,
                              .run = run};

}  // namespace mica::cli
