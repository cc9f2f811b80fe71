/// What changed in a tree on disk, without reading any content.
#pragma once
#include <sys/stat.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "sys/fd.h"
#include "task/task.h"

namespace mica::snapshot {

/// A file's inode and times. Whatever is done to it moves its ctime, which nobody can set.
struct Stamp {
  std::string path;
  bool is_folder = false;
  ino_t inode = 0;
  std::int64_t ctime_ns = 0, mtime_ns = 0;
  bool is_same_file(const Stamp& other) const {
    return inode == other.inode && ctime_ns == other.ctime_ns && mtime_ns == other.mtime_ns && is_folder == other.is_folder;
  }
};
/// Sorted by path; the root itself is not in it.
using Stamps = std::vector<Stamp>;

Result<Stamps> stamp_tree(const sys::Fd& root, task::Cancel cancel);
/// Returns when the file system's clock has passed all these times, so that a change made from now on gets a later one.
void wait_past(const Stamps& stamps);
/// Turns the tree into a layer in overlay form over what `before` describes: removes what is as it was then, and hides what was
/// there and is gone. Folders with changes below stay.
Result<> keep_changes(const sys::Fd& root, const Stamps& before, task::Cancel cancel);

}  // namespace mica::snapshot
