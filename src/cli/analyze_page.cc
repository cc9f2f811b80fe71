#include "cli/analyze_page.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "cli/progress_text.h"

namespace mica::cli {
namespace {

using analyze::Analysis;

constexpr const char* kBold = "\x1b[1m";
constexpr const char* kDim = "\x1b[2m";
constexpr const char* kRed = "\x1b[31m";
constexpr const char* kYellow = "\x1b[33m";
constexpr const char* kReset = "\x1b[0m";
constexpr int kGap = 2, kLeastShrunk = 12;

std::string percent(double share) {
  // What rounds to 100 % without being all is told as less.
  return share < 1 ? format("{:.1f} %", std::min(share * 100, 99.9)) : "100 %";
}

std::string files(std::uint64_t count) { return format("{} {}", count, count == 1 ? "file" : "files"); }

class Page {
 public:
  Page(const Analysis& analysis, const AnalyzePage& style) : analysis_(analysis), style_(style) {}

  std::string run() {
    headline();
    layers();
    waste();
    caches();
    duplicates();
    largest();
    return std::move(text_);
  }

 private:
  std::string paint(std::string_view text, const char* colour) const { return style_.colour ? colour + std::string(text) + kReset : std::string(text); }
  int width() const { return style_.whole ? 0 : style_.width; }

  void headline() {
    const auto& waste = analysis_.waste;
    text_ += paint(plain_line(analysis_.name), kBold) + format("   {} unpacked", shown_size(analysis_.total_bytes));
    if (analysis_.compressed_bytes >= 0) text_ += format(", {} to pull", human_size(analysis_.compressed_bytes));
    text_ += format("   efficiency {}, waste {}", percent(analysis_.efficiency), shown_size(waste.bytes));
    if (waste.bytes > 0 && waste.inherited_bytes == 0 && analysis_.base.how != analyze::Base::Known::not_at_all) text_ += " (all reclaimable)";
    else if (waste.bytes > 0 && waste.reclaimable_bytes == 0) text_ += " (all of the base image)";
    else if (waste.inherited_bytes > 0) text_ += format(" ({} reclaimable, {} of the base image)", shown_size(waste.reclaimable_bytes), shown_size(waste.inherited_bytes));
    text_ += format("\n{}\n\n", paint(format("dive's measure: efficiency {}, wasted {}", percent(analysis_.dive.efficiency), shown_size(analysis_.dive.wasted_bytes)), kDim));
  }

  void layers() {
    const bool lines = std::ranges::any_of(analysis_.layers, [](const auto& layer) { return layer.line > 0; });
    const bool blobs = std::ranges::any_of(analysis_.layers, [](const auto& layer) { return layer.compressed_bytes >= 0; });
    const bool times = std::ranges::any_of(analysis_.layers, [](const auto& layer) { return layer.duration_ns >= 0; });
    std::vector<bool> right{true};
    std::vector<TextTable::Cell> head{{"#", kDim}};
    const auto column = [&](bool shown, const char* title, bool to_right) {
      if (!shown) return;
      right.push_back(to_right);
      head.push_back({title, kDim});
    };
    column(lines, "line", true);
    const std::size_t shrinks = head.size();
    column(true, "instruction", false);
    for (const char* title : {"adds", "dead", "hides", "files"}) column(true, title, true);
    column(blobs, "to pull", true);
    column(times, "last run", true);
    TextTable table(right, shrinks, width(), style_.colour);
    table.add(head);
    const auto row = [&](std::string number, const analyze::LayerReport& layer, std::string what) {
      std::vector<TextTable::Cell> cells{{std::move(number)}};
      if (lines) cells.push_back({layer.line > 0 ? std::to_string(layer.line) : ""});
      cells.push_back({plain_line(what)});
      cells.push_back({shown_size(layer.bytes)});
      cells.push_back({layer.wasted_bytes > 0 ? shown_size(layer.wasted_bytes) : "", kRed});
      cells.push_back({layer.hidden_bytes > 0 ? shown_size(layer.hidden_bytes) : "", kYellow});
      cells.push_back({std::to_string(layer.files)});
      if (blobs) cells.push_back({layer.compressed_bytes >= 0 ? human_size(layer.compressed_bytes) : ""});
      if (times) cells.push_back({layer.duration_ns >= 0 ? shown_seconds(layer.duration_ns) : ""});
      table.add(std::move(cells));
    };
    const std::size_t base = std::min(analysis_.base.layers, analysis_.layers.size());
    if (base > 0) base_row(base, row);
    for (std::size_t i = base; i < analysis_.layers.size(); ++i) {
      const auto& layer = analysis_.layers[i];
      row(std::to_string(i), layer, layer.instruction.empty() ? layer.diff_id : layer.instruction);
    }
    text_ += table.str();
  }

