#include "sys/userns.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/text.h"
#include "sys/fd.h"
#include "sys/os_failure.h"
#include "sys/process.h"
#include "sys/shared_namespace.h"
#include "sys/subordinate_ids.h"

namespace mica::sys {

namespace {

constexpr int kRelayed[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

Error unsupported(std::string text, std::string hint) { return Error(Errc::unsupported, std::move(text)).with_hint(std::move(hint)); }

std::string user_name(uid_t uid) {
  std::vector<char> buffer(16 << 10);
  passwd entry, *found = nullptr;
  ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return found ? found->pw_name : "";
}

/// What must be known before the fork.
struct Preparation {
  std::string uid_program, gid_program;
  std::vector<std::string> uid_map, gid_map;
  std::vector<std::string> arguments, environment;
};

Result<std::vector<std::string>> map_of(const std::string& table, const std::string& name, uid_t uid, std::uint32_t caller) {
  const auto text = read_file(table);
  const auto ranges = text ? subordinate_ranges(*text, name, uid) : std::vector<IdRange>();
  if (ranges.empty())
    return fail(unsupported(format("running without root: user {} has no ids in {}", quoted(name.empty() ? std::to_string(uid) : name), table),
                            format("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {}", name)));
  return map_arguments(caller, ranges);
}

Result<std::string> map_program(const char* name) {
  auto found = find_program(name);
  if (!found) return fail(unsupported(format("running without root: {} is not installed", name), "install the package uidmap (or shadow-utils)"));
  return found;
}

Result<Preparation> prepare() {
  Preparation out;
  const uid_t uid = ::getuid();
  const std::string name = user_name(uid);
  out.uid_program = TRY(map_program("newuidmap"));
  out.gid_program = TRY(map_program("newgidmap"));
  out.uid_map = TRY(map_of("/etc/subuid", name, uid, uid));
  out.gid_map = TRY(map_of("/etc/subgid", name, uid, ::getgid()));
  std::string line = TRY(read_file("/proc/self/cmdline"));
  if (line.ends_with('\0')) line.pop_back();
  for (const std::string_view word : split(line, '\0')) out.arguments.emplace_back(word);
  for (char** variable = environ; *variable; ++variable)
    if (!std::string_view(*variable).starts_with("MICA_ROOTLESS")) out.environment.emplace_back(*variable);
  out.environment.push_back("MICA_ROOTLESS=1");
  out.environment.push_back(format("MICA_ROOTLESS_UID={}", uid));
  return out;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

/// One number through a pipe: an errno, or 0 for "go on". -1 when the other end closed it without a word.
int receive(const Fd& fd) {
  int number = -1;
  const auto n = read_full(fd, {reinterpret_cast<unsigned char*>(&number), sizeof number});
  return n && *n == sizeof number ? number : -1;
}

void send(int fd, int number) {
  while (::write(fd, &number, sizeof number) < 0 && errno == EINTR) {}
}

struct Pipes {
  Fd from_child, to_parent;
};

/// The child's life up to exec. It is the only thread, but calls nothing that could not be called in a child of threads either.
[[noreturn]] void enter_and_exec(const Pipes& pipes, int user, pid_t parent, char* const* argv, char* const* env, const sigset_t& mask) {
  ::close(pipes.from_child.get());
  const int told = pipes.to_parent.get();
  const auto give_up = [told] {
    send(told, errno);
    ::_exit(127);
  };
  if (::setns(user, CLONE_NEWUSER) != 0 || ::unshare(CLONE_NEWNS) != 0) give_up();
  // The user's further groups stay: they open the user's own files. The OCI runtime drops them for containers.
  if (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) give_up();
  // After the ids, whose change clears it; too late if the parent has died just before.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up();
  if (::getppid() != parent) ::_exit(127);
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::execve("/proc/self/exe", argv, env);
  give_up();
  __builtin_unreachable();
}

Result<> write_map(const std::string& program, pid_t child, const std::vector<std::string>& map) {
  std::vector<std::string> argv{program, std::to_string(child)};
  argv.insert(argv.end(), map.begin(), map.end());
  auto written = run_and_capture(argv);
  if (!written)
    return fail(unsupported(format("running without root: {}", written.error().text()),
                            format("{} must be setuid root (or have cap_setuid, cap_setgid), the ids must be in /etc/subuid and "
                                   "/etc/subgid, and the process must be allowed to gain privileges", program)));
  return {};
}

/// Ends this process as the child ended.
[[noreturn]] void end_like(const siginfo_t& ended) {
  if (ended.si_code == CLD_EXITED) ::_exit(ended.si_status);
  const rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::signal(ended.si_status, SIG_DFL);
  sigset_t just;
  ::sigemptyset(&just);
  ::sigaddset(&just, ended.si_status);
  ::sigprocmask(SIG_UNBLOCK, &just, nullptr);
  ::raise(ended.si_status);
  ::_exit(128 + ended.si_status);
}

/// Passes signals on until the child ends; ends without running any destructor, since this process has done nothing of its own.
/// The child is in our process group, so what a terminal sends has reached it already; only what processes send to us is
/// passed on. Stop and continue are not waited for: they act on both.
[[noreturn]] void relay_signals(pid_t child, const sigset_t& waited) {
  while (true) {
    siginfo_t ended{};
    if (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG) == 0 && ended.si_pid == child) end_like(ended);
    siginfo_t info{};
    const int number = ::sigwaitinfo(&waited, &info);
    if (number > 0 && number != SIGCHLD && info.si_code <= 0) ::kill(child, number);
  }
}

Result<Pipes> make_pipe() {
  int up[2];
  if (::pipe2(up, O_CLOEXEC) != 0) return fail_errno("making a pipe");
  return Pipes{.from_child = Fd(up[0]), .to_parent = Fd(up[1])};
}

}  // namespace

Result<> become_namespace_root() {
  if (::geteuid() == 0) return {};
  Preparation plan = TRY(prepare());
  const auto shared = TRY(open_shared_namespace(::getuid(), [&](pid_t holder) -> Result<> {
    TRY(write_map(plan.uid_program, holder, plan.uid_map));
    return write_map(plan.gid_program, holder, plan.gid_map);
  }));
  plan.environment.push_back(format("{}={}", kSharedFolderVariable, shared.folder));
  plan.environment.push_back(format("{}={}", kHolderVariable, shared.holder));
  const std::vector<char*> argv = pointers(plan.arguments), env = pointers(plan.environment);
  Pipes pipes = TRY(make_pipe());

  // Blocked from before the fork, so that none is lost; the child gets the old mask back.
  sigset_t waited, before;
  ::sigemptyset(&waited);
  ::sigaddset(&waited, SIGCHLD);
  for (const int number : kRelayed) ::sigaddset(&waited, number);
  ::signal(SIGCHLD, SIG_DFL);
  ::sigprocmask(SIG_BLOCK, &waited, &before);
  const pid_t parent = ::getpid(), child = ::fork();
  if (child == 0) enter_and_exec(pipes, shared.user.get(), parent, argv.data(), env.data(), before);
  pipes.to_parent.reset();
  auto ready = child < 0 ? Result<>(fail_errno("running without root: forking")) : Result<>();
  // The child's end of the pipe closes with its exec.
  if (const int number = ready ? receive(pipes.from_child) : -1; number > 0) ready = fail(Error::os(number, "running without root: becoming root of the namespace"));
  if (ready) relay_signals(child, waited);
  if (child > 0) {
    ::kill(child, SIGKILL);
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {}
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return ready;
}

bool is_rootless() {
  static const bool rootless = [] {
    const auto map = read_file("/proc/self/uid_map", 64 << 10);
    return map && !is_identity_map(*map);
  }();
  return rootless;
}

bool can_mount() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  return (data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN)) != 0;
}

}  // namespace mica::sys
