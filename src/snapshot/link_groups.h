/// Hard links in a merged tree. A layer's listing names the first path of a group in that layer; in the merged tree that path may
/// be hidden by a higher layer, and then the first member still visible takes its place.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "snapshot/tree_view.h"

namespace mica::snapshot {

/// For entries in the order of TreeView::walk. The view must outlive it.
class LinkGroups {
 public:
  explicit LinkGroups(const TreeView& tree) : finder_(tree) {}
  /// The visible path that `found` is another name of and that came before it, or nothing when it stands for its content itself.
  std::optional<std::string> earlier_name(const TreeView::Found& found);

 private:
  TreeFinder finder_;
  std::map<std::pair<std::size_t, std::string>, std::string> promoted_;  // layer and hidden first path: first visible member
};

}  // namespace mica::snapshot
