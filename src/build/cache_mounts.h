/// Cache mounts of RUN: folders that live on between builds, `cache-mounts/<name>/{data,lock,mount.json}`.
///
/// `shared` takes the lock in shared mode; `locked` waits for it alone; `private` takes a folder of its own when the first is in use
/// (`<name>.2`, ...). mount.json tells people what it is: {"id":…,"target":…,"used_ns":…}.
#pragma once
#include <functional>
#include <string>

#include "base/error.h"
#include "dockerfile/tree.h"
#include "sys/lock.h"
#include "task/task.h"

namespace mica::build {

struct CacheMountRequest {
  std::string key;                       ///< equal keys: equal folder
  std::string id, target;
  dockerfile::Sharing sharing = dockerfile::Sharing::shared;
  std::uint32_t mode = 0755, uid = 0, gid = 0;   ///< of a new folder
  std::function<Result<>(const std::string& folder)> seed;   ///< fills a new folder; may be empty
};

/// In use until it dies.
struct CacheMount {
  std::string path;                      ///< the data folder
  sys::FileLock lock;
};

/// Errors: cancelled (while waiting), those of `seed`.
Result<CacheMount> open_cache_mount(const std::string& root, const CacheMountRequest& request, task::Cancel cancel);

}  // namespace mica::build
