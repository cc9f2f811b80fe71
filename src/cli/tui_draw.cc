// How a Browser looks.
#include <algorithm>

#include "base/format.h"
#include "cli/analyze_page.h"
#include "cli/tui_browser.h"
#include "cli/tui_details.h"

namespace mica::cli {
namespace {

using Index = LayerTree::Index;

constexpr int kLeastWidth = 24, kLeastHeight = 6, kLeastTwoPanes = 76;
constexpr Style kDim{.dim = true}, kBold{.bold = true};

Style style_of(Change change) {
  switch (change) {
    case Change::added: return {.colour = Style::Colour::green};
    case Change::modified: return {.colour = Style::Colour::yellow};
    case Change::removed: return {.colour = Style::Colour::red};
    default: return {};
  }
}
std::string_view mark_of(Change change) { return change == Change::added ? "+" : change == Change::modified ? "~" : change == Change::removed ? "-" : " "; }

std::string mode_text(const analyze::Entry& entry) {
  using analyze::Kind;
  std::string text(1, entry.kind == Kind::directory ? 'd' : entry.kind == Kind::symlink ? 'l' : entry.kind == Kind::device ? 'c' : '-');
  for (int shift = 6; shift >= 0; shift -= 3) {
    const auto bits = entry.mode >> shift;
    const bool special = entry.mode & (shift == 6 ? 04000 : shift == 3 ? 02000 : 01000);
    const char run = shift == 0 ? 't' : 's';
    text += bits & 4 ? 'r' : '-';
    text += bits & 2 ? 'w' : '-';
    text += special ? (bits & 1 ? run : static_cast<char>(run - 'a' + 'A')) : bits & 1 ? 'x' : '-';
  }
  return text;
}

/// Moves the window of `height` lines so that `at` is in it, and no line stays free that could show something.
void keep_in_sight(std::size_t& first, std::size_t at, std::size_t count, std::size_t height) {
  if (at < first) first = at;
  if (at >= first + height) first = at - height + 1;
  first = std::min(first, count > height ? count - height : 0);
}

void fill_to(std::vector<Line>& lines, int height) { lines.resize(static_cast<std::size_t>(std::max(height, 0))); }

}  // namespace

std::vector<Line> Browser::frame(ScreenSize size) {
  std::vector<Line> lines;
  const int width = size.width;
  if (width < kLeastWidth || size.height < kLeastHeight) {
    lines.push_back({{"too small", {}}});
  } else if (help_) {
    lines.push_back(title("Keys", true, width));
    for (auto& line : help_lines()) lines.push_back(std::move(line));
    fill_to(lines, size.height - 1);
    lines.push_back({{"any key goes back", kDim}});
  } else {
    const bool has_filter = filtering_ || !filter_.empty();
    const int height = size.height - (has_filter ? 2 : 1);
    if (width < kLeastTwoPanes) {
      lines = focus_ == Pane::layers ? left(width, height) : tree_pane(width, height);
    } else {
      const int left_width = std::clamp(width * 45 / 100, 36, 90), right_width = width - left_width - 1;
      auto one = left(left_width, height), other = tree_pane(right_width, height);
      for (std::size_t i = 0; i < static_cast<std::size_t>(height); ++i) {
        Line line = fit(std::move(one[i]), left_width, glyphs_);
        line.push_back({std::string(glyphs_.bar()), kDim});
        for (Span& span : fit(std::move(other[i]), right_width, glyphs_)) line.push_back(std::move(span));
        lines.push_back(std::move(line));
      }
    }
    if (has_filter) lines.push_back(filter_line(width));
    lines.push_back(message_.empty() ? key_line(width) : Line{{message_, kBold}});
  }
  fill_to(lines, size.height);
  for (Line& line : lines) line = fit(std::move(line), width, glyphs_);
  return lines;
}

Line Browser::title(std::string_view text, bool focused, int width) const {
  Line line{{std::string(glyphs_.dash()) + std::string(glyphs_.dash()), kDim}, {format(" {} ", text), focused ? Style{.bold = true, .reverse = true} : kBold}};
  std::string rest;
  for (int i = width_of(line); i < width; ++i) rest += glyphs_.dash();
  line.push_back({rest, kDim});
  return line;
}

std::vector<Line> Browser::left(int width, int height) {
  // The list gets what it needs, at most half; what a list of few layers leaves is for the details.
  const int rows = std::min(static_cast<int>(image_.layers.size()), std::max(height / 2 - 2, 1));
  auto lines = layers_pane(width, rows + 2);
  if (image_.layers.empty()) lines.push_back({{"no layers", kDim}});
  if (height - static_cast<int>(lines.size()) > 1 && !image_.layers.empty()) {
    lines.push_back(title("Details", false, width));
    for (auto& line : detail_lines(analysis_, layer_, width - 1, height - static_cast<int>(lines.size()), glyphs_)) lines.push_back(std::move(line));
  }
  fill_to(lines, height);
  return lines;
}

std::vector<Line> Browser::layers_pane(int width, int height) {
  layers_height_ = static_cast<std::size_t>(std::max(height - 2, 1));
  keep_in_sight(first_layer_, layer_, image_.layers.size(), layers_height_);
  std::vector<Line> lines{title(format("Layers ({})", image_.layers.size()), focus_ == Pane::layers, width), {{format("{:>4}  {:>8} {:>8}  {}", "#", "Size", "Waste", "Instruction"), kDim}}};
  for (std::size_t i = first_layer_; i < std::min(first_layer_ + layers_height_, image_.layers.size()); ++i) lines.push_back(layer_line(i, width));
  return lines;
}

Line Browser::layer_line(std::size_t index, int width) const {
  const auto& layer = analysis_.layers[index];
  const bool chosen = index == layer_;
  const bool compared = chosen || (aggregated_ && index > 0 && index < layer_);
  const Style base{.bold = chosen, .reverse = chosen && focus_ == Pane::layers};
  const auto with = [&](Style::Colour colour) {
    Style style = base;
    style.colour = colour;
    return style;
  };
  Line line{{compared ? ">" : " ", with(Style::Colour::cyan)},
            {format("{:>3}  {:>8} ", index, shown_size(layer.bytes)), base},
            {format("{:>8}", layer.wasted_bytes > 0 ? shown_size(layer.wasted_bytes) : ""), with(Style::Colour::red)},
            {"  " + shown_name(layer.instruction.empty() ? layer.created_by : layer.instruction, glyphs_), base}};
  return fit(std::move(line), width, glyphs_, base);
}

std::string Browser::tree_title() const {
  std::string text = layer_ == 0 ? "Files of layer 0" : aggregated_ ? format("Changes of layers 1 to {}", layer_) : format("Changes of layer {}", layer_);
  std::string hidden;
  for (const Change change : {Change::added, Change::removed, Change::modified, Change::unmodified}) {
    if (!view_.hidden[static_cast<std::size_t>(change)]) continue;
    const std::string_view word = change == Change::added ? "added" : change == Change::removed ? "removed" : change == Change::modified ? "modified" : "unmodified";
    hidden += format("{}{}", hidden.empty() ? "" : ", ", word);
  }
  if (!hidden.empty()) text += format(", without {}", hidden);
  if (view_.by_size) text += ", by size";
  return text;
}

std::vector<Line> Browser::tree_pane(int width, int height) {
  tree_height_ = static_cast<std::size_t>(std::max(height - 2, 1));
  keep_in_sight(first_row_, row_, rows_.size(), tree_height_);
  std::vector<Line> lines{title(tree_title(), focus_ == Pane::tree, width), {{attributes_ ? format("{:<10} {:>11} {:>8}  {}", "Mode", "Owner", "Size", "Name") : "  Name", kDim}}};
  for (std::size_t i = first_row_; i < std::min(first_row_ + tree_height_, rows_.size()); ++i) lines.push_back(tree_line(i, width));
  if (rows_.empty()) lines.push_back({{filter_.empty() ? "nothing to show" : "nothing matches the filter", kDim}});
  fill_to(lines, height);
  return lines;
}

Line Browser::tree_line(std::size_t row, int width) const {
  const auto& nodes = tree_.nodes();
  const Index index = rows_[row];
  const auto& node = nodes[index];
  const bool chosen = row == row_;
  Style style = style_of(node.change), quiet = kDim;
  style.bold = quiet.bold = chosen;
  style.reverse = quiet.reverse = chosen && focus_ == Pane::tree;
  quiet.dim = !chosen;

  std::string stems;
  for (Index above = node.parent; above != LayerTree::kNone; above = nodes[above].parent) stems = std::string(nodes[above].last ? "    " : glyphs_.stem()) + stems;
  const bool closed = node.collapsed && node.end > index + 1;
  stems += node.last ? (closed ? glyphs_.last_closed_branch() : glyphs_.last_branch()) : closed ? glyphs_.closed_branch() : glyphs_.branch();

  Line line;
  if (attributes_) line.push_back({format("{} {:>11} {:>8} ", mode_text(*node.entry), format("{}:{}", node.entry->uid, node.entry->gid), shown_size(node.bytes)), style});
  line.push_back({format("{} ", mark_of(node.change)), style});
  line.push_back({std::move(stems), quiet});
  std::string name = shown_name(node.name, glyphs_);
  if (node.is_directory()) name += '/';
  if (node.entry->kind == analyze::Kind::symlink) name += format(" {} {}", glyphs_.arrow(), shown_name(node.entry->link, glyphs_));
  if (!node.entry->hard_link.empty()) name += format(" = /{}", shown_name(node.entry->hard_link, glyphs_));
  line.push_back({std::move(name), style});
  return fit(std::move(line), width, glyphs_, style.reverse ? Style{.reverse = true} : Style{});
}

Line Browser::filter_line(int width) const {
  const std::string text = shown_name(filter_, glyphs_);
  Line line{{"Filter: ", kBold}, {text, {}}};
  if (filtering_) line.push_back({" ", {.reverse = true}});
  const std::string found = format("  {} of {} paths", std::ranges::count_if(rows_, [&](Index index) { return tree_.nodes()[index].matches; }), rows_.size());
  line.push_back({filter_.empty() ? "" : found, kDim});
  return fit(std::move(line), width, glyphs_);
}

Line Browser::key_line(int width) const {
  struct Hint {
    std::string_view key, text;
    bool off = false;
  };
  std::vector<Hint> hints{{"q", "Quit"}, {"Tab", "Switch"}, {"^F", "Filter"}};
  const auto hides = [&](Change change) { return view_.hidden[static_cast<std::size_t>(change)]; };
  if (filtering_) hints = {{"Enter", "Keep"}, {"Esc", "Drop"}};
  else if (focus_ == Pane::layers) hints.insert(hints.end(), {{"^L", "Layer changes", aggregated_}, {"^A", "Aggregated changes", !aggregated_}});
  else hints.insert(hints.end(), {{"Space", "Fold"}, {"^A", "Added", hides(Change::added)}, {"^R", "Removed", hides(Change::removed)}, {"^M", "Modified", hides(Change::modified)},
                                  {"^U", "Unmodified", hides(Change::unmodified)}, {"^B", "Attributes", !attributes_}});
  hints.push_back({"?", "Keys"});
  Line line;
  for (const Hint& hint : hints) {
    line.push_back({std::string(hint.key), kBold});
    line.push_back({format(" {}  ", hint.text), hint.off ? kDim : Style{}});
  }
  return fit(std::move(line), width, glyphs_);
}

}  // namespace mica::cli
