#include "sys/mount.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "base/text.h"
#include "sys/kernel.h"
#include "sys/mount_context.h"
#include "sys/os_failure.h"

namespace mica::sys {

namespace {
std::string mounting(std::string_view what, std::string_view target) { return format("mounting {} at {}", what, quoted(target)); }

/// For kernels before 5.12. The remount must name all flags the mount has: a user namespace may not drop them.
Result<> bind_the_old_way(const std::string& source, const std::string& target, bool read_only, bool recursive) {
  const unsigned long all = recursive ? MS_REC : 0;
  if (::mount(source.c_str(), target.c_str(), nullptr, MS_BIND | all, nullptr) != 0) return fail_errno(mounting(quoted(source), target));
  if (!read_only) return {};
  struct statvfs info;
  unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY;
  if (::statvfs(target.c_str(), &info) == 0) flags |= info.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_NOATIME | ST_NODIRATIME | ST_RELATIME);
  if (::mount(nullptr, target.c_str(), nullptr, flags, nullptr) == 0) return {};
  auto failed = fail_errno(format("making the mount at {} read-only", quoted(target)));
  ::umount2(target.c_str(), MNT_DETACH);
  return failed;
}

struct AttributeName {
  std::string_view name;
  unsigned set, clear;
};
constexpr AttributeName kAttributes[] = {
    {"rw", 0, MOUNT_ATTR_RDONLY},     {"ro", MOUNT_ATTR_RDONLY, 0},     {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"noexec", MOUNT_ATTR_NOEXEC, 0}, {"suid", 0, MOUNT_ATTR_NOSUID},   {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},     {"nodev", MOUNT_ATTR_NODEV, 0},   {"noatime", MOUNT_ATTR_NOATIME, 0},
    {"relatime", 0, 0},               {"diratime", 0, 0},               {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
};
}  // namespace

Result<Mount> Mount::bind(const std::string& source, const std::string& target, bool read_only, bool recursive) {
  const unsigned all = recursive ? AT_RECURSIVE : 0;
  const Fd tree(::open_tree(AT_FDCWD, source.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | all));
  if (!tree && errno != ENOSYS) return fail_errno(mounting(quoted(source), target));
  struct mount_attr attributes{.attr_set = read_only ? MOUNT_ATTR_RDONLY : 0u};
  if (!tree || ::mount_setattr(tree.get(), "", AT_EMPTY_PATH | all, &attributes, sizeof attributes) != 0) {
    if (errno != ENOSYS) return fail_errno(mounting(quoted(source), target));
    TRY(bind_the_old_way(source, target, read_only, recursive));
    return Mount(target);
  }
  if (::move_mount(tree.get(), "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0)
    return fail_errno(mounting(quoted(source), target));
  return Mount(target);
}

Result<Mount> Mount::tmpfs(const std::string& target, std::string_view options) {
  const auto context = TRY_DOING(MountContext::open("tmpfs"), mounting("a tmpfs", target));
  unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  for (const std::string_view option : split(options, ',')) {
    if (option.empty()) continue;
    const auto* known = std::find_if(std::begin(kAttributes), std::end(kAttributes), [&](const auto& one) { return one.name == option; });
    if (known != std::end(kAttributes)) {
      attributes = (attributes | known->set) & ~known->clear;
      continue;
    }
    const auto pair = split_once(option, '=');
    const auto set = pair ? context.set(std::string(pair->first), std::string(pair->second)) : context.set_flag(std::string(option));
    if (!set) return fail(Error(set.error()).doing(mounting("a tmpfs", target)));
  }
  TRY_DOING(context.mount_at(target, attributes), mounting("a tmpfs", target));
  return Mount(target);
}

Mount::Mount(Mount&& other) noexcept : target_(std::exchange(other.target_, {})) {}

Mount& Mount::operator=(Mount&& other) noexcept {
  std::swap(target_, other.target_);
  return *this;
}

Mount::~Mount() {
  if (target_.empty()) return;
  if (::umount2(target_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) log::debug("{}", Error::os(errno, format("unmounting {}", target_)).text());
}

Result<> Mount::unmount() && {
  if (::umount2(target_.c_str(), UMOUNT_NOFOLLOW) != 0) return os_failure("unmounting", target_);
  target_.clear();
  return {};
}

Result<> enter_private_mount_namespace() {
  if (::unshare(CLONE_NEWNS) != 0) return fail_errno("entering a mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr) != 0) return fail_errno("making mounts private");
  return {};
}

}  // namespace mica::sys