  /// The base's layers in one line.
  template <class Row>
  void base_row(std::size_t count, const Row& row) {
    analyze::LayerReport sum{.compressed_bytes = 0};
    for (std::size_t i = 0; i < count; ++i) {
      const auto& layer = analysis_.layers[i];
      sum.bytes += layer.bytes;
      sum.wasted_bytes += layer.wasted_bytes;
      sum.hidden_bytes += layer.hidden_bytes;
      sum.files += layer.files;
      sum.compressed_bytes = sum.compressed_bytes < 0 || layer.compressed_bytes < 0 ? -1 : sum.compressed_bytes + layer.compressed_bytes;
    }
    row(count == 1 ? "0" : format("0-{}", count - 1), sum,
        format("FROM {} ({} {})", analysis_.base.name.empty() ? "the base image" : analysis_.base.name, count, count == 1 ? "layer" : "layers"));
  }

  void title(std::string_view text) { text_ += "\n" + paint(text, kBold) + "\n"; }
  void rest(std::size_t count, std::string_view what) {
    if (count > style_.top) text_ += format("  and {} more {}\n", count - style_.top, what);
  }

  void waste() {
    if (analysis_.rollups.empty()) return;
    title(format("Wasted: {} in {}", shown_size(analysis_.waste.bytes), files(analysis_.waste.files)));
    TextTable table({true, false, false}, 1, width(), style_.colour);
    for (std::size_t i = 0; i < std::min(style_.top, analysis_.rollups.size()); ++i) {
      const auto& one = analysis_.rollups[i];
      std::string path = "/" + one.path;
      if (one.is_directory) path += format("{} ({})", one.path.empty() ? "" : "/", files(one.files));
      table.add({{"  " + shown_size(one.bytes), kRed}, {plain_line(path)}, {what_happened(one)}});
    }
    text_ += table.str();
    rest(analysis_.rollups.size(), "places");
  }

  std::string what_happened(const analyze::Rollup& one) const {
    std::string text = format("added in {}, ", layer_words(analysis_, one.added_layer));
    const std::string by = layer_words(analysis_, one.hidden_by_layer);
    if (one.kind == analyze::DeadKind::deleted && !one.same_content) text += "deleted in " + by;
    else if (!one.same_content) text += "overwritten in " + by;
    else if (const auto changed = analyze::names(one.changed); !changed.empty()) text += format("stored again in {} for its {}", by, join(changed, " and "));
    else text += "stored again, with the same content, in " + by;
    return text + (one.inherited ? " (base image)" : "");
  }

  void caches() {
    if (analysis_.package_cache_bytes == 0) return;
    title(format("Package caches: {}", shown_size(analysis_.package_cache_bytes)));
    TextTable table({true, false, false}, 2, width(), style_.colour);
    std::size_t shown = 0, all = 0;
    for (const auto& cache : analysis_.package_caches) {
      if (cache.bytes == 0 || ++all > style_.top) continue;
      ++shown;
      table.add({{"  " + shown_size(cache.bytes), kYellow}, {plain_line(format("{} in /{}, {}", cache.manager, cache.path, layer_words(analysis_, cache.layer)))}, {plain_line(cache.remedy)}});
    }
    text_ += table.str();
    if (all > shown) text_ += format("  and {} more\n", all - shown);
  }

