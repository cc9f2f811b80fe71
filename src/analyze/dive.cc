// Each layer is a tree of its tar entries, of which only the leaves count. A leaf adds one copy to its path; a whiteout counts for the path that it removes, with the size of
// all that is below that path in the stack of the lower layers if it is a directory there. The stack is dive's, too: it knows no opaque
// directories, a file that replaces a directory leaves its children, and a directory without an entry of its own is none.
#include "analyze/dive.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace mica::analyze {
namespace {

constexpr std::string_view kWhiteout = ".wh.";

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}
std::string_view last_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? path : path.substr(slash + 1);
}

struct Leaf {
  std::string_view path;
  bool whiteout = false;
  std::uint64_t size = 0;
};

class Stacked {
 public:
  struct Node {
    std::uint64_t size = 0;
    bool directory = false;
  };
  /// Nothing: the path is not there. Files weigh nothing here: only what a whiteout of a directory takes is summed.
  std::optional<std::uint64_t> removed_size(std::string_view path) const {
    const auto found = nodes_.find(path);
    if (found == nodes_.end()) return std::nullopt;
    if (!found->second.directory) return 0;
    std::uint64_t sum = found->second.size;
    const auto [from, to] = below(path);
    for (auto node = from; node != to; ++node) sum += node->second.size;
    return sum;
  }
  void add_entries(const Layer& layer) {
    for (const auto& entry : layer.entries) nodes_[entry.path] = {entry.archived_size, entry.kind == Kind::directory && !entry.implied};
  }
  void add(const Layer& layer) {
    const auto removes_late = [](std::string_view path) { return std::string(kWhiteout) + std::string(last_of(path)) > last_of(path); };
    for (const auto& path : layer.whiteouts) {
      if (!removes_late(path)) remove(path);
      // The directories of a mark are nodes of the layer's tree, too.
      for (std::string_view above = parent_of(path); !above.empty(); above = parent_of(above))
        if (!std::ranges::binary_search(layer.entries, above, {}, [](const Entry& entry) -> std::string_view { return entry.path; })) nodes_[above] = {};
    }
    add_entries(layer);
    for (const auto& path : layer.whiteouts)
      if (removes_late(path)) remove(path);
  }

 private:
  using Nodes = std::map<std::string_view, Node>;
  std::pair<Nodes::const_iterator, Nodes::const_iterator> below(std::string_view path) const {
    const std::string border(path);
    return {nodes_.lower_bound(border + '/'), nodes_.lower_bound(border + '0')};
  }
  void remove(std::string_view path) {
    const auto [from, to] = below(path);
    nodes_.erase(from, to);
    nodes_.erase(path);
  }
  Nodes nodes_;
};

/// dive visits names in order, directory by directory; a mark's name has its prefix then.
bool is_visited_before(const Leaf& a, const Leaf& b) {
  const auto visited = [](const Leaf& leaf) {
    std::string name(parent_of(leaf.path));
    if (!name.empty()) name += '/';
    if (leaf.whiteout) name += kWhiteout;
    name += last_of(leaf.path);
    std::ranges::replace(name, '/', '\0');
    return name;
  };
  return visited(a) < visited(b);
}

/// In no order unless one counts: a whiteout of what is not there ends the layer.
std::vector<Leaf> leaves_of(const Layer& layer, const Stacked& below) {
  std::unordered_set<std::string_view> parents;
  for (const auto& entry : layer.entries) parents.insert(parent_of(entry.path));
  for (const auto& path : layer.whiteouts) parents.insert(parent_of(path));
  std::vector<Leaf> leaves;
  for (const auto& entry : layer.entries)
    if (!parents.contains(entry.path)) leaves.push_back({entry.path, false, entry.archived_size});
  bool is_cut = false;
  for (const auto& path : layer.whiteouts) {
    const auto size = below.removed_size(path);
    is_cut = is_cut || !size;
    leaves.push_back({path, true, size.value_or(0)});
  }
  if (!is_cut) return leaves;
  std::ranges::sort(leaves, is_visited_before);
  const auto end = std::ranges::find_if(leaves, [&](const Leaf& leaf) { return leaf.whiteout && !below.removed_size(leaf.path); });
  leaves.erase(end, leaves.end());
  return leaves;
}

struct Copies {
  std::uint64_t count = 0, sum = 0, smallest = 0;
};

}  // namespace

Dive dive_measure(const Image& image) {
  Dive dive;
  std::unordered_map<std::string_view, Copies> paths;
  Stacked stacked;
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    const Layer& layer = image.layers[i];
    if (i == 0) stacked.add_entries(layer);   // dive looks at the lowest layer with that layer itself below
    for (const Leaf& leaf : leaves_of(layer, stacked)) {
      auto& copies = paths[leaf.path];
      copies.smallest = copies.count++ == 0 ? leaf.size : std::min(copies.smallest, leaf.size);
      copies.sum += leaf.size;
    }
    stacked.add(layer);
    if (i > 0)
      for (const Entry& entry : layer.entries) dive.user_bytes += entry.archived_size;
  }
  std::uint64_t smallest = 0, all = 0;
  for (const auto& [path, copies] : paths) {
    smallest += copies.smallest;
    all += copies.sum;
    if (copies.count > 1) dive.wasted_bytes += copies.sum;
  }
  if (all > 0) dive.efficiency = static_cast<double>(smallest) / static_cast<double>(all);
  if (dive.user_bytes > 0) dive.wasted_user_percent = static_cast<double>(dive.wasted_bytes) / static_cast<double>(dive.user_bytes);
  return dive;
}

}  // namespace mica::analyze
