#include "sys/lock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>

#include "sys/os_failure.h"

namespace mica::sys {

namespace {
constexpr int kFirstWaitMs = 1, kLongestWaitMs = 25;

/// False when somebody else holds it.
Result<bool> lock_now(const Fd& fd, const std::string& path, int operation) {
  while (::flock(fd.get(), operation) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) return os_failure("locking", path);
  }
  return true;
}

/// Whoever cleans up may have removed the file between our open and our lock; a lock on a file without a name excludes nobody.
Result<bool> is_still_named(const Fd& fd, const std::string& path) {
  const struct stat ours = TRY(stat_fd(fd));
  struct stat named;
  return ::stat(path.c_str(), &named) == 0 && named.st_dev == ours.st_dev && named.st_ino == ours.st_ino;
}

/// There is no flock that poll can wait for, so with a stop descriptor the lock is asked for again and again.
Result<> lock_or_stop(const Fd& fd, const std::string& path, int operation, int stop_fd) {
  pollfd stop{.fd = stop_fd, .events = POLLIN};
  for (int wait_ms = kFirstWaitMs;; wait_ms = std::min(wait_ms * 2, kLongestWaitMs)) {
    if (TRY(lock_now(fd, path, operation | LOCK_NB))) return {};
    if (::poll(&stop, 1, wait_ms) > 0) return failf(Errc::cancelled, "cancelled while waiting for the lock {}", quoted(path));
  }
}

enum class Wait { no, yes };

Result<Fd> lock(const std::string& path, LockMode mode, Wait wait, int stop_fd) {
  const int operation = mode == LockMode::shared ? LOCK_SH : LOCK_EX;
  while (true) {
    Fd fd = TRY(open(path, O_RDWR | O_CREAT, 0600));
    if (!TRY(lock_now(fd, path, operation | LOCK_NB))) {
      if (wait == Wait::no) return failf(Errc::conflict, "{} is locked by another process", quoted(path));
      if (stop_fd >= 0) TRY(lock_or_stop(fd, path, operation, stop_fd));
      else TRY(lock_now(fd, path, operation));
    }
    if (TRY(is_still_named(fd, path))) return fd;
  }
}
}  // namespace

Result<FileLock> FileLock::acquire(const std::string& path, LockMode mode, int stop_fd) {
  return FileLock(TRY(lock(path, mode, Wait::yes, stop_fd)));
}

Result<FileLock> FileLock::try_acquire(const std::string& path, LockMode mode) {
  return FileLock(TRY(lock(path, mode, Wait::no, -1)));
}

}  // namespace mica::sys
