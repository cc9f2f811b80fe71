#include "sys/process.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>

#include "base/format.h"
#include "sys/child.h"
#include "sys/kernel.h"

namespace mica::sys {

Result<Process> Process::start(const Spawn& spawn) {
  Started started = TRY(start_child(spawn));
  return Process(started.pid, std::move(started.pidfd));
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  return *this;
}

namespace {
/// The status of a child that has ended or is about to.
Result<Exit> reap(const Fd& pidfd) {
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED) != 0)
    if (errno != EINTR) return fail_errno("waiting for a child process");
  if (info.si_code == CLD_EXITED) return Exit{.status = info.si_status};
  return Exit{.status = 128 + info.si_status, .signal = info.si_status};
}
}  // namespace

Process::~Process() {
  if (!pidfd_) return;
  send_pidfd_signal(pidfd_.get(), SIGKILL);
  auto ended = reap(pidfd_);
  (void)ended;
}

int Process::release() && {
  pidfd_.reset();
  return std::exchange(pid_, -1);
}

Result<> Process::signal(int number) const {
  if (send_pidfd_signal(pidfd_.get(), number) != 0) return fail_errno(format("sending signal {} to process {}", number, pid_));
  return {};
}

Result<Exit> Process::wait(int stop_fd) {
  if (!pidfd_) return fail(Errc::conflict, "the process was waited for already");
  bool stopped = false;
  if (stop_fd >= 0) {
    pollfd fds[] = {{.fd = pidfd_.get(), .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
    while (::poll(fds, 2, -1) < 0)
      if (errno != EINTR) return fail_errno("waiting for a child process");
    // A child that has ended by itself has ended, whatever was asked for meanwhile.
    stopped = fds[0].revents == 0;
    if (stopped) send_pidfd_signal(pidfd_.get(), SIGKILL);
  }
  const Fd ended = std::move(pidfd_);
  pid_ = -1;
  const Exit exit = TRY(reap(ended));
  if (stopped) return fail(Errc::cancelled, "cancelled");
  return exit;
}

}  // namespace mica::sys
