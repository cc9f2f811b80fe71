#include "snapshot/tree_stamps.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "snapshot/layer_disk.h"
#include "snapshot/open_below.h"

namespace mica::snapshot {
namespace {

std::int64_t nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

/// The entry at this path, or null.
const Stamp* find(const Stamps& stamps, std::string_view path) {
  const auto at = std::lower_bound(stamps.begin(), stamps.end(), path,
                                   [](const Stamp& stamp, std::string_view wanted) { return stamp.path < wanted; });
  return at != stamps.end() && at->path == path ? &*at : nullptr;
}

/// Calls on names in folders that come in runs.
class Names {
 public:
  explicit Names(const sys::Fd& root) : root_(root) {}
  Result<const sys::Fd*> folder_of(std::string_view path) {
    const std::string_view folder = split_path(path).first;
    if (!folder_ || folder != folder_path_) {
      folder_ = TRY(open_below(root_, folder, O_PATH | O_DIRECTORY));
      folder_path_ = folder;
    }
    return &folder_;
  }

 private:
  const sys::Fd& root_;
  sys::Fd folder_;
  std::string folder_path_;
};

class Pruner {
 public:
  Pruner(const sys::Fd& root, const Stamps& before, Stamps after)
      : before_(before), after_(std::move(after)), keep_(after_.size()), names_(root) {}

  Result<> run() {
    find_changes();
    find_deletions();
    for (std::size_t i = after_.size(); i-- > 0;)
      if (!keep_[i]) TRY_DOING(remove(after_[i]), format("removing {}", quoted(after_[i].path)));
    for (const auto path : deleted_) TRY_DOING(hide(path), format("hiding {}", quoted(path)));
    for (std::size_t i = 0; i < after_.size(); ++i) {
      if (!keep_[i] || !after_[i].is_folder) continue;
      const sys::Fd* folder = TRY(names_.folder_of(after_[i].path));
      TRY(sys::set_times_at(*folder, name_of(after_[i].path), after_[i].mtime_ns));
    }
    return {};
  }

 private:
  static std::string name_of(std::string_view path) { return std::string(split_path(path).second); }

  void find_changes() {
    auto was = before_.begin();
    for (std::size_t i = 0; i < after_.size(); ++i) {
      while (was != before_.end() && was->path < after_[i].path) ++was;
      if (was != before_.end() && was->path == after_[i].path && was->is_same_file(after_[i])) continue;
      keep_[i] = true;
      keep_above(after_[i].path);
    }
  }
  /// Of a deleted folder only the folder itself.
  void find_deletions() {
    for (const Stamp& was : before_) {
      if (find(after_, was.path)) continue;
      const std::string_view parent = split_path(was.path).first;
      const Stamp* now = parent.empty() ? nullptr : find(after_, parent);
      if (!parent.empty() && (!now || !now->is_folder)) continue;
      deleted_.push_back(was.path);
      keep_above(was.path);
    }
  }
  void keep_above(std::string_view path) {
    for (path = split_path(path).first; !path.empty(); path = split_path(path).first) {
      const auto folder = static_cast<std::size_t>(find(after_, path) - after_.data());
      if (keep_[folder]) return;
      keep_[folder] = true;
    }
  }

  Result<> remove(const Stamp& stamp) {
    const sys::Fd* folder = TRY(names_.folder_of(stamp.path));
    if (::unlinkat(folder->get(), name_of(stamp.path).c_str(), stamp.is_folder ? AT_REMOVEDIR : 0) != 0)
      return fail_errno("unlinking");
    return {};
  }
  Result<> hide(std::string_view path) {
    const sys::Fd* folder = TRY(names_.folder_of(path));
    if (::mknodat(folder->get(), name_of(path).c_str(), S_IFCHR, makedev(0, 0)) != 0) return fail_errno("making a whiteout");
    return {};
  }

  const Stamps& before_;
  const Stamps after_;
  std::vector<bool> keep_;
  std::vector<std::string_view> deleted_;
  Names names_;
};

}  // namespace

Result<Stamps> stamp_tree(const sys::Fd& root, task::Cancel cancel) {
  Stamps stamps;
  std::vector<std::string> folders = {""};
  while (!folders.empty()) {
    TRY(cancel.check());
    const std::string path = std::move(folders.back());
    folders.pop_back();
    const auto list = [&]() -> Result<> {
      const auto folder = TRY(open_below(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      const auto names = TRY(sys::list_names(folder));
      for (const auto& name : names) {
        const auto status = TRY(sys::lstat_at(folder, name));
        Stamp stamp{
            .path = path.empty() ? name : path + "/" + name, .is_folder = S_ISDIR(status.st_mode), .inode = status.st_ino};
        stamp.ctime_ns = nanoseconds(status.st_ctim);
        stamp.mtime_ns = nanoseconds(status.st_mtim);
        if (stamp.is_folder) folders.push_back(stamp.path);
        stamps.push_back(std::move(stamp));
      }
      return {};
    };
    TRY_DOING(list(), format("looking through {}", quoted("/" + path)));
  }
  std::sort(stamps.begin(), stamps.end(), [](const Stamp& a, const Stamp& b) { return a.path < b.path; });
  return stamps;
}

void wait_past(const Stamps& stamps) {
  std::int64_t newest = 0;
  for (const Stamp& stamp : stamps) newest = std::max(newest, stamp.ctime_ns);
  timespec now;
  // The clock that file times are taken from, which ticks every few milliseconds. It may have been set back: no waiting then.
  for (int tries = 0; tries < 50; ++tries) {
    if (::clock_gettime(CLOCK_REALTIME_COARSE, &now) != 0 || nanoseconds(now) > newest) return;
    ::poll(nullptr, 0, 1);
  }
}

Result<> keep_changes(const sys::Fd& root, const Stamps& before, task::Cancel cancel) {
  Stamps after = TRY(stamp_tree(root, cancel));
  return Pruner(root, before, std::move(after)).run();
}

}  // namespace mica::snapshot
