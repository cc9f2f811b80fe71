#include "snapshot/container_root.h"

#include <sys/stat.h>

#include "base/format.h"
#include "snapshot/copy_snapshotter.h"
#include "sys/userns.h"

namespace mica::snapshot {
namespace {

constexpr const char* kCopied = "/copied";

}  // namespace

Result<> make_container_root(LayerStore& layers, const Chain& chain, const std::string& folder, bool copy, task::Pool& pool, task::Cancel cancel) {
  if (copy) {
    const auto tree = TRY(layers.view(chain));
    auto staged = TRY(layers.stage());
    if (::chmod(staged.fs().c_str(), 0755) != 0) return fail_errno("preparing the root folder");
    TRY_DOING(copy_tree(tree, staged, pool, cancel), "copying the root filesystem");
    TRY(sys::rename(staged.fs(), folder + "/fs"));
    TRY(sys::write_file(folder + kCopied, ""));
  } else {
    TRY(sys::make_directories(folder + "/fs", 0755));
    TRY(sys::make_directories(folder + "/work", 0700));
    // The root's own mode and owner are the upper folder's, whatever our umask.
    if (::chmod((folder + "/fs").c_str(), 0755) != 0) return fail_errno("preparing the root folder");
  }
  return sys::make_directories(folder + "/merged", 0755);
}

Result<sys::Mount> mount_container_root(LayerStore& layers, const Chain& chain, const std::string& folder) {
  const std::string target = folder + "/merged";
  if (!has_overlay_changes(folder)) return sys::Mount::bind(folder + "/fs", target, false);
  sys::OverlaySpec spec{.upper = folder + "/fs", .work = folder + "/work", .userxattr = sys::is_rootless()};
  for (auto layer = chain.rbegin(); layer != chain.rend(); ++layer) spec.lowers.push_back(layers.directory(*layer));
  return sys::Mount::overlay(spec, target);
}

bool has_overlay_changes(const std::string& folder) { return !sys::exists(folder + kCopied); }

}  // namespace mica::snapshot
