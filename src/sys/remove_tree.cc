/// Removing a tree. The walk holds a descriptor for every level, but at most kOpenLevels of them: deeper down the upper ones are
/// closed and found again through "..", checked by device and inode so that a tree moved meanwhile cannot lead us elsewhere. Names
/// are opened with RESOLVE_NO_XDEV, which also sees bind mounts of the same file system.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "sys/entries.h"
#include "sys/fd.h"
#include "sys/kernel.h"
#include "sys/os_failure.h"

namespace mica::sys {

namespace {
constexpr std::size_t kOpenLevels = 48;

class Remover {
 public:
  Remover(int dir, std::string_view shown) : dir_(dir), shown_(shown) {}

  Result<> remove(const std::string& name) {
    if (::unlinkat(dir_, name.c_str(), 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR) return os_failure("removing", shown_);
    TRY(enter(name));
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.folders.empty()) {
        TRY(leave());
        continue;
      }
      const std::string next = std::move(level.folders.back());
      level.folders.pop_back();
      TRY(enter(next));
    }
    return {};
  }

 private:
  struct Level {
    std::string name;
    Fd fd;                             // closed when more than kOpenLevels are below
    dev_t device = 0;                  // known once closed
    ino_t inode = 0;
    std::vector<std::string> folders;  // still to be removed
    int scans = 0;
  };

  int parent_fd() const { return levels_.empty() ? dir_ : levels_.back().fd.get(); }

  std::string path(std::string_view last) const {
    std::string out(shown_);
    for (std::size_t i = 1; i < levels_.size(); ++i) out += "/" + levels_[i].name;
    if (!levels_.empty() && !last.empty()) out += "/" + std::string(last);
    return out;
  }

  Result<> enter(const std::string& name) {
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    constexpr auto kResolve = RESOLVE_NO_XDEV | RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    const int parent = parent_fd();
    Fd fd(openat2(parent, name.c_str(), kFlags, 0, kResolve));
    if (!fd && errno == EACCES) {
      // Our own folder closed to us, or the one it is in: open both. The C library goes over /proc, not over the link.
      if (!levels_.empty()) ::fchmod(parent, 0700);
      ::fchmodat(parent, name.c_str(), 0700, AT_SYMLINK_NOFOLLOW);
      fd = Fd(openat2(parent, name.c_str(), kFlags, 0, kResolve));
    }
    if (!fd) {
      if (errno == ENOENT) return {};
      if (errno == EXDEV) return failf(Errc::conflict, "removing {}: it is a mount point", quoted(path(name)));
      return os_failure("removing", path(name));
    }
    if (levels_.size() >= kOpenLevels) TRY(close_level(levels_[levels_.size() - kOpenLevels]));
    levels_.push_back({.name = name, .fd = std::move(fd)});
    return scan();
  }

  Result<> close_level(Level& level) {
    if (!level.fd) return {};
    const struct stat info = TRY(stat_fd(level.fd));
    level.device = info.st_dev;
    level.inode = info.st_ino;
    level.fd.reset();
    return {};
  }

  /// Removes the files of the last level and notes its folders.
  Result<> scan() {
    Level& level = levels_.back();
    ++level.scans;
    EntryReader reader(level.fd.get());
    for (Entry entry; reader.next(entry);) {
      if (entry.type == DT_DIR) {
        level.folders.emplace_back(entry.name);
        continue;
      }
      int result = ::unlinkat(level.fd.get(), entry.name.data(), 0);
      if (result != 0 && errno == EACCES && ::fchmod(level.fd.get(), 0700) == 0)
        result = ::unlinkat(level.fd.get(), entry.name.data(), 0);
      if (result == 0 || errno == ENOENT) continue;
      if (errno != EISDIR) return os_failure("removing", path(entry.name));
      level.folders.emplace_back(entry.name);
    }
    if (reader.failed()) return os_failure("listing", path(""));
    return {};
  }

  Result<> leave() {
    Level& level = levels_.back();
    if (levels_.size() > 1 && !levels_[levels_.size() - 2].fd) TRY(reopen(levels_[levels_.size() - 2], level.fd.get()));
    const int parent = levels_.size() > 1 ? levels_[levels_.size() - 2].fd.get() : dir_;
    int result = ::unlinkat(parent, level.name.c_str(), AT_REMOVEDIR);
    if (result != 0 && errno == EACCES && levels_.size() > 1 && ::fchmod(parent, 0700) == 0)
      result = ::unlinkat(parent, level.name.c_str(), AT_REMOVEDIR);
    if (result == 0 || errno == ENOENT) {
      levels_.pop_back();
      return {};
    }
    // Removing while reading hides entries on some file systems: look again, but not for ever against one who keeps adding.
    constexpr int kScans = 16;
    if (errno == ENOTEMPTY && level.scans < kScans && ::lseek(level.fd.get(), 0, SEEK_SET) == 0) return scan();
    return os_failure("removing", path(""));
  }

  Result<> reopen(Level& level, int child) {
    Fd fd(::openat(child, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return os_failure("removing", path(""));
    const struct stat info = TRY(stat_fd(fd));
    if (info.st_dev != level.device || info.st_ino != level.inode)
      return failf(Errc::conflict, "removing {}: it was moved meanwhile", quoted(path("")));
    level.fd = std::move(fd);
    return {};
  }

  int dir_;
  std::string_view shown_;
  std::vector<Level> levels_;
};

/// Splits off the last name, so that mounts and links on the way to it are followed and only those below are not.
Result<> remove_in(int dir, const std::string& path) {
  const std::string_view trimmed = trim_right(path, "/");
  const std::size_t slash = trimmed.rfind('/');
  const std::string name(trimmed.substr(slash + 1));
  if (name.empty() || name == "." || name == "..") return failf(Errc::invalid_argument, "refusing to remove {}", quoted(path));
  if (slash == std::string_view::npos) return Remover(dir, path).remove(name);
  const std::string folder(trimmed.substr(0, slash + 1));
  const Fd parent(::openat(dir, folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!parent) {
    if (errno == ENOENT) return {};
    return os_failure("removing", path);
  }
  return Remover(parent.get(), path).remove(name);
}
}  // namespace

Result<> remove_tree(const std::string& path) { return remove_in(AT_FDCWD, path); }

Result<> remove_tree_at(const Fd& dir, const std::string& name) { return remove_in(dir.get(), name); }

}  // namespace mica::sys
