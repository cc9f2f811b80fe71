#include "snapshot/copy_snapshotter.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/format.h"
#include "snapshot/tree_stamps.h"

namespace mica::snapshot {
namespace {

class CopyRoot : public RootFs {
 public:
  CopyRoot(StagedLayer staged, Stamps before, bool writable)
      : staged_(std::move(staged)), path_(staged_.fs()), before_(std::move(before)), writable_(writable) {}
  const std::string& path() const override { return path_; }

  Result<StagedLayer> take_changes() override {
    if (!writable_) return fail(Errc::conflict, "a read-only root filesystem has no changes");
    const auto root = TRY(sys::open(path_, O_RDONLY | O_DIRECTORY));
    TRY_DOING(keep_changes(root, before_, {}), "finding the changes");
    TRY(sys::remove_tree(staged_.work()));
    return std::move(staged_);
  }

 private:
  StagedLayer staged_;
  std::string path_;
  Stamps before_;
  bool writable_;
};

}  // namespace

Result<std::unique_ptr<RootFs>> CopySnapshotter::copy(TreeView tree, bool writable, task::Cancel cancel) {
  auto staged = TRY(layers_.stage());
  if (::chmod(staged.fs().c_str(), 0755) != 0) return fail_errno("preparing the root folder");
  TRY_DOING(copy_tree(tree, staged, pool_, cancel), "copying the root filesystem");
  Stamps stamps;
  if (writable) {
    const auto root = TRY(sys::open(staged.fs(), O_RDONLY | O_DIRECTORY));
    stamps = TRY(stamp_tree(root, cancel));
    wait_past(stamps);
  }
  return std::make_unique<CopyRoot>(std::move(staged), std::move(stamps), writable);
}

Result<std::unique_ptr<RootFs>> CopySnapshotter::writable(const Chain& chain, const std::vector<TreeView::Layer>& extra,
                                                          task::Cancel cancel) {
  const auto tree = TRY(layers_.view(chain));
  auto layers = tree.layers();
  layers.insert(layers.end(), extra.begin(), extra.end());
  return copy(TreeView(std::move(layers)), true, cancel);
}

Result<std::unique_ptr<RootFs>> CopySnapshotter::read_only(const Chain& chain, task::Cancel cancel) {
  auto tree = TRY(layers_.view(chain));
  return copy(std::move(tree), false, cancel);
}

}  // namespace mica::snapshot
