// Real containers, by the runtime that this machine has.
#include "runtime/oci_runtime.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/text.h"
#include "base/time.h"
#include "runtime/cgroups.h"
#include "runtime/container_fixture.h"
#include "runtime/pipe.h"
#include "runtime/relay.h"

using namespace mica;
using namespace std::chrono_literals;
using runtime::Container;
using runtime::Pipe;
using runtime::ProcessSpec;

namespace {

/// Number of processes of this machine with `argument` in their command line.
int processes_with(const std::string& argument) {
  int count = 0;
  DIR* proc = ::opendir("/proc");
  while (const dirent* entry = ::readdir(proc)) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    const std::string line = sys::read_file(std::string("/proc/") + entry->d_name + "/cmdline").value_or("");
    for (std::string_view word : split(line, '\0'))
      if (word == argument) ++count;
  }
  ::closedir(proc);
  return count;
}

bool soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 200; ++i, std::this_thread::sleep_for(10ms))
    if (condition()) return true;
  return false;
}

std::vector<std::string> names_in(const std::string& folder) {
  auto dir = sys::open(folder, O_RDONLY | O_DIRECTORY);
  return dir ? sys::list_names(*dir).value_or(std::vector<std::string>{}) : std::vector<std::string>{};
}

/// The group's name in the control group file system, from /proc/self/cgroup as seen without a namespace of its own; "" when hidden.
std::string group_of(std::string_view text) {
  for (std::string_view line : split(text, '\n'))
    if (auto at = line.find("/mica/mica-"); at != line.npos) return std::string(line.substr(at));
  return {};
}

}  // namespace

TEST_CASE("status, output and error output of a command are its own") {
  MICA_NEEDS_CONTAINERS();
  Container container;
  auto ran = container.run("echo out; echo err >&2; exit 7");
  REQUIRE_MESSAGE(ran.exit, ran.problem());
  CHECK(ran.status() == 7);
  CHECK(ran.out == "out\n");
  CHECK(ran.err == "err\n");
  ran = container.run("kill -TERM $$; sleep 5 & kill -KILL $!; wait $!");
  CHECK(ran.status() == 137);
  CHECK(names_in(container.temporary()) == std::vector<std::string>{"root"});
  CHECK_FALSE(container.runtime().name().empty());
}

TEST_CASE("a process has the environment, user, groups, umask, folder and host name that were asked for, and nothing else") {
  MICA_NEEDS_CONTAINERS();
  Container container;
  ProcessSpec spec = container.spec("env; pwd; umask; id; hostname; cat /proc/self/status");
  spec.env = {"PATH=/bin", "A=b c", "EMPTY=", "HOME=/home/of/it"};
  spec.cwd = "/made/by/it";
  spec.uid = 1000;
  spec.gid = 1001;
  spec.additional_gids = {50, 60};
  spec.umask = 027;
  const auto ran = container.run(spec);
  REQUIRE_MESSAGE(ran.exit, ran.problem());
  // The shell adds PWD and SHLVL itself.
  for (const char* line : {"A=b c\n", "EMPTY=\n", "PATH=/bin\n", "/made/by/it\n", "0027\n", "uid=1000 gid=1001 groups=50,60,1001\n", "buildkitsandbox\n", "Groups:\t50 60 1001",
                           "CapBnd:\t00000000a80425fb", "CapEff:\t0000000000000000", "CapInh:\t0000000000000000", "CapAmb:\t0000000000000000", "Seccomp:\t2", "NoNewPrivs:\t0"}) {
    CAPTURE(line);
    CHECK(ran.out.find(line) != std::string::npos);
  }
  CHECK(ran.out.find("MICA") == std::string::npos);
  CHECK(ran.out.find("HOME=/home/of/it\n") != std::string::npos);
}

TEST_CASE("input is empty unless given") {
  MICA_NEEDS_CONTAINERS();
  Container container;
  CHECK(container.run("cat; echo end").out == "end\n");
  auto input = Pipe::open();
  REQUIRE(input);
  REQUIRE(sys::write_all(input->writer, "from outside"));
  input->writer.reset();
  CHECK(container.run(container.spec("cat"), {}, input->reader.get()).out == "from outside");
}

TEST_CASE("commands that are not there or cannot be executed have the shell's statuses") {
  MICA_NEEDS_CONTAINERS();
  Container container;
  REQUIRE(sys::write_file(container.root() + "/etc/data", "x", 0644));
  struct Row {
    const char* command;
    int status;
    Errc code;
  };
  for (const Row& row : {Row{"no-such-command", 127, Errc::not_found}, Row{"/no/such/command", 127, Errc::not_found}, Row{"/etc/data", 126, Errc::permission_denied},
                         Row{"/etc", 126, Errc::permission_denied}}) {
    ProcessSpec spec = container.spec("");
    spec.argv = {row.command};
    const auto ran = container.run(spec);
    CAPTURE(row.command);
    REQUIRE_FALSE(ran.exit);
    CHECK(ran.exit.error().exit_status() == row.status);
    CHECK(ran.exit.error().code() == row.code);
    CHECK(ran.err == "");   // said once, in the error
  }
}

