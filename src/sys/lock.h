/// Advisory file locks (flock, open file description), for coordination between mica processes. They vanish with the process.
#pragma once
#include <string>

#include "sys/fd.h"

namespace mica::sys {
enum class LockMode { shared, exclusive };

class FileLock {
 public:
  /// Creates the file if needed and waits for the lock. Interrupted by `stop_fd` (readable = stop) when >= 0: cancelled.
  static Result<FileLock> acquire(const std::string& path, LockMode mode, int stop_fd = -1);
  /// conflict when somebody else holds it.
  static Result<FileLock> try_acquire(const std::string& path, LockMode mode);
  FileLock(FileLock&&) noexcept = default;
  FileLock& operator=(FileLock&&) noexcept = default;
  const Fd& fd() const { return fd_; }

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};
}  // namespace mica::sys
