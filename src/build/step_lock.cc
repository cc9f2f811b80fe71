#include "build/step_lock.h"

#include <sys/stat.h>
#include <unistd.h>

namespace mica::build {
namespace {

/// True when `path` still names the file that is locked.
bool is_current(const std::string& path, const sys::FileLock& lock) {
  struct stat named {};
  const auto held = sys::stat_fd(lock.fd());
  return held && ::stat(path.c_str(), &named) == 0 && named.st_ino == held->st_ino && named.st_dev == held->st_dev;
}

}  // namespace

Result<StepLock> StepLock::acquire(const std::string& folder, const std::string& strong, task::Cancel cancel, bool& waited) {
  const std::string path = folder + "/step-" + strong.substr(0, 32);
  waited = false;
  TRY(sys::make_directories(folder));
  for (;;) {
    auto lock = sys::FileLock::try_acquire(path, sys::LockMode::exclusive);
    if (!lock && lock.error().code() == Errc::conflict) {
      waited = true;
      lock = sys::FileLock::acquire(path, sys::LockMode::exclusive, cancel.fd());
    }
    if (!lock) return fail(std::move(lock).error());
    if (is_current(path, *lock)) return StepLock(path, std::move(*lock));
    waited = true;
  }
}

StepLock::~StepLock() {
  if (lock_.fd()) ::unlink(path_.c_str());
}

}  // namespace mica::build
