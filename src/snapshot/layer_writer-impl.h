/// The inside of LayerWriter, shared by its files.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "snapshot/layer_disk.h"
#include "snapshot/layer_files.h"
#include "snapshot/layer_writer.h"
#include "snapshot/write_behind.h"

namespace mica::snapshot {

/// An entry of the layer. Its path is the key it is kept under.
struct LayerNode {
  Entry entry;
  std::uint32_t group = 0;  ///< of hard links, from 1: the attributes that names of one inode share are those of the group
  bool pending = false;     ///< not on disk before settle()
};

struct LayerWriter::Impl {
  using Nodes = std::map<std::string, LayerNode, std::less<>>;

  Impl(const StagedLayer& staged, TreeView lower_tree, task::Pool& the_pool)
      : fs(staged.fs()), lower(std::move(lower_tree)), finder(lower), pool(the_pool) {}

  /// Opens the layer folder at the first call.
  Result<> start();
  LayerNode* own(std::string_view path);
  /// Where the attributes shared by all names of the inode are.
  Entry& attributes(LayerNode& node) { return node.group ? groups[node.group - 1] : node.entry; }
  /// What the lower tree shows here, as far as the folders above let it through.
  std::optional<TreeView::Found> lower_at(std::string_view path);
  Result<> ensure_folder(std::string_view path, const Meta& fresh);
  Result<> add_folder(std::string_view path, const Meta& meta, bool opaque);
  /// A node for something that is no folder, with its parents; what was at the path before is gone.
  Result<Nodes::iterator> claim(const std::string& path, const Meta& meta);
  /// Removes the entry and all below it from disk and from the map.
  Result<> erase(Nodes::iterator node);
  /// Brings an entry of the lower tree into this layer, under its own path.
  Result<Nodes::iterator> copy_up(const std::string& path, const TreeView::Found& found);
  Result<> link_on_disk(const std::string& path, const std::string& existing);
  /// Removes whiteouts below opaque folders. They hide nothing, and overlayfs would show their names in listings.
  Result<> drop_idle_whiteouts();
  /// Writes everything that is pending.
  Result<> settle();

  const std::string fs;
  const TreeView lower;
  TreeFinder finder;
  task::Pool& pool;
  std::optional<LayerDisk> disk;
  Nodes nodes;
  std::vector<Entry> groups;
  std::string last_folder;  // a folder known to be in the layer: the last parent
  PlacerMemory memory;
  std::vector<std::pair<Nodes::iterator, std::string>> pending_links;
  std::optional<WriteBehind> behind;  // after all that its tasks use
};

Meta meta_of(const EntryView& entry);
void set_meta(Entry& entry, const Meta& meta);

}  // namespace mica::snapshot
