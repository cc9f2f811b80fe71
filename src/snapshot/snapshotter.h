/// Writable root filesystems for steps and containers.
#pragma once
#include <memory>
#include <string>

#include "base/error.h"
#include "snapshot/layer_store.h"
#include "task/task.h"

namespace mica::snapshot {

/// A root filesystem that can be written; its changes become a layer or are thrown away.
class RootFs {
 public:
  virtual ~RootFs() = default;
  virtual const std::string& path() const = 0;     ///< the mounted (or copied) root folder
  /// Ends use: unmounts and returns the changes in overlay form (not listed, not committed).
  virtual Result<StagedLayer> take_changes() = 0;
};

class Snapshotter {
 public:
  virtual ~Snapshotter() = default;
  virtual std::string_view name() const = 0;       ///< "overlay" or "copy"
  /// `extra`: further layers over the chain, in no store and not part of the changes (folders and files that serve as mount points). They
  /// must live until the root is given back.
  virtual Result<std::unique_ptr<RootFs>> writable(const Chain& chain, const std::vector<TreeView::Layer>& extra, task::Cancel cancel) = 0;
  Result<std::unique_ptr<RootFs>> writable(const Chain& chain, task::Cancel cancel) { return writable(chain, {}, cancel); }
  /// Read-only view, for RUN --mount=from and `run --read-only`. take_changes() is an error.
  virtual Result<std::unique_ptr<RootFs>> read_only(const Chain& chain, task::Cancel cancel) = 0;
};

enum class Kind { automatic, overlay, copy };
/// `automatic`: overlay when a trial mount in the state folder works (remembered for this boot), else copy.
Result<std::unique_ptr<Snapshotter>> make_snapshotter(Kind kind, LayerStore& layers, const std::string& state_folder, task::Pool& pool);

}  // namespace mica::snapshot
