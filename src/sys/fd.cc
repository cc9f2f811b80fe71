#include "sys/fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "sys/fault.h"
#include "sys/kernel.h"
#include "sys/os_failure.h"

namespace mica::sys {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

void Fd::reset() {
  if (fd_ < 0) return;
  // Destructors run between a failed call and the reading of its errno. close is not retried on EINTR: Linux has closed by then.
  const int saved = errno;
  ::close(release());
  errno = saved;
}

Result<Fd> Fd::duplicate() const {
  Fd copy(::fcntl(fd_, F_DUPFD_CLOEXEC, 3));
  if (!copy) return fail_errno("duplicating a file descriptor");
  return copy;
}

namespace {
Result<Fd> open_in(int dir, const std::string& path, int flags, int mode) {
  while (true) {
    Fd fd(::openat(dir, path.c_str(), flags | O_CLOEXEC, mode));
    if (fd) return fd;
    if (errno != EINTR) return os_failure("opening", path);
  }
}

Result<Fd> open_confined(const Fd& root, const std::string& path, int flags, int mode, unsigned long long resolve) {
  Fd fd(openat2(root.get(), path.c_str(), flags | O_CLOEXEC, mode, resolve));
  if (!fd) return os_failure("opening", path);
  return fd;
}
}  // namespace

Result<Fd> open(const std::string& path, int flags, int mode) { return open_in(AT_FDCWD, path, flags, mode); }

Result<Fd> open_at(const Fd& dir, const std::string& path, int flags, int mode) { return open_in(dir.get(), path, flags, mode); }

Result<Fd> open_beneath(const Fd& root, const std::string& path, int flags, int mode) {
  constexpr auto kResolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  if (path.empty()) return open_confined(root, "/", flags, mode, kResolve);
  return open_confined(root, path, flags, mode, kResolve);
}

Result<Fd> open_strict(const Fd& root, const std::string& path, int flags, int mode) {
  constexpr auto kResolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  if (path.empty()) return open_confined(root, ".", flags, mode, kResolve);
  return open_confined(root, path, flags, mode, kResolve);
}

Result<std::size_t> read_full(const Fd& fd, std::span<unsigned char> bytes) {
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t n = ::read(fd.get(), bytes.data() + filled, bytes.size() - filled);
    if (n == 0) break;
    if (n > 0) filled += static_cast<std::size_t>(n);
    else if (errno != EINTR) return fail_errno("reading");
  }
  return filled;
}

Result<> write_all(const Fd& fd, std::span<const unsigned char> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
    if (n >= 0) bytes = bytes.subspan(static_cast<std::size_t>(n));
    else if (errno != EINTR) return fail_errno("writing");
  }
  return {};
}

Result<> write_all(const Fd& fd, std::string_view bytes) {
  return write_all(fd, std::span(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

Result<> sync(const Fd& fd) {
  TRY(fault_point("sync"));
  while (::fsync(fd.get()) != 0)
    if (errno != EINTR) return fail_errno("syncing to disk");
  return {};
}

Result<> sync_filesystem(const Fd& fd) {
  TRY(fault_point("sync_filesystem"));
  while (::syncfs(fd.get()) != 0)
    if (errno != EINTR) return fail_errno("syncing the file system");
  return {};
}

Result<struct stat> stat_fd(const Fd& fd) {
  struct stat info;
  if (::fstat(fd.get(), &info) != 0) return fail_errno("reading the state of an open file");
  return info;
}

Result<struct stat> lstat_at(const Fd& dir, const std::string& name) {
  struct stat info;
  if (::fstatat(dir.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return os_failure("reading the state of", name);
  return info;
}

Result<std::string> read_link_at(const Fd& dir, const std::string& name) {
  std::string target(256, '\0');
  while (true) {
    const ssize_t n = ::readlinkat(dir.get(), name.c_str(), target.data(), target.size());
    if (n < 0) return os_failure("reading the link", name);
    // A full buffer may be a cut one.
    if (static_cast<std::size_t>(n) < target.size()) {
      target.resize(static_cast<std::size_t>(n));
      return target;
    }
    target.resize(target.size() * 4);
  }
}

Result<> set_times_at(const Fd& dir, const std::string& name, std::int64_t mtime_ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t nanos = (mtime_ns % kSecond + kSecond) % kSecond;
  const timespec time{.tv_sec = (mtime_ns - nanos) / kSecond, .tv_nsec = nanos};
  const timespec times[] = {time, time};
  if (::utimensat(dir.get(), name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) return os_failure("setting the times of", name);
  return {};
}

}  // namespace mica::sys
