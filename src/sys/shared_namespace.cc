#include "sys/shared_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "sys/os_failure.h"

namespace mica::sys {

namespace {

constexpr const char *kUse = "/use", *kHolder = "/holder", *kStart = "/start";
constexpr std::size_t kMaxPidBytes = 64;
constexpr mode_t kOthers = 077;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

bool is_folder_of(const std::string& path, uid_t uid) {
  struct stat about;
  return ::lstat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode) && about.st_uid == uid;
}

Result<std::string> runtime_folder(uid_t uid) {
  for (const auto& parent : {variable("XDG_RUNTIME_DIR"), format("/run/user/{}", uid)}) {
    if (parent.empty() || !is_folder_of(parent, uid)) continue;
    const std::string folder = parent + "/mica";
    if (::mkdir(folder.c_str(), 0700) == 0 || is_folder_of(folder, uid)) return folder;
  }
  const std::string folder = format("/tmp/mica-{}", uid);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return os_failure("making", folder);
  struct stat about;
  if (!is_folder_of(folder, uid) || ::lstat(folder.c_str(), &about) != 0 || (about.st_mode & kOthers) != 0)
    return fail(Error(Errc::permission_denied, format("{} is not a folder that only user {} can use", folder, uid)).with_hint("remove it, or set XDG_RUNTIME_DIR to a folder of the user's own"));
  return folder;
}

pid_t pid_in(const std::string& path) { return static_cast<pid_t>(parse_int(trim(read_file(path, kMaxPidBytes).value_or(""))).value_or(-1)); }

}  // namespace

pid_t pasta_of(const std::string& folder) {
  const pid_t pid = pid_in(folder + kPastaPidFile);
  if (pid <= 1) return -1;
  // The two are one program, by several names: "passt.avx2".
  const std::string name = read_file(format("/proc/{}/comm", pid), kMaxPidBytes).value_or("");
  return name.starts_with("pasta") || name.starts_with("passt") ? pid : -1;
}

namespace {

void end_pasta(const std::string& folder) {
  if (const pid_t pid = pasta_of(folder); pid > 0) ::kill(pid, SIGTERM);
  ::unlink((folder + kPastaPidFile).c_str());
}

void say(int fd, int number) {
  while (::write(fd, &number, sizeof number) < 0 && errno == EINTR) {}
}

/// Nothing when the other end went without a word.
std::optional<int> hear(int fd) {
  int number = 0;
  ssize_t n;
  while ((n = ::read(fd, &number, sizeof number)) < 0 && errno == EINTR) {}
  return n == sizeof number ? std::optional(number) : std::nullopt;
}

/// All but the standard ones and two: our parent's locks and pipes are among them.
void close_others(int one, int other) {
  constexpr unsigned kFirst = 3;
  const auto low = static_cast<unsigned>(std::min(one, other)), high = static_cast<unsigned>(std::max(one, other));
  if (low > kFirst) ::close_range(kFirst, low - 1, 0);
  if (high > low + 1) ::close_range(low + 1, high - 1, 0);
  ::close_range(high + 1, ~0U, 0);
}

/// The holder's life. It says its process id or a negative errno, waits for its maps, and says 0 or a negative errno.
[[noreturn]] void hold(const std::string& folder, int told, int go) {
  const auto give_up = [told] {
    say(told, -errno);
    ::_exit(1);
  };
  ::setsid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) != 0) give_up();
  say(told, ::getpid());
  if (hear(go) != 0) ::_exit(1);
  if (::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) give_up();
  ::prctl(PR_SET_DUMPABLE, 1);   // others of the user open /proc/PID/ns
  ::prctl(PR_SET_NAME, "mica-holder");
  const int holder = ::open((folder + kHolder).c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600), use = ::open((folder + kUse).c_str(), O_RDWR | O_CREAT, 0600);
  if (holder < 0 || use < 0 || ::flock(holder, LOCK_EX | LOCK_NB) != 0) give_up();
  const std::string pid = std::to_string(::getpid());
  if (::write(holder, pid.data(), pid.size()) != static_cast<ssize_t>(pid.size())) give_up();
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE}) ::signal(number, SIG_IGN);
  const int null = ::open("/dev/null", O_RDWR);
  for (const int standard : {0, 1, 2}) ::dup2(null, standard);
  (void)!::chdir("/");
  say(told, 0);
  close_others(holder, use);
  while (::flock(use, LOCK_EX) != 0 && errno == EINTR) {}
  end_pasta(folder);
  ::_exit(0);
}

Result<> start_holder(const std::string& folder, const std::function<Result<>(pid_t)>& write_maps) {
  int up[2], down[2];
  if (::pipe2(up, O_CLOEXEC) != 0) return fail_errno("making a pipe");
  Fd heard(up[0]), told(up[1]);
  if (::pipe2(down, O_CLOEXEC) != 0) return fail_errno("making a pipe");
  const Fd go(down[0]);
  Fd tell(down[1]);
  // Twice, so that nobody has to wait for it.
  const pid_t between = ::fork();
  if (between < 0) return fail_errno("running without root: forking");
  if (between == 0) {
    if (::fork() == 0) {
      heard.reset();
      tell.reset();
      hold(folder, told.get(), go.get());
    }
    ::_exit(0);
  }
  told.reset();
  while (::waitpid(between, nullptr, 0) < 0 && errno == EINTR) {}
  const int holder = hear(heard.get()).value_or(-ECHILD);
  if (holder <= 0)
    return fail(Error::os(-holder, "running without root: making a user namespace")
                    .with_code(Errc::unsupported)
                    .with_hint("user namespaces may be switched off: see the sysctls user.max_user_namespaces, kernel.unprivileged_userns_clone "
                               "and kernel.apparmor_restrict_unprivileged_userns, or in a container its seccomp profile"));
  TRY(write_maps(holder));   // on failure it finds our end of the pipe closed, and goes
  say(tell.get(), 0);
  if (const int number = hear(heard.get()).value_or(-ECHILD); number != 0) return fail(Error::os(-number, "running without root: becoming root of the namespace"));
  return {};
}

/// The one that lives; -1 when none does.
pid_t living_holder(const std::string& folder) {
  const Fd file(::open((folder + kHolder).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::flock(file.get(), LOCK_SH | LOCK_NB) == 0) return -1;
  return pid_in(folder + kHolder);
}

}  // namespace

Result<SharedNamespace> open_shared_namespace(uid_t uid, const std::function<Result<>(pid_t)>& write_maps) {
  const std::string folder = TRY(runtime_folder(uid));
  auto use = TRY(FileLock::acquire(folder + kUse, LockMode::shared));
  const auto start = TRY(FileLock::acquire(folder + kStart, LockMode::exclusive));
  if (living_holder(folder) < 0) TRY(start_holder(folder, write_maps));
  const pid_t holder = living_holder(folder);
  auto user = TRY_DOING(open(format("/proc/{}/ns/user", holder), O_RDONLY), "running without root: joining the user namespace");
  return SharedNamespace{.folder = folder, .holder = holder, .user = std::move(user), .use = std::move(use)};
}

std::optional<SharedPlace> shared_place() {
  const std::string folder = variable(kSharedFolderVariable);
  const auto holder = parse_int(variable(kHolderVariable));
  if (folder.empty() || !holder) return std::nullopt;
  return SharedPlace{folder, static_cast<pid_t>(*holder)};
}

Result<> keep_shared_namespace() {
  const auto place = shared_place();
  if (!place) return {};
  static std::optional<FileLock> use;
  if (!use) use = TRY(FileLock::acquire(place->folder + kUse, LockMode::shared));
  return {};
}

}  // namespace mica::sys
