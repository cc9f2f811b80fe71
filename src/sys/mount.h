/// Mounts, detached when their object dies. Uses fsopen/fsconfig/fsmount and move_mount; one `lowerdir+` call a layer where
/// the kernel has it, so that hundreds of layers mount; else one lowerdir= string that names layers by descriptor.
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "sys/fd.h"

namespace mica::sys {

struct OverlaySpec {
  std::vector<std::string> lowers;   ///< top-most first; absolute paths
  std::string upper;                 ///< empty: read-only mount
  std::string work;                  ///< empty folder on the file system of `upper`
  bool userxattr = false;            ///< user.overlay.* marks: needed in a user namespace
  bool volatile_upper = false;       ///< skip syncs of copied-up files; the caller syncs what it keeps
};

/// A mounted filesystem.
class Mount {
 public:
  /// One lower and no upper is a plain read-only bind mount of that lower (overlayfs wants two); an upper without lowers is a
  /// writable bind mount of it, in which nothing needs a whiteout. Redirects, metacopy and index are off: the upper folder holds
  /// plain overlay form. Errors: not_found, permission_denied, unsupported (file system or kernel cannot; use another way).
  static Result<Mount> overlay(const OverlaySpec& spec, const std::string& target);
  static Result<Mount> bind(const std::string& source, const std::string& target, bool read_only, bool recursive = false);
  /// `options` as "size=64m,mode=0755,noexec"; nosuid and nodev unless they say suid, dev.
  static Result<Mount> tmpfs(const std::string& target, std::string_view options);
  Mount(Mount&&) noexcept;
  Mount& operator=(Mount&&) noexcept;
  ~Mount();                       ///< lazy unmount
  const std::string& target() const { return target_; }
  Result<> unmount() &&;          ///< for callers that must know that it worked; EBUSY falls back to lazy only in the destructor

 private:
  explicit Mount(std::string target) : target_(std::move(target)) {}
  std::string target_;
};

/// Enters a new mount namespace whose mounts do not propagate back (MS_SLAVE). Call before any thread is started. After it,
/// every mount this process makes vanishes with the process, even after kill -9.
Result<> enter_private_mount_namespace();

}  // namespace mica::sys
