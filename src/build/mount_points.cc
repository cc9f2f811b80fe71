#include "build/mount_points.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"

namespace mica::build {
namespace {

using snapshot::Entry;
using snapshot::Type;

constexpr std::string_view kRuntimeOwn[] = {"proc", "sys", "dev"};

bool is_runtime_own(std::string_view path) {
  return std::any_of(std::begin(kRuntimeOwn), std::end(kRuntimeOwn),
                     [&](std::string_view own) { return path == own || (path.starts_with(own) && path[own.size()] == '/'); });
}

/// Makes one entry below `root` with the owner, mode, times and attributes that it says.
Result<> make(const sys::Fd& root, const Entry& entry) {
  if (entry.type == Type::directory) {
    if (::mkdirat(root.get(), entry.path.c_str(), 0755) != 0) return fail_errno(format("making mount point {}", entry.path));
  } else {
    TRY_DOING(sys::open_at(root, entry.path, O_CREAT | O_EXCL | O_WRONLY), format("making mount point {}", entry.path));
  }
  if ((entry.uid != 0 || entry.gid != 0) && ::fchownat(root.get(), entry.path.c_str(), entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno(format("giving mount point {} its owner", entry.path));
  if (::fchmodat(root.get(), entry.path.c_str(), entry.mode, 0) != 0) return fail_errno(format("giving mount point {} its mode", entry.path));
  for (const auto& attribute : snapshot::unpack_xattrs(entry.xattrs)) TRY(sys::set_xattr_at(root, entry.path, attribute));
  return {};
}

}  // namespace

Result<std::optional<snapshot::TreeView::Layer>> make_mount_points(const snapshot::TreeView& tree, const std::vector<MountPoint>& points,
                                                                   const std::string& folder) {
  std::map<std::string, Entry> entries;
  const std::int64_t time = now().ns;
  for (const MountPoint& point : points) {
    const std::string path = TRY(tree.resolve(point.path));
    if (path.empty() || is_runtime_own(path) || tree.find(path)) continue;
    for (std::size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
      const std::string parent = path.substr(0, slash);
      const auto below = tree.find(parent);
      if (below && below->entry.type != Type::directory) return failf(Errc::invalid_argument, "mounting at {}: /{} is not a folder", point.path, parent);
      entries.try_emplace(parent, below ? Entry::of(below->entry) : Entry{.path = parent, .type = Type::directory, .mode = 0755, .mtime_ns = time});
    }
    entries.try_emplace(path, Entry{.path = path, .type = point.is_file ? Type::file : Type::directory, .mode = point.is_file ? 0644u : 0755u, .mtime_ns = time,
                                    .digest = sha256("")});
  }
  if (entries.empty()) return std::optional<snapshot::TreeView::Layer>();
  TRY(sys::make_directories(folder));
  const auto root = TRY(sys::open(folder, O_RDONLY | O_DIRECTORY));
  std::vector<Entry> list;
  for (auto& [path, entry] : entries) {
    entry.opaque = false;
    TRY(make(root, entry));
    list.push_back(entry);
  }
  for (auto entry = list.rbegin(); entry != list.rend(); ++entry) TRY(sys::set_times_at(root, entry->path, entry->mtime_ns));
  return std::optional(snapshot::TreeView::Layer{.listing = snapshot::Listing::build(std::move(list)), .directory = folder});
}

}  // namespace mica::build