  void duplicates() {
    if (analysis_.duplicates.empty()) return;
    title(format("Duplicates: {} in {} {}", shown_size(analysis_.duplicate_bytes), analysis_.duplicates.size(), analysis_.duplicates.size() == 1 ? "group" : "groups"));
    TextTable table({true, false}, 1, width(), style_.colour);
    for (std::size_t i = 0; i < std::min(style_.top, analysis_.duplicates.size()); ++i) {
      const auto& group = analysis_.duplicates[i];
      std::string paths;
      for (const auto& path : group.paths) paths += (paths.empty() ? "/" : ", /") + path;
      table.add({{"  " + shown_size(group.bytes), kYellow}, {plain_line(format("{} copies: {}", group.copies, paths))}});
    }
    text_ += table.str();
    rest(analysis_.duplicates.size(), "groups");
  }

  void largest() {
    if (analysis_.largest_files.empty()) return;
    title("Largest files");
    TextTable table({true, false, false}, 1, width(), style_.colour);
    for (std::size_t i = 0; i < std::min(style_.top, analysis_.largest_files.size()); ++i) {
      const auto& file = analysis_.largest_files[i];
      table.add({{"  " + shown_size(file.bytes)}, {plain_line("/" + file.path)}, {layer_words(analysis_, file.layer)}});
    }
    text_ += table.str();
    title("Kinds of files");
    TextTable kinds({true, true, false}, 2, width(), style_.colour);
    for (std::size_t i = 0; i < std::min(style_.top, analysis_.kinds.size()); ++i)
      kinds.add({{"  " + shown_size(analysis_.kinds[i].bytes)}, {files(analysis_.kinds[i].files)}, {analysis_.kinds[i].name}});
    text_ += kinds.str();
  }

  const Analysis& analysis_;
  const AnalyzePage& style_;
  std::string text_;
};

}  // namespace

std::string layer_words(const Analysis& analysis, std::size_t layer) {
  const int line = layer < analysis.layers.size() ? analysis.layers[layer].line : 0;
  return line > 0 ? format("layer {} (line {})", layer, line) : format("layer {}", layer);
}

std::string shown_size(std::uint64_t bytes) { return human_size(static_cast<std::int64_t>(bytes)); }

std::string analyze_page(const Analysis& analysis, const AnalyzePage& page) { return Page(analysis, page).run(); }

TextTable::TextTable(std::vector<bool> to_right, std::size_t shrinks, int width, bool colour)
    : to_right_(std::move(to_right)), shrinks_(shrinks), width_(width), colour_(colour) {}

void TextTable::add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

std::string TextTable::str() const {
  std::vector<int> widths(to_right_.size());
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i].text));
  int all = kGap * static_cast<int>(widths.size() - 1);
  for (const int width : widths) all += width;
  if (width_ > 0 && all > width_) widths[shrinks_] = std::max(kLeastShrunk, widths[shrinks_] - (all - width_));
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string text = i == shrinks_ ? cut_to(row[i].text, widths[i]) : row[i].text;
      const std::string blanks(static_cast<std::size_t>(std::max(0, widths[i] - columns(text))), ' ');
      const bool is_last = i + 1 == row.size();
      if (to_right_[i]) line += blanks;
      line += colour_ && row[i].colour && !text.empty() ? row[i].colour + text + kReset : text;
      if (!to_right_[i] && !is_last) line += blanks;
      if (!is_last) line.append(kGap, ' ');
    }
    out += std::string(trim_right(line)) + "\n";
  }
  return out;
}

}  // namespace mica::cli
