#include "analyze/stack.h"

#include "base/error.h"

namespace mica::analyze {

Stack::Stack(const Image& image) : effects_(image.layers.size()) {
  for (std::size_t i = 0; i < image.layers.size(); ++i) apply(image.layers[i], i);
  for (const auto& [path, node] : nodes_)
    if (node.body != SIZE_MAX && bodies_[node.body].live_path.empty()) bodies_[node.body].live_path = path;
}

void Stack::apply(const Layer& layer, std::size_t index) {
  now_ = index;
  if (layer.opaque_root) remove_below("");
  for (const std::string& path : layer.whiteouts) {
    const auto found = nodes_.find(path);
    if (found == nodes_.end()) continue;
    remove_below(path);
    let_go(found->second);
    nodes_.erase(found);
    ++effects_[index].removed_paths;
  }
  for (const Entry& entry : layer.entries)
    if (entry.opaque) remove_below(entry.path);
  for (const Entry& entry : layer.entries) place(entry, index);
}

void Stack::place(const Entry& entry, std::size_t index) {
  auto next = nodes_.lower_bound(entry.path);
  const bool is_there = next != nodes_.end() && next->first == entry.path;
  auto& effect = effects_[index];
  Node node{.entry = &entry, .layer = index};
  if (entry.kind == Kind::file) {
    const bool replaces = is_there && next->second.entry->kind == Kind::file;
    ++(replaces ? effect.changed_files : effect.added_files);
    if (replaces) effect.changed_bytes += entry.size;
    if (entry.stores_body()) {
      node.body = bodies_.size();
      bodies_.push_back({.entry = &entry, .layer = index});
    } else {
      // The first name stands before this one in the layer.
      const auto first = nodes_.find(entry.hard_link);
      MICA_ASSERT(first != nodes_.end() && first->second.layer == index, "a hard link names an entry of its layer");
      node.body = first->second.body;
    }
    ++bodies_[node.body].names;
  }
  if (!is_there) {
    nodes_.emplace_hint(next, entry.path, node);
    return;
  }
  if (entry.kind == Kind::directory && next->second.entry->kind == Kind::directory) {
    // What has no entry of its own changes nothing about the directory.
    if (!entry.implied) next->second = node;
    return;
  }
  if (next->second.entry->kind == Kind::directory) remove_below(entry.path);
  let_go(next->second);
  next->second = node;
}

void Stack::remove_below(std::string_view directory) {
  auto from = nodes_.begin(), to = nodes_.end();
  if (!directory.empty()) {
    std::string border(directory);
    from = nodes_.lower_bound(border + '/');
    to = nodes_.lower_bound(border + '0');   // the byte behind '/'
  }
  for (auto node = from; node != to; ++node) {
    let_go(node->second);
    ++effects_[now_].removed_paths;
  }
  nodes_.erase(from, to);
}

void Stack::let_go(const Node& node) {
  if (node.body == SIZE_MAX) return;
  Body& body = bodies_[node.body];
  if (--body.names == 0) body.hidden_by = now_;
}

}  // namespace mica::analyze
