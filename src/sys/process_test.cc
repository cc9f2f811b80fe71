#include "sys/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <thread>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"

using namespace mica;
using namespace std::literals;
using sys::Process;
using sys::Spawn;

namespace {
std::string current_folder() { return sys::read_link_at(sys::open("/proc/self", O_PATH).value(), "cwd").value(); }

struct Pipe {
  sys::Fd out, in;
  Pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    out = sys::Fd(ends[0]);
    in = sys::Fd(ends[1]);
  }
  std::string read_to_end() {
    in.reset();
    return sys::read_fd(out).value();
  }
};

/// Standard output of a shell started as `spawn` says.
std::string shell(std::string script, Spawn spawn = {}) {
  Pipe pipe;
  spawn.argv = {"sh", "-c", std::move(script)};
  spawn.stdout_fd = pipe.in.get();
  auto process = Process::start(spawn);
  if (!process) return process.error().text();
  std::string text = pipe.read_to_end();
  CHECK(process->wait().has_value());
  return text;
}

int status_of(std::vector<std::string> argv) {
  auto process = Process::start({.argv = std::move(argv)});
  REQUIRE(process.has_value());
  return process->wait()->status;
}

bool is_alive(int pid) {
  const auto stat = sys::read_file(format("/proc/{}/stat", pid));
  if (!stat) return false;
  return stat->substr(stat->rfind(')') + 2, 1) != "Z";
}

bool dies(int pid) {
  for (int i = 0; i < 5000; ++i, std::this_thread::sleep_for(std::chrono::milliseconds(1)))
    if (!is_alive(pid)) return true;
  return false;
}

bool is_root() {
  if (::geteuid() == 0) return true;
  MESSAGE("skipped: a new pid namespace needs root");
  return false;
}
}  // namespace

TEST_CASE("a child's exit status or signal is told") {
  CHECK(status_of({"true"}) == 0);
  CHECK(status_of({"sh", "-c", "exit 7"}) == 7);
  auto killed = Process::start({.argv = {"sh", "-c", "kill -TERM $$"}});
  REQUIRE(killed.has_value());
  const auto exit = killed->wait();
  CHECK(exit->status == 128 + SIGTERM);
  CHECK(exit->signal == SIGTERM);
  CHECK(killed->pid() == -1);
  CHECK(killed->wait().error().code() == Errc::conflict);
}

TEST_CASE("a program that cannot start is an error that names it") {
  const auto none = Process::start({.argv = {"no-such-program"}});
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().text() == "program \"no-such-program\" was not found in PATH");
  CHECK(none.error().code() == Errc::not_found);
  const auto missing = Process::start({.argv = {"/no/such"}});
  CHECK(missing.error().text() == "starting \"/no/such\": No such file or directory");
  CHECK(missing.error().code() == Errc::not_found);
  CHECK(Process::start({.argv = {"/etc/passwd"}}).error().code() == Errc::permission_denied);
  CHECK(Process::start({.argv = {"true"}, .cwd = "/no/such"}).error().text().ends_with("true\": entering \"/no/such\": No such file or directory"));
  CHECK_FALSE(Process::start({.argv = {"true"}, .keep_fds = {987}}).has_value());
}

TEST_CASE("environment, folder and streams are as asked for") {
  ::setenv("MICA_TEST_VARIABLE", "ours", 1);
  CHECK(shell("echo $MICA_TEST_VARIABLE") == "ours\n");
  CHECK(shell("echo $MICA_TEST_VARIABLE", {.env = std::vector{"MICA_TEST_VARIABLE=theirs"s}}) == "theirs\n");
  CHECK(shell("env | grep -v -e ^PWD -e ^_ -e ^SHLVL -e ^OLDPWD", {.env = std::vector<std::string>{}}) == "");
  CHECK(shell("pwd", {.cwd = "/usr"}) == "/usr\n");
  CHECK(shell("cat; readlink /proc/self/fd/0") == "/dev/null\n");
  Pipe input, errors;
  CHECK(sys::write_all(input.in, "given"));
  input.in.reset();
  CHECK(shell("cat; echo oops >&2", {.stdin_fd = input.out.get(), .stderr_fd = errors.in.get()}) == "given");
  CHECK(errors.read_to_end() == "oops\n");
}

TEST_CASE("standard streams may be swapped") {
  Pipe out, err;
  const sys::Fd saved_out(::dup(1)), saved_err(::dup(2));
  REQUIRE(::dup2(out.in.get(), 1) == 1);
  REQUIRE(::dup2(err.in.get(), 2) == 2);
  auto process = Process::start({.argv = {"sh", "-c", "echo to-out; echo to-err >&2"}, .stdout_fd = 2, .stderr_fd = 1});
  REQUIRE(::dup2(saved_out.get(), 1) == 1);
  REQUIRE(::dup2(saved_err.get(), 2) == 2);
  REQUIRE(process.has_value());
  CHECK(process->wait()->status == 0);
  CHECK(out.read_to_end() == "to-err\n");
  CHECK(err.read_to_end() == "to-out\n");
}

