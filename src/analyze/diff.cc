#include "analyze/diff.h"

#include <algorithm>
#include <map>
#include <set>

#include "analyze/packages.h"
#include "analyze/stack.h"

namespace mica::analyze {
namespace {

std::uint64_t bytes_of(const Stack& stack, const Node& node) { return node.body == SIZE_MAX ? 0 : stack.bodies()[node.body].entry->size; }

std::uint64_t layer_bytes(const Layer& layer) {
  std::uint64_t sum = 0;
  for (const Entry& entry : layer.entries) sum += entry.size;
  return sum;
}

void compare_layers(const Image& before, const Image& after, ImageChanges& out) {
  std::multiset<std::string_view> others;
  for (const Layer& layer : after.layers) others.insert(layer.diff_id);
  std::multiset<std::string_view> shared;
  const auto add = [&](const Layer& layer, LayerChange::Where where) { out.layers.push_back({where, layer.diff_id, layer.instruction, layer_bytes(layer)}); };
  for (const Layer& layer : before.layers) {
    out.total_before += layer_bytes(layer);
    const auto found = others.find(layer.diff_id);
    add(layer, found == others.end() ? LayerChange::Where::before : LayerChange::Where::both);
    if (found == others.end()) continue;
    others.erase(found);
    shared.insert(layer.diff_id);
  }
  for (const Layer& layer : after.layers) {
    out.total_after += layer_bytes(layer);
    if (const auto found = shared.find(layer.diff_id); found != shared.end()) shared.erase(found);
    else add(layer, LayerChange::Where::after);
  }
}

/// Nothing: they are alike.
std::optional<PathChange> compare_nodes(std::string_view path, const Stack& before, const Node& a, const Stack& after, const Node& b) {
  PathChange change{.path = std::string(path), .kind = b.entry->kind, .bytes_before = bytes_of(before, a), .bytes_after = bytes_of(after, b)};
  const Entry &was = *a.entry, &is = *b.entry;
  change.type = was.kind != is.kind;
  if (!change.type && is.kind == Kind::file) change.content = change.bytes_before != change.bytes_after || was.digest != is.digest;
  if (!change.type && is.kind == Kind::symlink) change.content = was.link != is.link;
  // A directory that has no entry of its own has no attributes either.
  if (!was.implied && !is.implied) {
    change.mode = was.mode != is.mode && is.kind != Kind::symlink;
    change.owner = was.uid != is.uid || was.gid != is.gid;
    change.attributes = was.xattrs != is.xattrs;
  }
  if (!change.type && !change.content && !change.mode && !change.owner && !change.attributes) return std::nullopt;
  return change;
}

void compare_trees(const Stack& before, const Stack& after, ImageChanges& out) {
  auto a = before.nodes().begin(), b = after.nodes().begin();
  const auto a_end = before.nodes().end(), b_end = after.nodes().end();
  while (a != a_end || b != b_end) {
    if (b == b_end || (a != a_end && a->first < b->first)) {
      out.paths.push_back({.what = PathChange::What::removed, .path = std::string(a->first), .kind = a->second.entry->kind, .bytes_before = bytes_of(before, a->second)});
      ++a;
    } else if (a == a_end || b->first < a->first) {
      out.paths.push_back({.what = PathChange::What::added, .path = std::string(b->first), .kind = b->second.entry->kind, .bytes_after = bytes_of(after, b->second)});
      ++b;
    } else {
      if (auto change = compare_nodes(a->first, before, a->second, after, b->second)) out.paths.push_back(std::move(*change));
      ++a;
      ++b;
    }
  }
}

void compare_packages(const Packages& before, const Packages& after, ImageChanges& out) {
  std::map<std::pair<std::string, std::string>, std::pair<std::vector<std::string>, std::vector<std::string>>> versions;
  for (const auto& one : before.list) versions[{one.manager, one.name}].first.push_back(one.version);
  for (const auto& one : after.list) versions[{one.manager, one.name}].second.push_back(one.version);
  const auto joined = [](const std::vector<std::string>& list) {
    std::string text;
    for (const auto& one : list) text += (text.empty() ? "" : ", ") + one;
    return text;
  };
  for (const auto& [key, both] : versions)
    if (both.first != both.second) out.packages.push_back({key.first, key.second, joined(both.first), joined(both.second), !both.first.empty(), !both.second.empty()});
  out.has_rpm = before.has_rpm || after.has_rpm;
}

std::uint64_t live_bytes(const Stack& stack) {
  std::uint64_t sum = 0;
  for (const Body& body : stack.bodies())
    if (!body.is_dead()) sum += body.entry->size;
  return sum;
}

}  // namespace

ImageChanges compare(const Image& before, const Image& after) {
  ImageChanges out;
  const Stack first(before), second(after);
  compare_layers(before, after, out);
  compare_trees(first, second, out);
  compare_packages(find_packages(before, first), find_packages(after, second), out);
  out.live_before = live_bytes(first);
  out.live_after = live_bytes(second);
  return out;
}

std::string_view name(PathChange::What what) {
  if (what == PathChange::What::added) return "added";
  return what == PathChange::What::removed ? "removed" : "changed";
}
std::string_view name(LayerChange::Where where) {
  if (where == LayerChange::Where::both) return "both";
  return where == LayerChange::Where::before ? "before" : "after";
}
std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::file: return "file";
    case Kind::directory: return "directory";
    case Kind::symlink: return "symlink";
    case Kind::device: return "device";
  }
  return "";
}

std::vector<std::string> aspects(const PathChange& change) {
  std::vector<std::string> out;
  if (change.type) out.emplace_back("type");
  if (change.content) out.emplace_back("content");
  if (change.mode) out.emplace_back("mode");
  if (change.owner) out.emplace_back("owner");
  if (change.attributes) out.emplace_back("attributes");
  return out;
}

}  // namespace mica::analyze
