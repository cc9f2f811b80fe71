/// One execution at a time of one step, over all threads and processes that use the store: who comes second waits, then finds the
/// first one's record.
#pragma once
#include <string>

#include "base/error.h"
#include "sys/lock.h"
#include "task/task.h"

namespace mica::build {

class StepLock {
 public:
  /// `folder`: the store's locks/. `waited` tells whether somebody else held it, so that the caller looks again for a record.
  /// Errors: cancelled, permission_denied.
  static Result<StepLock> acquire(const std::string& folder, const std::string& strong, task::Cancel cancel, bool& waited);
  StepLock(StepLock&&) noexcept = default;
  /// Removes the lock's file: a waiter that then gets a lock on a removed file starts over.
  ~StepLock();

 private:
  StepLock(std::string path, sys::FileLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  sys::FileLock lock_;
};

}  // namespace mica::build