TEST_CASE("a child inherits the descriptors it shall keep and no other") {
  const int leaking = ::dup(1);  // without close-on-exec
  const sys::Fd kept(::fcntl(1, F_DUPFD_CLOEXEC, 50));
  CHECK(shell("for f in /proc/self/fd/*; do echo ${f##*/}; done", {.keep_fds = {kept.get()}}).find(format("\n{}\n", kept.get())) != std::string::npos);
  CHECK(shell(format("test -e /proc/self/fd/{} && echo leaked", leaking)) == "");
  CHECK((::fcntl(kept.get(), F_GETFD) & FD_CLOEXEC) != 0);
  ::close(leaking);
}

TEST_CASE("a child has no signal blocked or ignored") {
  sigset_t block, before;
  ::sigemptyset(&block);
  ::sigaddset(&block, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &block, &before);
  const auto old = ::signal(SIGPIPE, SIG_IGN);
  const auto old_user = ::signal(SIGUSR1, [](int) {});
  const std::string status = shell("grep -e SigBlk -e SigIgn /proc/self/status");
  ::signal(SIGUSR1, old_user);
  ::signal(SIGPIPE, old);
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, &before, &after);
  CHECK(::sigismember(&after, SIGTERM) == 1);
  CHECK(status == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_CASE("a new session is the child's own") {
  CHECK(shell("test $(cut -d' ' -f6 /proc/$$/stat) = $$ && echo own", {.new_session = true}) == "own\n");
  CHECK(shell("test $(cut -d' ' -f6 /proc/$$/stat) = $$ && echo own") == "");
}

TEST_CASE("waiting stops, and the child with it, when asked") {
  const sys::Fd stop(::eventfd(1, EFD_CLOEXEC));
  auto process = Process::start({.argv = {"sleep", "60"}});
  const int pid = process->pid();
  const auto stopped = process->wait(stop.get());
  REQUIRE_FALSE(stopped.has_value());
  CHECK(stopped.error().code() == Errc::cancelled);
  CHECK_FALSE(is_alive(pid));
  const sys::Fd never(::eventfd(0, EFD_CLOEXEC));
  auto quick = Process::start({.argv = {"true"}});
  CHECK(quick->wait(never.get())->status == 0);
}

TEST_CASE("a child that has ended by itself is not taken for stopped") {
  const sys::Fd stop(::eventfd(1, EFD_CLOEXEC));
  auto process = Process::start({.argv = {"sh", "-c", "exit 3"}});
  REQUIRE(dies(process->pid()));
  CHECK(process->wait(stop.get())->status == 3);
}

TEST_CASE("a child dies with its object, and moves with it") {
  int pid = -1, other_pid = -1;
  {
    Process first = std::move(*Process::start({.argv = {"sleep", "60"}}));
    pid = first.pid();
    Process second = std::move(first);
    CHECK(first.pid() == -1);
    CHECK(second.pid() == pid);
    Process third = std::move(*Process::start({.argv = {"sleep", "60"}}));
    other_pid = third.pid();
    CHECK(third.signal(0));
    CHECK(third.signal(SIGSTOP));
    third = std::move(second);
    CHECK(third.pid() == pid);
    CHECK(is_alive(pid));
  }
  CHECK_FALSE(is_alive(pid));
  CHECK_FALSE(is_alive(other_pid));
}

TEST_CASE("a child dies when its parent is killed, unless it shall live") {
  for (const bool with_parent : {true, false}) {
    CAPTURE(with_parent);
    Pipe pids;
    const pid_t parent = ::fork();
    if (parent == 0) {
      auto process = Process::start({.argv = {"sleep", "60"}, .die_with_parent = with_parent});
      auto told = sys::write_all(pids.in, format("{}\n", process ? process->pid() : -1));
      ::raise(SIGKILL);
    }
    const auto pid = parse_int(trim(pids.read_to_end()));
    REQUIRE(pid.value_or(-1) > 0);
    ::waitpid(parent, nullptr, 0);
    if (with_parent) {
      CHECK(dies(static_cast<int>(*pid)));
    } else {
      CHECK(is_alive(static_cast<int>(*pid)));
      ::kill(static_cast<pid_t>(*pid), SIGKILL);
    }
  }
}

TEST_CASE("in a new pid namespace the child is pid 1 with its own /proc") {
  if (!is_root()) return;
  const Spawn spawn{.new_pid_namespace = true};
  CHECK(shell("echo $$; readlink /proc/self; ls -d /proc/[0-9]* | head -1", spawn) == "1\n2\n/proc/1\n");
  CHECK(shell("readlink /proc/self/ns/mnt", spawn) != shell("readlink /proc/self/ns/mnt"));
  CHECK(sys::exists(format("/proc/{}", ::getpid())));
}

TEST_CASE("killing pid 1 of a namespace, or its parent, kills everything it started") {
  if (!is_root()) return;
  constexpr const char* kScript = "setsid sleep 61 & (setsid sh -c 'sleep 62 & exec sleep 63' &) ; echo ready; exec sleep 64";
  for (const bool kill_parent : {true, false}) {
    CAPTURE(kill_parent);
    // The fifo's write end is open in all of them: it reads to its end once all are gone.
    Pipe out, pids;
    const pid_t parent = ::fork();
    if (parent == 0) {
      pids.out.reset();
      auto process = Process::start({.argv = {"sh", "-c", kScript}, .stdout_fd = out.in.get(), .new_pid_namespace = true});
      out.in.reset();
      if (process) {
        auto told = sys::write_all(pids.in, format("{}\n", process->pid()));
        auto ended = process->wait();
      }
      ::_exit(0);
    }
    pids.in.reset();
    out.in.reset();
    char text[32]{};
    REQUIRE(::read(pids.out.get(), text, sizeof text - 1) > 0);
    const auto pid = parse_int(trim(text));
    char ready[6];
    CHECK(sys::read_full(out.out, {reinterpret_cast<unsigned char*>(ready), 6}) == 6);
    pollfd end{.fd = out.out.get(), .events = POLLIN};
    CHECK(::poll(&end, 1, 20) == 0);
    ::kill(kill_parent ? parent : static_cast<pid_t>(*pid), SIGKILL);
    CHECK(::poll(&end, 1, 5000) == 1);
    CHECK(dies(static_cast<int>(*pid)));
    ::waitpid(parent, nullptr, 0);
  }
}

TEST_CASE("without the right to it a new pid namespace is an error with a hint") {
  if (!is_root()) return;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(1);
    const auto process = Process::start({.argv = {"true"}, .new_pid_namespace = true});
    ::_exit(!process && process.error().code() == Errc::permission_denied && !process.error().hint().empty() ? 0 : 2);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("many threads may start children at once") {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int i = 0; i < 20; ++i) {
        auto process = Process::start({.argv = {"sh", "-c", format("exit {}", t * 20 + i)}});
        CHECK(process->wait()->status == t * 20 + i);
      }
    });
  for (std::thread& thread : threads) thread.join();
}

