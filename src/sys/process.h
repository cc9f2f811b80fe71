/// Child processes by pidfd. A child never outlives its Process object.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "sys/fd.h"

namespace mica::sys {

struct Exit {
  int status = 0;   ///< exit status, or 128 + signal
  int signal = 0;   ///< 0 when it exited by itself
};

/// How a child starts. Everything is prepared before; until exec the child calls only async-signal-safe functions. It inherits the
/// three standard streams and keep_fds, no other descriptor; no signal is blocked in it, and handled ones are at their default.
struct Spawn {
  std::vector<std::string> argv;                  ///< argv[0] is looked up in PATH when it has no '/'
  std::optional<std::vector<std::string>> env;    ///< nullopt: ours
  std::string cwd;                                ///< empty: ours
  int stdin_fd = -1;                              ///< -1: /dev/null
  int stdout_fd = -1;                             ///< -1: ours (1)
  int stderr_fd = -1;                             ///< -1: ours (2)
  std::vector<int> keep_fds;                      ///< inherited under the same number
  bool new_pid_namespace = false;                 ///< the child is pid 1 of a new pid namespace with a new mount namespace and
                                                  ///< its own /proc: killing it kills everything it started
  bool new_session = false;                       ///< setsid
  bool die_with_parent = true;                    ///< PDEATHSIG=SIGKILL. The kernel means the *thread* that starts the child: start
                                                  ///< from the main thread or a task::Pool worker, which outlive their work
};

class Process {
 public:
  /// Returns when the program is running. Errors: not_found and permission_denied naming the program (or `cwd`), whatever exec says.
  static Result<Process> start(const Spawn& spawn);
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();                       ///< kills (SIGKILL) and reaps if still running
  int pid() const { return pid_; }
  const Fd& pidfd() const { return pidfd_; }
  /// Forgets it: it goes on when this dies (start it with die_with_parent = false). Returns its id; a zombie stays when it ends before us.
  int release() &&;
  Result<> signal(int number) const;
  /// Waits for the end; returns cancelled after killing when `stop_fd` becomes readable (-1: wait for ever).
  /// Once; afterwards pid() is -1. Errors: cancelled, conflict (waited before).
  Result<Exit> wait(int stop_fd = -1);

 private:
  Process(int pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  int pid_ = -1;
  Fd pidfd_;
};

/// Runs to the end and returns standard output; a non-zero status is an error (internal) holding the last of standard error.
/// Errors: those of Process::start, resource_exhausted beyond `limit`.
Result<std::string> run_and_capture(const std::vector<std::string>& argv, std::size_t limit = 16 << 20, std::string_view input = {});
/// The program's full path from PATH (with sbin folders added), or not_found. A name with '/' is returned as it is.
Result<std::string> find_program(std::string_view name);

}  // namespace mica::sys
