/// Kernel calls and numbers that the C library's headers do not offer, and the one header of it that ours hides: <sys/mount.h> is
/// found in this folder first.
#pragma once
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include_next <sys/mount.h>
#include <unistd.h>

#include <cerrno>

namespace mica::sys {

/// openat2(2) with EINTR and EAGAIN retried: EAGAIN means that a rename or mount elsewhere disturbed the walk, so it is
/// retried often, but not for ever. `mode` counts only when a file is made; the kernel refuses it otherwise.
inline int openat2(int dir, const char* path, int flags, int mode, unsigned long long resolve) {
  const bool creates = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
  open_how how{};
  how.flags = static_cast<unsigned>(flags);
  how.mode = creates ? static_cast<unsigned>(mode) : 0;
  how.resolve = resolve;
  for (int attempt = 0;; ++attempt) {
    const int fd = static_cast<int>(::syscall(SYS_openat2, dir, path, &how, sizeof how));
    if (fd >= 0 || (errno != EINTR && (errno != EAGAIN || attempt >= 128))) return fd;
  }
}

/// listxattrat(2), Linux 6.13: the same number on all architectures that we know of. ENOSYS on older kernels.
inline ssize_t listxattrat(int dir, const char* name, char* list, std::size_t size) {
  constexpr long kNumber = 465;
  return ::syscall(kNumber, dir, name, AT_SYMLINK_NOFOLLOW, list, size);
}

// <sys/pidfd.h> of glibc 2.36 lacks extern "C".
inline int open_pidfd(int pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0u)); }
inline int send_pidfd_signal(int pidfd, int number) { return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0u)); }

}  // namespace mica::sys
