#include "cli/tui_browser.h"

#include <algorithm>
#include <utility>

#include "cli/tui_details.h"

namespace mica::cli {
namespace {

using Index = LayerTree::Index;

std::size_t moved(std::size_t at, long by, std::size_t count) {
  if (count == 0) return 0;
  return static_cast<std::size_t>(std::clamp<long>(static_cast<long>(at) + by, 0, static_cast<long>(count) - 1));
}

/// The lines to move for keys that every list has; 0: another key. Far beyond the end means the end.
long steps(const Key& key, std::size_t page) {
  const auto lines = static_cast<long>(std::max<std::size_t>(page, 2)) - 1;
  const std::string& text = key.kind == KeyKind::text ? key.text : std::string();
  if (key.kind == KeyKind::up || text == "k") return -1;
  if (key.kind == KeyKind::down || text == "j") return 1;
  if (key.kind == KeyKind::page_up || text == "u") return -lines;
  if (key.kind == KeyKind::page_down || text == "d") return lines;
  if (key.kind == KeyKind::home || text == "g") return -(1L << 40);
  if (key.kind == KeyKind::end || text == "G") return 1L << 40;
  return 0;
}

}  // namespace

Browser::Browser(const analyze::Image& image, const analyze::Analysis& analysis, Glyphs glyphs) : image_(image), analysis_(analysis), glyphs_(glyphs), tree_(image) {
  if (!image.layers.empty()) compare();
}

void Browser::compare() {
  const std::size_t first = aggregated_ ? std::min<std::size_t>(layer_, 1) : layer_;
  tree_.compare(first, layer_);
  refresh();
  // What did not change comes first as often as not, and fills the screen.
  row_ = 0;
  if (!rows_.empty() && !begins_change(0)) go_to_change(1);
  first_row_ = row_;
  for (std::size_t above = 0; above < 3 && first_row_ > 0; ++above) --first_row_;
}

void Browser::refresh() {
  const auto& nodes = tree_.nodes();
  const Index before = row_ < rows_.size() ? rows_[row_] : LayerTree::kNone;
  rows_ = tree_.rows(view_);
  row_ = moved(row_, 0, rows_.size());
  if (before == LayerTree::kNone) return;
  // Where the cursor was: the same path, else the directory that was closed over it.
  for (Index node = before; node != LayerTree::kNone; node = nodes[node].parent)
    if (const auto found = std::ranges::find(rows_, node); found != rows_.end()) {
      row_ = static_cast<std::size_t>(found - rows_.begin());
      return;
    }
}

void Browser::press(const Key& key) {
  message_.clear();
  if (help_) {
    help_ = false;
    if (key.kind != KeyKind::control || key.text != "c") return;
  }
  if (key == control('c')) {
    done_ = true;
    return;
  }
  if (filtering_ && (key.kind == KeyKind::text || key.kind == KeyKind::erase || key.kind == KeyKind::enter || key.kind == KeyKind::escape)) return press_in_filter(key);
  if (press_anywhere(key)) return;
  if (focus_ == Pane::layers) press_in_layers(key);
  else press_in_tree(key);
}

bool Browser::press_anywhere(const Key& key) {
  const bool is_text = key.kind == KeyKind::text;
  if (is_text && (key.text == "q" || key.text == "Q")) done_ = true;
  else if (is_text && key.text == "?") help_ = true;
  else if (key.kind == KeyKind::tab || key.kind == KeyKind::back_tab) focus_ = focus_ == Pane::layers ? Pane::tree : Pane::layers;
  else if (key == control('f') || (is_text && key.text == "/")) filtering_ = true;
  else if (key.kind == KeyKind::escape && !filter_.empty()) press_in_filter(key);
  else if (key == control('l')) {
    aggregated_ = false;
    compare();
  } else {
    return false;
  }
  if (filtering_) focus_ = Pane::tree;
  return true;
}

void Browser::press_in_filter(const Key& key) {
  if (key.kind == KeyKind::enter) {
    filtering_ = false;
    return;
  }
  if (key.kind == KeyKind::escape) {
    filtering_ = false;
    filter_.clear();
  } else if (key.kind == KeyKind::erase) {
    while (!filter_.empty() && (filter_.back() & 0xc0) == 0x80) filter_.pop_back();
    if (!filter_.empty()) filter_.pop_back();
  } else {
    filter_ += key.text;
  }
  tree_.filter(filter_);
  refresh();
}

void Browser::press_in_layers(const Key& key) {
  if (key == control('a')) {
    aggregated_ = true;
    compare();
  } else if (const long by = steps(key, layers_height_); by != 0) {
    move_layer(by);
  }
}

void Browser::move_layer(long by) {
  const std::size_t to = moved(layer_, by, image_.layers.size());
  if (to == layer_) return;
  layer_ = to;
  compare();
}

void Browser::press_in_tree(const Key& key) {
  const auto toggle = [&](bool& flag) {
    flag = !flag;
    refresh();
  };
  const auto hide = [&](Change change) { toggle(view_.hidden[static_cast<std::size_t>(change)]); };
  const bool is_text = key.kind == KeyKind::text;
  if (key == control('a')) hide(Change::added);
  else if (key == control('r')) hide(Change::removed);
  else if (key.kind == KeyKind::enter) hide(Change::modified);   // Ctrl+M is Enter
  else if (key == control('u')) hide(Change::unmodified);
  else if (key == control('b')) attributes_ = !attributes_;
  else if (key == control('o')) toggle(view_.by_size);
  else if (key == control('e')) want_file();
  else if (key == control(' ')) close(true);
  else if (is_text && key.text == " ") close(false);
  else if (key.kind == KeyKind::left || (is_text && key.text == "h")) go_out();
  else if (key.kind == KeyKind::right || (is_text && key.text == "l")) go_in();
  else if (is_text && (key.text == "n" || key.text == "N")) go_to_change(key.text == "n" ? 1 : -1);
  else if (const long by = steps(key, tree_height_); by != 0) row_ = moved(row_, by, rows_.size());
}

void Browser::close(bool all) {
  if (all) {
    all_closed_ = !all_closed_;
    tree_.collapse_all(all_closed_);
  } else if (row_ < rows_.size()) {
    const auto& node = tree_.nodes()[rows_[row_]];
    if (node.is_directory()) tree_.collapse(rows_[row_], !node.collapsed);
  }
  refresh();
}

void Browser::go_to(Index node) {
  if (const auto found = std::ranges::find(rows_, node); found != rows_.end()) row_ = static_cast<std::size_t>(found - rows_.begin());
}

/// What changed by itself: not a directory in which something did, nor what came or went with its directory.
bool Browser::begins_change(std::size_t row) const {
  const auto& nodes = tree_.nodes();
  const auto& node = nodes[rows_[row]];
  if (node.change == Change::unmodified || (node.change == Change::modified && node.is_directory())) return false;
  return node.parent == LayerTree::kNone || nodes[node.parent].change != node.change || node.change == Change::modified;
}

void Browser::go_to_change(long direction) {
  const auto end = static_cast<long>(rows_.size());
  for (long row = static_cast<long>(row_) + direction; row >= 0 && row < end; row += direction)
    if (begins_change(static_cast<std::size_t>(row))) {
      row_ = static_cast<std::size_t>(row);
      return;
    }
}

void Browser::go_out() {
  if (row_ < rows_.size()) go_to(tree_.nodes()[rows_[row_]].parent);
}

void Browser::go_in() {
  if (row_ >= rows_.size()) return;
  const Index node = rows_[row_];
  if (!tree_.nodes()[node].is_directory()) return;
  if (tree_.nodes()[node].collapsed) {
    tree_.collapse(node, false);
    refresh();
  }
  if (row_ + 1 < rows_.size() && tree_.nodes()[rows_[row_ + 1]].parent == node) ++row_;
}

void Browser::want_file() {
  if (row_ >= rows_.size()) return;
  const auto& node = tree_.nodes()[rows_[row_]];
  if (node.entry->kind != analyze::Kind::file) return say("only files can be written");
  const std::string& body = node.entry->hard_link;
  wanted_ = WantedFile{.layer = node.layer, .path = body.empty() ? std::string(node.path) : body, .name = std::string(node.name), .mode = node.entry->mode};
}

}  // namespace mica::cli
