/// Entries, listings and merged trees for tests, written in one line each.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "snapshot/listing.h"
#include "snapshot/tree_view.h"

namespace mica::testing {

inline snapshot::Entry file(std::string path, std::string_view content = "", std::uint32_t mode = 0644) {
  return {.path = std::move(path), .mode = mode, .size = content.size(), .digest = sha256(content)};
}
inline snapshot::Entry folder(std::string path, std::uint32_t mode = 0755, bool opaque = false) {
  return {.path = std::move(path), .type = snapshot::Type::directory, .opaque = opaque, .mode = mode};
}
inline snapshot::Entry opaque(std::string path) { return folder(std::move(path), 0755, true); }
inline snapshot::Entry whiteout(std::string path) { return {.path = std::move(path), .type = snapshot::Type::whiteout}; }
inline snapshot::Entry soft_link(std::string path, std::string target) {
  return {.path = std::move(path), .type = snapshot::Type::symlink, .mode = 0777, .link = std::move(target)};
}

using Entries = std::vector<snapshot::Entry>;

inline snapshot::TreeView tree(const std::vector<Entries>& bottom_first) {
  std::vector<snapshot::TreeView::Layer> layers;
  for (const auto& entries : bottom_first) layers.push_back({snapshot::Listing::build(entries), ""});
  return snapshot::TreeView(std::move(layers));
}

/// What TreeView must agree with: the tree, made by applying one layer after the other.
class ModelTree {
 public:
  void apply(const Entries& layer) {
    for (const auto& entry : layer)
      if (entry.type == snapshot::Type::whiteout) remove(entry.path), entries_.erase(entry.path);
      else if (entry.opaque || entry.type != snapshot::Type::directory) remove(entry.path);
    for (const auto& entry : layer)
      if (entry.type != snapshot::Type::whiteout) (entries_[entry.path] = entry).opaque = false;
  }
  const std::map<std::string, snapshot::Entry>& entries() const { return entries_; }

 private:
  /// Everything below the path.
  void remove(const std::string& path) { entries_.erase(entries_.lower_bound(path + "/"), entries_.lower_bound(path + "0")); }
  std::map<std::string, snapshot::Entry> entries_;
};

/// Layers with few names and many collisions, parents included, as overlayfs leaves them.
class RandomLayers {
 public:
  explicit RandomLayers(std::uint32_t seed) : state_(seed * 2654435761u + 1) {}
  std::uint32_t below(std::uint32_t n) {
    state_ ^= state_ << 13, state_ ^= state_ >> 17, state_ ^= state_ << 5;
    return state_ % n;
  }
  std::string path() {
    static constexpr const char* kNames[] = {"a", "a-b", "a.b", "a0", "b"};
    std::string path = kNames[below(5)];
    for (std::uint32_t depth = below(4); depth > 0; --depth) path += std::string("/") + kNames[below(5)];
    return path;
  }
  Entries layer() {
    std::map<std::string, snapshot::Entry> entries;
    for (std::uint32_t n = 1 + below(12); n > 0; --n) add(entries, path());
    Entries sorted;
    for (auto& [path, entry] : entries) sorted.push_back(std::move(entry));
    return sorted;
  }

 private:
  void add(std::map<std::string, snapshot::Entry>& entries, const std::string& path) {
    if (entries.count(path)) return;
    for (std::size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
      const std::string parent = path.substr(0, slash);
      const auto [at, added] = entries.try_emplace(parent, folder(parent, below(4) ? 0755 : 0700, below(6) == 0));
      if (at->second.type != snapshot::Type::directory) return;
    }
    switch (below(6)) {
      case 0: entries[path] = whiteout(path); break;
      case 1: entries[path] = opaque(path); break;
      case 2: entries[path] = folder(path, 0755); break;
      case 3: entries[path] = soft_link(path, "a"); break;
      default: entries[path] = file(path, std::string(1, static_cast<char>('a' + below(3)))); break;
    }
  }
  std::uint32_t state_;
};

}  // namespace mica::testing
