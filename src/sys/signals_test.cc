#include "sys/signals.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mica;

namespace {
bool is_readable(int fd) {
  pollfd one{.fd = fd, .events = POLLIN};
  return ::poll(&one, 1, 0) == 1;
}

/// Handlers cannot be taken back, so each case runs in a child; its status counts as the case's result.
template <class Run>
int status_in_child(Run run) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(run());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
}  // namespace

TEST_CASE("a stop signal makes the descriptor readable and is remembered, the first of several") {
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    CHECK(status_in_child([number] {
            const auto fd = sys::stop_signal_fd();
            if (!fd || sys::stop_signal_fd() != *fd || sys::stop_signal() != 0 || is_readable(*fd)) return 1;
            ::raise(number);
            if (!is_readable(*fd) || sys::stop_signal() != number) return 2;
            ::raise(number == SIGINT ? SIGTERM : SIGINT);
            return sys::stop_signal() == number ? 0 : 3;
          }) == 0);
}

TEST_CASE("a second signal of the same kind ends the process, unless it is the same request") {
  CHECK(status_in_child([] {
          if (!sys::stop_signal_fd()) return 1;
          ::raise(SIGTERM);
          ::raise(SIGTERM);
          ::usleep(350'000);
          ::raise(SIGINT);
          ::raise(SIGTERM);
          return 0;
        }) == 128 + SIGTERM);
}

TEST_CASE("signals ignored before stay ignored") {
  CHECK(status_in_child([] {
          ::signal(SIGHUP, SIG_IGN);
          const auto fd = sys::stop_signal_fd();
          ::raise(SIGHUP);
          return !is_readable(*fd) && sys::stop_signal() == 0 ? 0 : 1;
        }) == 0);
}
