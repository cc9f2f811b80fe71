#include "cli/tui_tree.h"

#include <regex.h>

#include <algorithm>
#include <memory>
#include <tuple>

namespace mica::cli {
namespace {

struct PathEvent {
  std::string_view path;
  std::uint32_t layer;
  const analyze::Entry* entry;
};

/// '/' before everything else, so that a directory's paths come right after it.
bool comes_before(std::string_view a, std::string_view b) {
  const auto [left, right] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (left == a.end() || right == b.end()) return left == a.end() && right != b.end();
  if (*left == '/' || *right == '/') return *left == '/';
  return static_cast<unsigned char>(*left) < static_cast<unsigned char>(*right);
}

bool is_below(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path[directory.size()] == '/' && path.starts_with(directory);
}

bool same_but_times(const analyze::Entry& a, const analyze::Entry& b) {
  return std::tie(a.kind, a.mode, a.uid, a.gid, a.link, a.xattrs) == std::tie(b.kind, b.mode, b.uid, b.gid, b.link, b.xattrs);
}

/// A file that a layer stores again takes its bytes again: that counts as a change even when the content is the same.
Change change_of(const analyze::Entry* before, const analyze::Entry* after) {
  if (!before) return after ? Change::added : Change::absent;
  if (!after) return Change::removed;
  if (before == after) return Change::unmodified;
  if (after->kind == analyze::Kind::file) return Change::modified;
  return same_but_times(*before, *after) ? Change::unmodified : Change::modified;
}

class Matcher {
 public:
  explicit Matcher(const std::string& pattern) : pattern_(pattern) {
    is_plain_ = pattern.find_first_of("\\^$.[]|()?*+{}") == std::string::npos || ::regcomp(&regex_, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0;
  }
  ~Matcher() {
    if (!is_plain_) ::regfree(&regex_);
  }
  Matcher(const Matcher&) = delete;
  bool matches(const std::string& text) const { return is_plain_ ? text.find(pattern_) != std::string::npos : ::regexec(&regex_, text.c_str(), 0, nullptr, 0) == 0; }

 private:
  const std::string& pattern_;
  bool is_plain_ = true;
  regex_t regex_{};
};

}  // namespace

LayerTree::LayerTree(const analyze::Image& image) : image_(image) {
  std::vector<PathEvent> events;
  for (std::uint32_t layer = 0; layer < image.layers.size(); ++layer) {
    for (const auto& path : image.layers[layer].whiteouts) events.push_back({path, layer, nullptr});
    for (const auto& entry : image.layers[layer].entries) events.push_back({entry.path, layer, &entry});
  }
  std::sort(events.begin(), events.end(), [](const PathEvent& a, const PathEvent& b) {
    if (a.path != b.path) return comes_before(a.path, b.path);
    return std::tuple(a.layer, a.entry != nullptr) < std::tuple(b.layer, b.entry != nullptr);
  });
  std::vector<Index> open;
  for (std::size_t begin = 0, end = 0; begin < events.size(); begin = end) {
    while (end < events.size() && events[end].path == events[begin].path) ++end;
    // A whiteout of what no layer has is nothing to show.
    const auto named = std::find_if(events.begin() + static_cast<std::ptrdiff_t>(begin), events.begin() + static_cast<std::ptrdiff_t>(end), [](const PathEvent& event) { return event.entry; });
    if (named == events.begin() + static_cast<std::ptrdiff_t>(end)) continue;
    const std::string_view path = named->path;
    while (!open.empty() && !is_below(path, nodes_[open.back()].path)) {
      nodes_[open.back()].end = static_cast<Index>(nodes_.size());
      open.pop_back();
    }
    const std::size_t slash = path.rfind('/');
    Node node{.path = path, .name = path.substr(slash == path.npos ? 0 : slash + 1), .parent = open.empty() ? kNone : open.back(), .depth = static_cast<std::uint32_t>(open.size())};
    open.push_back(static_cast<Index>(nodes_.size()));
    nodes_.push_back(node);
    first_event_.push_back(static_cast<std::uint32_t>(events_.size()));
    for (std::size_t i = begin; i < end; ++i) events_.push_back({events[i].layer, events[i].entry});
  }
  first_event_.push_back(static_cast<std::uint32_t>(events_.size()));
  for (const Index node : open) nodes_[node].end = static_cast<Index>(nodes_.size());
  hides_before_.resize(nodes_.size());
  hides_after_.resize(nodes_.size());
}

void LayerTree::compare(std::size_t first, std::size_t last) {
  const auto before = static_cast<std::int64_t>(first) - 1, after = static_cast<std::int64_t>(last);
  for (Index node = 0; node < nodes_.size(); ++node) place(node, before, after);
  sum_up();
}

/// What is there after the layers up to `last`; -1: none of them.
LayerTree::Event LayerTree::side(Index index, std::int64_t last, std::vector<std::int64_t>& hides) const {
  std::int64_t hidden = -1;
  if (const Index parent = nodes_[index].parent; parent != kNone) hidden = hides[parent];
  else
    for (std::int64_t layer = 0; layer <= last; ++layer)
      if (image_.layers[static_cast<std::size_t>(layer)].opaque_root) hidden = layer;
  Event there;
  std::int64_t hides_below = hidden;
  for (std::uint32_t i = first_event_[index]; i < first_event_[index + 1] && events_[i].layer <= last; ++i) {
    const Event& event = events_[i];
    // A folder that is there only for what it holds says nothing new about itself.
    const bool adds_nothing = event.entry && event.entry->implied && there.entry && there.entry->kind == analyze::Kind::directory;
    if (!event.entry) there = {};
    else if (event.layer >= hidden && !adds_nothing) there = event;
    if (!event.entry || event.entry->opaque || event.entry->kind != analyze::Kind::directory) hides_below = std::max<std::int64_t>(hides_below, event.layer);
  }
  hides[index] = hides_below;
  return there;
}

/// `before`, `after`: the last layer of each side.
void LayerTree::place(Index index, std::int64_t before, std::int64_t after) {
  Node& node = nodes_[index];
  const Event old = side(index, before, hides_before_), now = side(index, after, hides_after_);
  node.change = change_of(old.entry, now.entry);
  const Event& told = now.entry ? now : old;
  node.entry = told.entry;
  node.layer = told.layer;
  node.bytes = node.entry && node.entry->stores_body() ? node.entry->size : 0;
}

void LayerTree::sum_up() {
  for (Index index = static_cast<Index>(nodes_.size()); index-- > 0;) {
    const Node& node = nodes_[index];
    if (node.parent == kNone || node.change == Change::absent) continue;
    Node& parent = nodes_[node.parent];
    if ((node.change == Change::removed) == (parent.change == Change::removed)) parent.bytes += node.bytes;
    if (node.change != Change::unmodified && parent.change == Change::unmodified) parent.change = Change::modified;
  }
}

std::vector<LayerTree::Index> LayerTree::rows(const View& view) {
  for (Node& node : nodes_) node.shown = node.last = false;
  std::vector<bool> has_shown_child(nodes_.size() + 1);   // the last one: the top
  for (Index index = static_cast<Index>(nodes_.size()); index-- > 0;) {
    Node& node = nodes_[index];
    if (node.change == Change::absent) continue;
    node.shown = node.shown || (node.matches && !view.hidden[static_cast<std::size_t>(node.change)]);
    if (!node.shown) continue;
    const std::size_t above = node.parent == kNone ? nodes_.size() : node.parent;
    node.last = !has_shown_child[above];
    has_shown_child[above] = true;
    if (node.parent != kNone) nodes_[node.parent].shown = true;
  }
  std::vector<Index> rows;
  rows.reserve(nodes_.size());
  add_sorted(rows, 0, static_cast<Index>(nodes_.size()), view.by_size);
  return rows;
}

void LayerTree::add_sorted(std::vector<Index>& rows, Index begin, Index end, bool by_size) {
  if (!by_size) {
    for (Index index = begin; index < end;) {
      const Node& node = nodes_[index];
      if (node.shown) rows.push_back(index);
      index = !node.shown || node.collapsed ? node.end : index + 1;
    }
    return;
  }
  // Directories are opened from a stack: they may be nested as deeply as a path is long.
  std::vector<Index> stack, siblings;
  const auto push = [&](Index from, Index to) {
    siblings.clear();
    for (Index index = from; index < to; index = nodes_[index].end) {
      nodes_[index].last = false;
      if (nodes_[index].shown) siblings.push_back(index);
    }
    std::stable_sort(siblings.begin(), siblings.end(), [&](Index a, Index b) { return nodes_[a].bytes > nodes_[b].bytes; });
    if (!siblings.empty()) nodes_[siblings.back()].last = true;
    stack.insert(stack.end(), siblings.rbegin(), siblings.rend());
  };
  push(begin, end);
  while (!stack.empty()) {
    const Index index = stack.back();
    stack.pop_back();
    rows.push_back(index);
    if (!nodes_[index].collapsed) push(index + 1, nodes_[index].end);
  }
}

void LayerTree::filter(const std::string& pattern) {
  const Matcher matcher(pattern);
  std::string path;
  for (Index index = static_cast<Index>(nodes_.size()); index-- > 0;) {
    Node& node = nodes_[index];
    node.matches = pattern.empty() || matcher.matches(path.assign("/").append(node.path));
    if (pattern.empty() || !node.matches) continue;
    for (Index above = node.parent; above != kNone; above = nodes_[above].parent) nodes_[above].collapsed = false;
  }
}

void LayerTree::collapse_all(bool collapsed) {
  for (Index index = 0; index < nodes_.size(); ++index)
    if (nodes_[index].end > index + 1) nodes_[index].collapsed = collapsed;
}

}  // namespace mica::cli