TEST_CASE("what the runtime itself cannot do is its error, not the command's") {
  MICA_NEEDS_CONTAINERS();
  Container container;
  ProcessSpec spec = container.spec("true");
  spec.mounts = {{.source = "/no/such/source", .destination = "/x"}};
  const auto ran = container.run(spec);
  REQUIRE_FALSE(ran.exit);
  CHECK(ran.exit.error().code() == Errc::unavailable);
  CHECK(ran.exit.error().exit_status() == 125);
  CHECK(ran.problem().find("/no/such/source") != std::string::npos);
  CHECK(names_in(container.temporary()) == std::vector<std::string>{"root"});
}

TEST_CASE("mounts: binds, read-only ones, tmpfs with its size, a read-only root") {
  MICA_NEEDS_CONTAINERS();
  Container container;
  auto outside = sys::TempDir::create("/tmp", "container-bind");
  REQUIRE(outside);
  REQUIRE(sys::write_file(outside->path() + "/file", "hello\n"));
  ProcessSpec spec = container.spec("cat /rw/file; touch /rw/new && echo wrote; touch /ro/new || echo refused; touch /root/new || echo refused; grep ' /t ' /proc/mounts");
  spec.mounts = {{.source = outside->path(), .destination = "/rw"}, {.source = outside->path(), .destination = "/ro", .read_only = true},
                 {.source = "tmpfs", .destination = "/t", .type = "tmpfs", .options = {"size=64k"}}};
  for (const char* place : {"/rw", "/ro", "/t"}) REQUIRE(sys::make_directories(container.root() + place));
  spec.read_only_root = true;
  const auto ran = container.run(spec);
  REQUIRE_MESSAGE(ran.exit, ran.problem());
  CHECK(ran.out.starts_with("hello\nwrote\nrefused\nrefused\n"));
  CHECK(ran.out.find("size=64k") != std::string::npos);
  CHECK(sys::exists(outside->path() + "/new"));
}

TEST_CASE("without a network there is lo alone; the host's network is the host's") {
  MICA_NEEDS_CONTAINERS();
  Container container;
  CHECK(container.run("grep -c : /proc/net/dev").out == "1\n");
  ProcessSpec spec = container.spec("cat /proc/net/dev; readlink /proc/self/ns/net");
  spec.network = runtime::NetworkMode::host;
  const auto ran = container.run(spec);
  char link[64] = {};
  REQUIRE(::readlink("/proc/self/ns/net", link, sizeof link - 1) > 0);
  CHECK(container.run(spec).out.find("lo:") != std::string::npos);
  spec.argv = {"/bin/busybox", "readlink", "/proc/self/ns/net"};
  CHECK(trim(container.run(spec).out) == link);
}

TEST_CASE("the filter holds: mounting is refused, and a profile of one's own too") {
  MICA_NEEDS_CONTAINERS();
  Container container;
  CHECK(container.run("mount -t tmpfs t /tmp").status() != 0);
  const std::string profile = container.temporary() + "/profile.json";
  REQUIRE(sys::write_file(profile, R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["chmod","fchmodat","fchmod"],"action":"SCMP_ACT_ERRNO"}]})"));
  ProcessSpec spec = container.spec("chmod 700 /tmp");
  CHECK(container.run(spec).status() == 0);
  spec.seccomp = profile;
  CHECK(container.run(spec).status() != 0);
  spec.seccomp = "";
  spec.privileged = true;
  spec.argv = {"/bin/sh", "-c", "mount -t tmpfs t /tmp && chmod 700 /tmp"};
  CHECK(container.run(spec).status() == 0);
}

TEST_CASE("limits are set in the container's control group") {
  MICA_NEEDS_CONTAINERS();
  Container container;
  if (!container.runtime().can_limit()) {
    MESSAGE("skipped: no control groups that we may write");
    return;
  }
  ProcessSpec spec = container.spec("cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null");
  spec.resources.pids = 37;
  CHECK(container.run(spec).out == "37\n");
}

