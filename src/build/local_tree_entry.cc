#include "build/local_tree_entry.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/format.h"

namespace mica::build {
namespace {

using snapshot::Type;

std::int64_t ns_of(const timespec& time) { return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec; }

Type type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return Type::directory;
    case S_IFLNK:
      return Type::symlink;
    case S_IFCHR:
      return Type::char_device;
    case S_IFBLK:
      return Type::block_device;
    case S_IFIFO:
      return Type::fifo;
    default:
      return Type::file;
  }
}

/// Never 0. Two files of different devices may get the same number; whoever links compares more than it.
std::uint64_t group_of(const struct stat& status) {
  const std::uint64_t mixed = status.st_ino ^ (static_cast<std::uint64_t>(status.st_dev) * 0x9e3779b97f4a7c15u);
  return mixed ? mixed : 1;
}

/// What a context sends. Docker's client leaves out what macOS puts on files; what the host's security modules put on them is not
/// ours to send either.
Result<std::string> context_xattrs(const sys::Fd& folder, const std::string& name) {
  auto attributes = TRY(sys::xattrs_at(folder, name));
  if (attributes.empty()) return std::string();
  std::erase_if(attributes, [](const sys::Xattr& attribute) {
    return attribute.name.starts_with("com.apple.") || !snapshot::is_layer_xattr(attribute.name);
  });
  return snapshot::pack_xattrs(attributes);
}

}  // namespace

FileStamp stamp_of(const struct stat& status) {
  return {status.st_ino, static_cast<std::uint64_t>(status.st_size), ns_of(status.st_mtim), ns_of(status.st_ctim)};
}

const RememberedFile* find_in(const std::vector<RememberedFile>& memory, std::string_view name) {
  const auto at = std::lower_bound(memory.begin(), memory.end(), name,
                                   [](const RememberedFile& file, std::string_view wanted) { return file.name < wanted; });
  return at != memory.end() && at->name == name ? &*at : nullptr;
}

Error may_be_ignored(Error error, std::string_view path) {
  if (error.code() != Errc::permission_denied || path.empty()) return error;
  return std::move(error).with_hint(format("if the build does not need it, list {} in .dockerignore", path));
}

Result<std::optional<LocalEntry>> look_at(const sys::Fd& folder, std::string name, const std::vector<RememberedFile>& memory) {
  struct stat status;
  if (::fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT || errno == ENAMETOOLONG) return std::nullopt;
    return fail_errno("looking at it");
  }
  LocalEntry entry{.name = std::move(name),
                   .type = type_of(status.st_mode),
                   .is_socket = S_ISSOCK(status.st_mode),
                   .mode = status.st_mode & 07777u,
                   .stamp = stamp_of(status)};
  if (S_ISREG(status.st_mode)) {
    if (status.st_nlink > 1) entry.inode_group = group_of(status);
    if (const RememberedFile* known = find_in(memory, entry.name); known && known->stamp == entry.stamp) {
      entry.digest = known->digest;
      entry.xattrs = known->xattrs;
      entry.remembered = true;
      return entry;
    }
  } else if (entry.type == Type::char_device || entry.type == Type::block_device) {
    entry.device = status.st_rdev;
  } else if (entry.type == Type::symlink) {
    auto link = sys::read_link_at(folder, entry.name);
    if (!link && link.error().code() == Errc::not_found) return std::nullopt;
    if (!link) return fail(std::move(link).error());
    entry.link = std::move(*link);
  }
  auto xattrs = context_xattrs(folder, entry.name);
  if (!xattrs && xattrs.error().code() == Errc::not_found) return std::nullopt;
  if (!xattrs) return fail(std::move(xattrs).error());
  entry.xattrs = std::move(*xattrs);
  return entry;
}

}  // namespace mica::build
