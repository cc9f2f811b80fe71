#include "container/network_ground.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "runtime/firewall.h"
#include "runtime/subnet.h"
#include "sys/mount.h"
#include "sys/process.h"
#include "sys/shared_namespace.h"
#include "sys/userns.h"

namespace mica::container {

namespace {

constexpr const char *kMachineFolder = "/run/mica/network", *kTun = "/dev/net/tun";
constexpr std::size_t kMaxPidBytes = 64, kMaxWordsBytes = 64 << 10, kMaxRoutesBytes = 1 << 20;
constexpr int kMaxLooks = 10'000;                        // of a millisecond each

/// Its last line that is not about the system's log, which it tries to write to first.
std::string words_of(const std::string& file) {
  std::string last;
  const std::string text = sys::read_file(file, kMaxWordsBytes).value_or("");
  for (const auto line : split(text, '\n'))
    if (!trim(line).empty() && line.find("to syslog") == line.npos) last = trim(line);
  return last.empty() ? "it ended without a word" : last;
}

/// The file with its process id appears when the interface is configured.
Result<> await_pasta(const sys::Process& pasta, const std::string& pid_file, const std::string& words) {
  for (int i = 0; i < kMaxLooks; ++i) {
    if (!sys::read_file(pid_file, kMaxPidBytes).value_or("").empty()) return {};
    pollfd ended{.fd = pasta.pidfd().get(), .events = POLLIN};
    if (::poll(&ended, 1, 1) > 0)
      return fail(Error(Errc::unavailable, format("pasta: {}", words_of(words))).with_hint("--network=host does without a network of its own"));
  }
  return fail(Errc::unavailable, "pasta has not set up the network within 10 seconds");
}

/// pasta gives the namespace the machine's addresses and routes, and answers for all that leaves it. It stays when we go: the holder ends it.
Result<> start_pasta(const sys::SharedPlace& place) {
  if (!sys::find_program("pasta"))
    return fail(Error(Errc::unsupported, "pasta is not installed, and without it or root containers have no network of their own")
                    .with_hint("install it (on Debian: apt-get install passt), or use --network=host or --network=none"));
  if (::access(kTun, R_OK | W_OK) != 0)
    return fail(Error::os(errno, format("opening {} for pasta", kTun)).with_code(Errc::unsupported).with_hint("load the module tun, make the device readable and writable for all, or use --network=host"));
  // It gives up the right to look into other processes before it opens the namespace: hence a path of its own.
  const std::string path = place.folder + "/netns", pid_file = place.folder + sys::kPastaPidFile, words = place.folder + "/pasta.err";
  TRY(sys::write_file(path, "", 0600));
  const auto mount = TRY(sys::Mount::bind(format("/proc/{}/ns/net", place.holder), path, false));
  ::unlink(pid_file.c_str());
  const auto errors = TRY(sys::open(words, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0600));
  // In the foreground: only then it has a process id that is also ours.
  auto pasta = TRY(sys::Process::start({.argv = {"pasta", "--config-net", "--foreground", "--quiet", "--netns-only", "--no-netns-quit", "--netns", path, "--pid", pid_file,
                                                 // No ports of one side appear on the other.
                                                 "-t", "none", "-u", "none", "-T", "none", "-U", "none"},
                                        .cwd = "/", .stdout_fd = errors.get(), .stderr_fd = errors.get(), .new_session = true, .die_with_parent = false}));
  TRY(await_pasta(pasta, pid_file, words));
  std::move(pasta).release();
  return {};
}

/// What listens on the machine's loopback addresses answers on the gateway's; it is not for containers that have not asked for it.
Result<> guard_loopback(const Ground& ground) {
  if (ground.host_gateway.empty()) return {};
  TRY(runtime::prepare_firewall(ground.name_space, false));
  return runtime::add_rules(ground.name_space, {{false, true, "filter", "FORWARD", format("-d {} -j DROP", ground.host_gateway)}});
}

}  // namespace

Result<std::string> network_folder(const std::string& state_root) {
  if (!sys::is_rootless() && sys::make_directories(kMachineFolder, 0700)) return std::string(kMachineFolder);
  const auto place = sys::shared_place();
  std::string own = (place ? place->folder : state_root) + "/network";
  TRY(sys::make_directories(own, 0700));
  return own;
}

Result<sys::FileLock> lock_ground(const std::string& folder, const task::Cancel& cancel) {
  return sys::FileLock::acquire(folder + "/lock", sys::LockMode::exclusive, cancel.fd());
}

Result<Ground> open_ground(const std::string& folder, bool make) {
  Ground ground{.folder = folder};
  if (!sys::is_rootless()) return ground;
  const auto place = sys::shared_place();
  if (!place)
    return fail(Error(Errc::unsupported, "in a user namespace that mica has not made there is no network of its own for containers").with_hint("use --network=host or --network=none"));
  ground.shared = true;
  ground.name_space = TRY(sys::open(format("/proc/{}/ns/net", place->holder), O_RDONLY));
  ground.host_gateway = runtime::default_gateway(sys::read_file("/proc/net/route", kMaxRoutesBytes).value_or(""));
  if (!make || sys::pasta_of(place->folder) >= 0) return ground;
  TRY(start_pasta(*place));
  TRY(guard_loopback(ground));
  return ground;
}

}  // namespace mica::container
