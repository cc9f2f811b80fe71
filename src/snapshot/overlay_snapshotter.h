/// Root filesystems by overlayfs: the layers' folders below, a staged layer as the upper folder.
#pragma once
#include "snapshot/snapshotter.h"

namespace mica::snapshot {

class OverlaySnapshotter : public Snapshotter {
 public:
  explicit OverlaySnapshotter(LayerStore& layers) : layers_(layers) {}
  std::string_view name() const override { return "overlay"; }
  using Snapshotter::writable;
  Result<std::unique_ptr<RootFs>> writable(const Chain& chain, const std::vector<TreeView::Layer>& extra,
                                           task::Cancel cancel) override;
  Result<std::unique_ptr<RootFs>> read_only(const Chain& chain, task::Cancel cancel) override;

  /// Mounts a small overlay in a temporary folder below `state_folder` and deletes a file in it. Errors: why it does not work.
  static Result<> try_out(const std::string& state_folder);

 private:
  Result<std::unique_ptr<RootFs>> mount(const Chain& chain, const std::vector<TreeView::Layer>& extra, bool writable,
                                        const task::Cancel& cancel);
  LayerStore& layers_;
};

}  // namespace mica::snapshot
