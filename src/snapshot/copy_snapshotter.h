/// Root filesystems where overlayfs does not work: the merged tree is copied (blocks are shared where the file system can; hard
/// links would let a step write into immutable layers). The changes are found by comparing each file's inode and times with
/// those it was made with, and what did not change is deleted: what is left is the layer.
#pragma once
#include "snapshot/snapshotter.h"

namespace mica::snapshot {

class CopySnapshotter : public Snapshotter {
 public:
  CopySnapshotter(LayerStore& layers, task::Pool& pool) : layers_(layers), pool_(pool) {}
  std::string_view name() const override { return "copy"; }
  using Snapshotter::writable;
  Result<std::unique_ptr<RootFs>> writable(const Chain& chain, const std::vector<TreeView::Layer>& extra,
                                           task::Cancel cancel) override;
  Result<std::unique_ptr<RootFs>> read_only(const Chain& chain, task::Cancel cancel) override;

 private:
  Result<std::unique_ptr<RootFs>> copy(TreeView tree, bool writable, task::Cancel cancel);
  LayerStore& layers_;
  task::Pool& pool_;
};

/// Writes the merged tree into a new layer without one below. Device nodes that our rights do not let us make are left out.
Result<> copy_tree(const TreeView& tree, const StagedLayer& to, task::Pool& pool, task::Cancel cancel);

}  // namespace mica::snapshot
