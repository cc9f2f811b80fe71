/// Starting a child costs what the kernel needs for exec and nothing for the size of the parent: clone with CLONE_VM and CLONE_VFORK, on
/// a stack of its own, as posix_spawn does. Until exec the child runs in our memory while the calling thread is held, so it
/// reports a failure by storing it where the caller looks; no pipe. It must not allocate, lock, or leave our memory changed.
#include "sys/child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "sys/kernel.h"
#include "sys/os_failure.h"

namespace mica::sys {

namespace {

// Sanitizers follow the stacks and threads that they know; this one they do not.
#define MICA_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

enum class Step : int { none, parent, session, input, descriptors, propagation, proc, folder, exec };

struct Plan {
  const char* program;
  char* const* argv;
  char* const* env;
  const char* cwd;  // null: ours
  const Spawn* spawn;
  int parent_pidfd;  // readable once we are dead; -1 when the child may outlive us
  // The child's answer:
  Step failed = Step::none;
  int number = 0;
};

MICA_IN_CHILD int give_up(Plan& plan, Step step) {
  plan.failed = step;
  plan.number = errno;
  ::_exit(127);
}

/// Handlers are code of ours and mean nothing after exec; signals that were ignored before us (nohup) stay so, but SIGPIPE,
/// which we may ignore for our own writes, does not.
MICA_IN_CHILD void reset_signals() {
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action;
    if (::sigaction(number, nullptr, &action) != 0 || action.sa_handler == SIG_DFL) continue;
    if (action.sa_handler == SIG_IGN && number != SIGPIPE) continue;
    action = {};
    action.sa_handler = SIG_DFL;
    ::sigaction(number, &action, nullptr);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Puts the three standard streams in place and lets nothing else through exec than keep_fds: descriptors that we were started with
/// (of a make, a CI agent) are none of the child's business.
MICA_IN_CHILD void place_descriptors(Plan& plan) {
  const Spawn& spawn = *plan.spawn;
  int from[] = {spawn.stdin_fd, spawn.stdout_fd < 0 ? 1 : spawn.stdout_fd, spawn.stderr_fd < 0 ? 2 : spawn.stderr_fd};
  if (from[0] < 0) from[0] = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (from[0] < 0) give_up(plan, Step::input);
  // First out of the way of the targets, so that no dup2 overwrites a source still needed. A stream we lack, the child lacks too.
  for (int i = 0; i < 3; ++i) {
    if (from[i] > 2 || from[i] == i) continue;
    from[i] = ::fcntl(from[i], F_DUPFD_CLOEXEC, 3);
    if (from[i] < 0 && errno != EBADF) give_up(plan, Step::descriptors);
  }
  for (int i = 0; i < 3; ++i) {
    if (from[i] == i) ::fcntl(i, F_SETFD, 0);
    else if (from[i] < 0) ::close(i);
    else if (::dup2(from[i], i) < 0) give_up(plan, Step::descriptors);
  }
  // Kernels before 5.11 lack the flag; then only what was opened without O_CLOEXEC by others gets through.
  ::syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC);
  for (const int fd : spawn.keep_fds)
    if (::fcntl(fd, F_SETFD, 0) < 0) give_up(plan, Step::descriptors);
}

MICA_IN_CHILD int run_child(void* argument) {
  Plan& plan = *static_cast<Plan*>(argument);
  const Spawn& spawn = *plan.spawn;
  reset_signals();
  if (plan.parent_pidfd >= 0) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(plan, Step::parent);
    // Too late for the signal when we were killed just before. getppid would not tell in a new pid namespace.
    pollfd parent{.fd = plan.parent_pidfd, .events = POLLIN};
    if (::poll(&parent, 1, 0) != 0) ::_exit(127);
  }
  if (spawn.new_session && ::setsid() < 0) give_up(plan, Step::session);
  place_descriptors(plan);
  if (spawn.new_pid_namespace) {
    // Slave, not private: an unmount outside still arrives, so that we do not pin what others remove.
    if (::mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr) != 0) give_up(plan, Step::propagation);
    if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) give_up(plan, Step::proc);
  }
  if (plan.cwd && ::chdir(plan.cwd) != 0) give_up(plan, Step::folder);
  ::execve(plan.program, plan.argv, plan.env);
  return give_up(plan, Step::exec);
}

Error error_of(const Plan& plan) {
  const auto failed = [&](std::string_view action) { return Error::os(plan.number, action); };
  switch (plan.failed) {
    case Step::exec: return failed(format("starting {}", quoted(plan.program)));
    case Step::folder: return failed(format("starting {}: entering {}", quoted(plan.program), quoted(plan.cwd)));
    case Step::input: return failed(format("starting {}: opening \"/dev/null\"", quoted(plan.program)));
    case Step::propagation: return failed(format("starting {}: making mounts private", quoted(plan.program)));
    case Step::proc:
      return failed(format("starting {}: mounting \"/proc\"", quoted(plan.program)))
          .with_hint("where parts of /proc are hidden, as in most containers, no new pid namespace can be made");
    case Step::session: return failed(format("starting {}: making a session", quoted(plan.program)));
    case Step::descriptors: return failed(format("starting {}: passing file descriptors", quoted(plan.program)));
    case Step::parent: case Step::none: break;
  }
  return failed(format("starting {}", quoted(plan.program)));
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

/// With SIGCHLD ignored, as some parents leave it to us, the kernel throws exit statuses away.
void keep_exit_statuses() {
  [[maybe_unused]] static const bool done = [] {
    struct sigaction action;
    if (::sigaction(SIGCHLD, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) ::signal(SIGCHLD, SIG_DFL);
    return true;
  }();
}

}  // namespace

Result<Started> start_child(const Spawn& spawn) {
  MICA_ASSERT(!spawn.argv.empty(), "a child has a program");
  keep_exit_statuses();
  const std::string program = TRY(find_program(spawn.argv[0]));
  const std::vector<char*> argv = pointers(spawn.argv);
  const std::vector<char*> env = spawn.env ? pointers(*spawn.env) : std::vector<char*>();
  Fd self;
  if (spawn.die_with_parent) {
    self = Fd(open_pidfd(::getpid()));
    if (!self) return fail_errno("opening a descriptor of this process");
  }
  Plan plan{.program = program.c_str(), .argv = argv.data(), .env = spawn.env ? env.data() : environ,
            .cwd = spawn.cwd.empty() ? nullptr : spawn.cwd.c_str(), .spawn = &spawn, .parent_pidfd = self.get()};

  constexpr std::size_t kStack = 64 << 10;
  const auto stack = std::make_unique_for_overwrite<std::max_align_t[]>(kStack / sizeof(std::max_align_t));
  int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  if (spawn.new_pid_namespace) flags |= CLONE_NEWPID | CLONE_NEWNS;

  // No handler of ours may run in the child while it shares our memory.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int pidfd = -1;
  const int pid = ::clone(run_child, stack.get() + kStack / sizeof(std::max_align_t), flags, &plan, &pidfd);
  const int number = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);

  if (pid < 0) {
    Error error = Error::os(number, format("starting {}", quoted(program)));
    if (number == EPERM && spawn.new_pid_namespace)
      error = std::move(error).with_hint("a new pid namespace needs root, or a user namespace in which this process is root");
    return fail(std::move(error));
  }
  Started started{.pid = pid, .pidfd = Fd(pidfd)};
  if (plan.failed == Step::none) return started;
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {}
  return fail(error_of(plan));
}

}  // namespace mica::sys
