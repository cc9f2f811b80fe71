#include "sys/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>

namespace mica::sys {

namespace {
constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

// Lock-free, so usable in a handler.
std::atomic<int> first_signal = 0;
std::atomic<std::int64_t> seen_at[NSIG];
int write_end = -1;

constexpr std::int64_t kSameRequestNs = 300'000'000;

std::int64_t now_ns() {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

void handle(int number) {
  const int saved = errno;
  const std::int64_t now = now_ns();
  std::int64_t before = 0;
  if (!seen_at[number].compare_exchange_strong(before, now) && now - before > kSameRequestNs) ::_exit(128 + number);
  int none = 0;
  first_signal.compare_exchange_strong(none, number);
  const char byte = static_cast<char>(number);
  [[maybe_unused]] const ssize_t written = ::write(write_end, &byte, 1);
  errno = saved;
}
}  // namespace

Result<int> stop_signal_fd() {
  static std::mutex mutex;
  static int read_end = -1;
  const std::lock_guard lock(mutex);
  if (read_end >= 0) return read_end;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return fail_errno("making a pipe");
  write_end = ends[1];
  for (const int number : kSignals) {
    struct sigaction old;
    // Ignored before us means that somebody wants us to live through it, as nohup does.
    if (::sigaction(number, nullptr, &old) == 0 && old.sa_handler == SIG_IGN) continue;
    struct sigaction action{};
    action.sa_handler = handle;
    action.sa_flags = SA_RESTART;
    ::sigaction(number, &action, nullptr);
  }
  read_end = ends[0];
  return read_end;
}

int stop_signal() { return first_signal; }

}  // namespace mica::sys