TEST_CASE("output is captured, input given, failure told with the last words") {
  CHECK(sys::run_and_capture({"echo", "a b"}) == "a b\n");
  CHECK(sys::run_and_capture({"cat"}, 16 << 20, std::string(300'000, 'x'))->size() == 300'000);
  CHECK(sys::run_and_capture({"true"}, 16 << 20, "not read") == "");
  const auto failed = sys::run_and_capture({"sh", "-c", "echo partial; echo ' why ' >&2; exit 9"});
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().text() == "sh: exit status 9: why");
  CHECK(sys::run_and_capture({"sh", "-c", "kill -9 $$"}).error().text() == "sh: ended by signal 9");
  const auto wordy = sys::run_and_capture({"sh", "-c", "seq 100000 >&2; echo last >&2; exit 1"});
  CHECK(wordy.error().text().ends_with("100000\nlast"));
  CHECK(wordy.error().text().size() < 2100);
  CHECK(sys::run_and_capture({"seq", "10"}, 10).error().code() == Errc::resource_exhausted);
  CHECK(sys::run_and_capture({"sh", "-c", "yes"}, 100'000).error().code() == Errc::resource_exhausted);
  CHECK(sys::run_and_capture({"no-such-program"}).error().code() == Errc::not_found);
}

TEST_CASE("what a program leaves in the background does not hold its caller") {
  const std::int64_t start = monotonic_ns();
  CHECK(sys::run_and_capture({"sh", "-c", "sleep 3 & echo done"}) == "done\n");
  CHECK(monotonic_ns() - start < 2'500'000'000);
}

TEST_CASE("programs are found in PATH and the sbin folders, never in the current one") {
  CHECK(sys::find_program("sh")->ends_with("/sh"));
  CHECK(sys::find_program("/any/thing") == "/any/thing");
  CHECK(sys::find_program("").error().code() == Errc::not_found);
  const sys::TempDir dir = std::move(*sys::TempDir::create("/tmp", "mica-path-test"));
  CHECK(sys::write_file(dir.path() + "/mica-tool", "#!/bin/sh\n", 0755));
  CHECK(sys::write_file(dir.path() + "/not-executable", ""));
  CHECK(sys::make_directories(dir.path() + "/folder"));
  const std::string old = ::getenv("PATH"), here = current_folder();
  ::setenv("PATH", (dir.path() + "::.").c_str(), 1);
  REQUIRE(::chdir(dir.path().c_str()) == 0);
  CHECK(sys::find_program("mica-tool") == dir.path() + "/mica-tool");
  CHECK_FALSE(sys::find_program("not-executable").has_value());
  CHECK_FALSE(sys::find_program("folder").has_value());
  ::setenv("PATH", ":.", 1);
  CHECK_FALSE(sys::find_program("mica-tool").has_value());
  REQUIRE(::chdir(here.c_str()) == 0);
  ::setenv("PATH", old.c_str(), 1);
}
