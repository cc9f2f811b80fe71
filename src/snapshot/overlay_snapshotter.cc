#include "snapshot/overlay_snapshotter.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/format.h"
#include "sys/mount.h"
#include "sys/userns.h"

namespace mica::snapshot {
namespace {

// A step's last processes may hold on to the root for a moment while they die.
constexpr int kUnmountTries = 100, kUnmountPauseMs = 20;

/// The staged folder holds fs (upper), work, `merged` (where it is mounted) and `empty` (a lower folder where layers are few).
class OverlayRoot : public RootFs {
 public:
  OverlayRoot(StagedLayer staged, sys::Mount mount, bool writable)
      : staged_(std::move(staged)), mount_(std::move(mount)), path_(mount_.target()), writable_(writable) {}
  const std::string& path() const override { return path_; }

  Result<StagedLayer> take_changes() override {
    if (!writable_) return fail(Errc::conflict, "a read-only root filesystem has no changes");
    TRY(unmount());
    for (const auto& folder : {path_, staged_.work(), staged_.path() + "/empty"}) TRY(sys::remove_tree(folder));
    return std::move(staged_);
  }

 private:
  Result<> unmount() {
    for (int tries = 1;; ++tries) {
      auto unmounted = std::move(mount_).unmount();
      if (unmounted || unmounted.error().os_number() != EBUSY || tries == kUnmountTries) return unmounted;
      ::poll(nullptr, 0, kUnmountPauseMs);
    }
  }

  StagedLayer staged_;
  sys::Mount mount_;
  std::string path_;
  bool writable_;
};

}  // namespace

Result<std::unique_ptr<RootFs>> OverlaySnapshotter::mount(const Chain& chain, const std::vector<TreeView::Layer>& extra,
                                                          bool writable, const task::Cancel& cancel) {
  TRY(cancel.check());
  auto staged = TRY(layers_.stage());
  // The root's own mode and owner are the upper folder's, whatever our umask.
  if (::chmod(staged.fs().c_str(), 0755) != 0) return fail_errno("preparing the root folder");
  const std::string target = staged.path() + "/merged", empty = staged.path() + "/empty";
  TRY(sys::make_directories(target));
  sys::OverlaySpec spec{.userxattr = sys::is_rootless(), .volatile_upper = writable};
  for (auto layer = extra.rbegin(); layer != extra.rend(); ++layer) spec.lowers.push_back(layer->directory);
  for (auto layer = chain.rbegin(); layer != chain.rend(); ++layer) spec.lowers.push_back(layers_.directory(*layer));
  if (writable) {
    spec.upper = staged.fs();
    spec.work = staged.work();
  }
  // Overlayfs wants two layers; and only through it a lone layer's whiteouts do not show.
  if (spec.lowers.empty() || !writable) {
    TRY(sys::make_directories(empty, 0755));
    spec.lowers.push_back(empty);
  }
  if (spec.lowers.size() == 1 && !writable) spec.lowers.insert(spec.lowers.begin(), staged.fs());
  auto mount = TRY(sys::Mount::overlay(spec, target));
  return std::make_unique<OverlayRoot>(std::move(staged), std::move(mount), writable);
}

Result<std::unique_ptr<RootFs>> OverlaySnapshotter::writable(const Chain& chain, const std::vector<TreeView::Layer>& extra,
                                                             task::Cancel cancel) {
  return mount(chain, extra, true, cancel);
}

Result<std::unique_ptr<RootFs>> OverlaySnapshotter::read_only(const Chain& chain, task::Cancel cancel) {
  return mount(chain, {}, false, cancel);
}

Result<> OverlaySnapshotter::try_out(const std::string& state_folder) {
  const auto dir = TRY(sys::TempDir::create(state_folder, "try-overlay"));
  const std::string lower = dir.path() + "/lower", upper = dir.path() + "/upper", work = dir.path() + "/work",
                    merged = dir.path() + "/merged";
  for (const auto& folder : {lower, upper, work, merged}) TRY(sys::make_directories(folder));
  TRY(sys::write_file(lower + "/file", ""));
  {
    sys::OverlaySpec spec{.lowers = {lower}, .upper = upper, .work = work};
    spec.userxattr = sys::is_rootless();
    spec.volatile_upper = true;
    const auto mount = TRY(sys::Mount::overlay(spec, merged));
    TRY(sys::remove_file(merged + "/file"));
  }
  struct stat status;
  if (::lstat((upper + "/file").c_str(), &status) != 0 || !S_ISCHR(status.st_mode) || status.st_rdev != 0)
    return fail(Errc::unsupported, "overlayfs here does not mark deleted files as expected");
  return {};
}

}  // namespace mica::snapshot