TEST_CASE("stopping kills everything that the step has started, within a second") {
  MICA_NEEDS_CONTAINERS();
  Container container;
  const std::string mark = "7" + std::to_string(::getpid());
  ProcessSpec spec = container.spec("cat /proc/self/cgroup; (sleep " + mark + " &); sh -c 'sleep " + mark + " & sleep " + mark + "' & echo begun; wait");
  auto cancel = task::Cancel::create();
  std::string out;
  std::int64_t stopped = 0;
  runtime::Streams streams{.output = [&](int, std::string_view bytes) { out += bytes; }};
  std::thread stopper([&] {
    soon([&] { return processes_with(mark) == 3; });
    stopped = monotonic_ns();
    cancel.stop();
  });
  const auto exit = container.runtime().run(spec, streams, container.temporary(), cancel);
  const auto took = monotonic_ns() - stopped;
  stopper.join();
  REQUIRE_FALSE(exit);
  CHECK(exit.error().code() == Errc::cancelled);
  CHECK(took < 1'000'000'000);
  CHECK(out.find("begun") != std::string::npos);
  CHECK(processes_with(mark) == 0);
  CHECK(names_in(container.temporary()) == std::vector<std::string>{"root"});
  if (const std::string group = group_of(out); !group.empty())
    for (const char* hierarchy : {"", "/memory", "/pids", "/devices", "/unified"}) CHECK_FALSE(sys::exists(std::string("/sys/fs/cgroup") + hierarchy + group));
  // Stopped before it begins: nothing is started.
  const auto again = container.run(spec, cancel);
  REQUIRE_FALSE(again.exit);
  CHECK(again.exit.error().code() == Errc::cancelled);
}

TEST_CASE("when mica itself is killed, the step dies too") {
  MICA_NEEDS_CONTAINERS();
  Container container;
  const std::string mark = "8" + std::to_string(::getpid());
  const pid_t child = ::fork();
  if (child == 0) {
    (void)container.runtime().run(container.spec("sleep " + mark + " & sleep " + mark), {.output = [](int, std::string_view) {}}, container.temporary(), {});
    ::_exit(1);
  }
  const bool begun = soon([&] { return processes_with(mark) == 2; });
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(begun);
  CHECK(soon([&] { return processes_with(mark) == 0; }));
  // Its control group stays behind, and goes with a later run when it is old.
  const auto cgroups = runtime::Cgroups::of_this_machine();
  const auto left = names_in(container.temporary());
  REQUIRE(left.size() == 2);   // the bundle beside the root
  if (!cgroups.writable) return;
  const std::string group = "/mica/" + left[0];
  auto places = [&] {
    std::vector<std::string> out;
    for (const std::string& mount : cgroups.mounts)
      if (sys::exists(mount + group)) out.push_back(mount + group);
    return out;
  };
  const auto all = places();
  REQUIRE_FALSE(all.empty());
  cgroups.remove_abandoned("/mica");
  CHECK(places() == all);
  for (const std::string& place : all) {
    const struct timespec old[2] = {{now().seconds() - 7200, 0}, {now().seconds() - 7200, 0}};
    REQUIRE(::utimensat(AT_FDCWD, place.c_str(), old, 0) == 0);
  }
  // The kernel lets go of the dead a moment after they are gone.
  CHECK(soon([&] {
    cgroups.remove_abandoned("/mica");
    return places().empty();
  }));
}

TEST_CASE("a terminal: the command has one, of the user's size, and input reaches it") {
  MICA_NEEDS_CONTAINERS();
  Container container;
  auto user = runtime::Pty::open();
  REQUIRE(user);
  struct winsize size {.ws_row = 33, .ws_col = 101, .ws_xpixel = 0, .ws_ypixel = 0};
  REQUIRE(::ioctl(user->master.get(), TIOCSWINSZ, &size) == 0);
  REQUIRE(sys::write_all(user->master, "typed\r"));
  ProcessSpec spec = container.spec("tty; stty size; read line; echo \"got $line\"; exit 4");
  spec.terminal = true;
  const auto ran = container.run(spec, {}, user->slave.get(), user->slave.get());
  REQUIRE_MESSAGE(ran.exit, ran.problem());
  CHECK(ran.status() == 4);
  CHECK(ran.out.find("/dev/pts/") != std::string::npos);
  CHECK(ran.out.find("33 101\r\n") != std::string::npos);
  CHECK(ran.out.find("got typed\r\n") != std::string::npos);
}

TEST_CASE("runs at the same time do not disturb each other") {
  MICA_NEEDS_CONTAINERS();
  Container container;
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&, i] {
      const auto ran = container.run("echo " + std::to_string(i) + "; exit " + std::to_string(i));
      if (ran.status() == i && ran.out == std::to_string(i) + "\n") ++right;
    });
  for (auto& thread : threads) thread.join();
  CHECK(right == 6);
  CHECK(names_in(container.temporary()) == std::vector<std::string>{"root"});
}
