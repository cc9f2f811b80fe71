#include "snapshot/layer_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "snapshot/open_below.h"
#include "sys/userns.h"

namespace mica::snapshot {
namespace {

constexpr std::size_t kCachedFolders = 32;
constexpr mode_t kFolderMode = 0700;  // until the end

/// Reading it with umask(2) would change it for the other threads.
mode_t process_umask() {
  const auto status = sys::read_file("/proc/self/status", 64 << 10);
  if (!status) return 0777;
  constexpr std::string_view kField = "\nUmask:";
  const auto at = status->find(kField);
  if (at == status->npos) return 0777;
  const std::string_view rest = std::string_view(*status).substr(at + kField.size());
  const auto value = parse_octal(trim(rest.substr(0, rest.find('\n'))));
  return value ? static_cast<mode_t>(*value & 0777) : 0777;
}

timespec time_of(std::int64_t ns) {
  const Timestamp time{ns};
  return {.tv_sec = time.seconds(), .tv_nsec = time.nanos()};
}

std::unexpected<Error> owner_error(int os, const Meta& meta) {
  Error error = Error::os(os, format("giving it to {}:{}", meta.uid, meta.gid));
  if (os == EINVAL && sys::is_rootless())
    error = std::move(error)
                .with_code(Errc::unsupported)
                .with_hint("the id is outside of the ranges in /etc/subuid and /etc/subgid: give this user more subordinate ids");
  return fail(std::move(error));
}

bool cannot_hold(int os) { return os == ENOTSUP || os == EPERM; }

mode_t kind_of(Type type) {
  switch (type) {
    case Type::char_device:
    case Type::whiteout:
      return S_IFCHR;
    case Type::block_device:
      return S_IFBLK;
    default:
      return S_IFIFO;
  }
}

/// Sets every attribute of `packed` through `set`, which returns an errno or 0.
template <class Set>
Result<std::string> set_attributes(const std::string& packed, Set set) {
  std::vector<sys::Xattr> kept;
  bool all = true;
  for (auto& attribute : unpack_xattrs(packed)) {
    const int os = set(attribute);
    if (os == 0) {
      kept.push_back(std::move(attribute));
      continue;
    }
    if (!cannot_hold(os)) return fail(Error::os(os, format("setting its attribute {}", quoted(attribute.name))));
    log::debug("attribute {} left out: {}", attribute.name, std::strerror(os));
    all = false;
  }
  return all ? packed : pack_xattrs(kept);
}

}  // namespace

std::pair<std::string_view, std::string_view> split_path(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == path.npos) return {{}, path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

bool is_below(std::string_view path, std::string_view folder) {
  return folder.empty() || (path.size() > folder.size() && path[folder.size()] == '/' && path.starts_with(folder));
}

std::string layer_xattrs(std::string packed) {
  if (packed.empty()) return packed;
  auto attributes = unpack_xattrs(packed);
  std::erase_if(attributes, [](const sys::Xattr& attribute) { return !is_layer_xattr(attribute.name); });
  return pack_xattrs(attributes);
}

Result<LayerDisk> LayerDisk::open(const std::string& fs) {
  auto root = TRY_DOING(sys::open(fs, O_RDONLY | O_DIRECTORY), "opening the layer folder");
  LayerDisk disk(std::move(root));
  const auto status = TRY(sys::stat_fd(disk.root_));
  disk.uid_ = status.st_uid;
  disk.gid_ = status.st_gid;
  disk.umask_ = process_umask();
  // A default access list on the state folder would show in every file of every layer.
  ::fremovexattr(disk.root_.get(), "system.posix_acl_default");
  ::fremovexattr(disk.root_.get(), "system.posix_acl_access");
  return disk;
}

Result<const sys::Fd*> LayerDisk::folder(std::string_view path) {
  if (path.empty()) return &root_;
  ++clock_;
  Cached* oldest = nullptr;
  for (auto& cached : cache_) {
    if (cached.path == path) {
      cached.used = clock_;
      return &cached.fd;
    }
    if (!oldest || cached.used < oldest->used) oldest = &cached;
  }
  auto fd = TRY(open_folder(path));
  if (cache_.size() < kCachedFolders) {
    cache_.reserve(kCachedFolders);
    oldest = &cache_.emplace_back();
  }
  *oldest = {.path = std::string(path), .fd = std::move(fd), .used = clock_};
  return &oldest->fd;
}

void LayerDisk::forget(std::string_view path) {
  std::erase_if(cache_, [&](const Cached& cached) { return cached.path == path || is_below(cached.path, path); });
}

Result<sys::Fd> LayerDisk::open_folder(std::string_view path) const { return open_below(root_, path, O_PATH | O_DIRECTORY); }

Result<sys::Fd> LayerDisk::create_file(const sys::Fd& folder, const std::string& name, const Meta& meta) const {
  return sys::open_at(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, static_cast<int>(meta.mode & 0777));
}

Result<std::string> LayerDisk::seal_file(const sys::Fd& file, const Meta& meta) const {
  // chown clears setuid bits and capabilities: first it, then mode, then attributes.
  if (needs_owner(meta) && ::fchown(file.get(), meta.uid, meta.gid) != 0) return owner_error(errno, meta);
  if (needs_mode(meta) && ::fchmod(file.get(), meta.mode & 07777) != 0) return fail_errno("setting its mode");
  std::string kept;
  if (!meta.xattrs.empty())
    kept = TRY(set_attributes(meta.xattrs, [&](const sys::Xattr& attribute) {
      return ::fsetxattr(file.get(), attribute.name.c_str(), attribute.value.data(), attribute.value.size(), 0) == 0 ? 0 : errno;
    }));
  const timespec times[2] = {time_of(meta.mtime_ns), time_of(meta.mtime_ns)};
  if (::futimens(file.get(), times) != 0) return fail_errno("setting its time");
  return kept;
}

Result<> LayerDisk::make_folder(const sys::Fd& folder, const std::string& name) const {
  if (::mkdirat(folder.get(), name.c_str(), kFolderMode) != 0) return fail_errno("making the folder");
  return {};
}

Result<> LayerDisk::make_symlink(const sys::Fd& folder, const std::string& name, const std::string& target) const {
  if (::symlinkat(target.c_str(), folder.get(), name.c_str()) != 0) return fail_errno("making the symbolic link");
  return {};
}

Result<> LayerDisk::make_device(const sys::Fd& folder, const std::string& name, Type type, std::uint64_t device) const {
  if (::mknodat(folder.get(), name.c_str(), kind_of(type) | 0600, static_cast<dev_t>(device)) != 0)
    return fail_errno("making the device");
  return {};
}

Result<std::string> LayerDisk::label(const sys::Fd& folder, const std::string& name, Type type, const Meta& meta,
                                     bool fresh) const {
  if ((!fresh || needs_owner(meta)) && ::fchownat(folder.get(), name.c_str(), meta.uid, meta.gid, AT_SYMLINK_NOFOLLOW) != 0)
    return owner_error(errno, meta);
  if (type != Type::symlink && ::fchmodat(folder.get(), name.c_str(), meta.mode & 07777, 0) != 0)
    return fail_errno("setting its mode");
  std::string kept;
  if (!meta.xattrs.empty())
    kept = TRY(set_attributes(meta.xattrs, [&](const sys::Xattr& attribute) {
      const auto set = sys::set_xattr_at(folder, name, attribute);
      return set ? 0 : (set.error().os_number() ? set.error().os_number() : EIO);
    }));
  TRY(sys::set_times_at(folder, name, meta.mtime_ns));
  return kept;
}

Result<> LayerDisk::mark_opaque(const sys::Fd& folder, const std::string& name) const {
  const auto mark = [&](const char* attribute) { return sys::set_xattr_at(folder, name, {attribute, "y"}); };
  if (!sys::is_rootless()) {
    auto marked = mark("trusted.overlay.opaque");
    // Root of a container without CAP_SYS_ADMIN: no overlay mounts there either, but our own readers know both spellings.
    if (marked || marked.error().os_number() != EPERM) return marked;
  }
  return mark("user.overlay.opaque");
}

}  // namespace mica::snapshot
