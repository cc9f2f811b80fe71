#include "runtime/relay.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/time.h"
#include "runtime/pipe.h"
#include "task/task.h"

using namespace mica;
using namespace std::chrono_literals;
using runtime::Pipe;
using runtime::Pty;

namespace {

struct Said {
  std::string out, err;
  runtime::Output output() {
    return [this](int stream, std::string_view bytes) { (stream == 1 ? out : err) += bytes; };
  }
};

Result<sys::Exit> in_pipes(const std::string& script, Said& said, int stop_fd = -1) {
  auto out = TRY(Pipe::open());
  auto err = TRY(Pipe::open());
  auto process = TRY(sys::Process::start({.argv = {"/bin/sh", "-c", script}, .stdout_fd = out.writer.get(), .stderr_fd = err.writer.get()}));
  out.writer.reset();
  err.writer.reset();
  return runtime::relay_pipes(process, out.reader, err.reader, said.output(), stop_fd);
}

Result<sys::Exit> in_terminal(const std::string& script, Said& said, int terminal_fd, int input_fd, int stop_fd = -1) {
  auto pty = TRY(Pty::open());
  int slave = pty.slave.get();
  auto process = TRY(sys::Process::start({.argv = {"/bin/sh", "-c", script}, .stdin_fd = slave, .stdout_fd = slave, .stderr_fd = slave, .new_session = true}));
  return runtime::relay_terminal(process, pty, terminal_fd, input_fd, said.output(), stop_fd);
}

}  // namespace

TEST_CASE("both pipes are read to the end, and the status is the process's") {
  Said said;
  auto exit = in_pipes("echo out; echo err >&2; exit 7", said);
  REQUIRE(exit);
  CHECK(exit->status == 7);
  CHECK(said.out == "out\n");
  CHECK(said.err == "err\n");
}

TEST_CASE("much output is complete, also what is still in the pipe at the end") {
  Said said;
  auto exit = in_pipes("head -c 3000000 /dev/zero; head -c 50000 /dev/zero >&2", said);
  REQUIRE(exit);
  CHECK(said.out.size() == 3000000);
  CHECK(said.err.size() == 50000);
}

TEST_CASE("a child that keeps the pipe open does not hold up the end") {
  Said said;
  const auto start = monotonic_ns();
  auto exit = in_pipes("sleep 5 & echo $!", said);
  REQUIRE(exit);
  CHECK(monotonic_ns() - start < 3'000'000'000);
  CHECK_FALSE(said.out.empty());
  ::kill(std::atoi(said.out.c_str()), SIGKILL);
}

TEST_CASE("stopping kills the process at once") {
  auto cancel = task::Cancel::create();
  std::thread stopper([&] {
    std::this_thread::sleep_for(100ms);
    cancel.stop();
  });
  Said said;
  const auto start = monotonic_ns();
  auto exit = in_pipes("echo begun; exec sleep 20", said, cancel.fd());
  stopper.join();
  REQUIRE_FALSE(exit);
  CHECK(exit.error().code() == Errc::cancelled);
  CHECK(said.out == "begun\n");
  CHECK(monotonic_ns() - start < 1'000'000'000);
}

TEST_CASE("a terminal carries input and output, and reports as one") {
  Said said;
  auto input = Pipe::open();
  REQUIRE(input);
  REQUIRE(sys::write_all(input->writer, "first line\n"));
  auto exit = in_terminal("test -t 0 && test -t 1 && test -t 2 && stty -echo && echo ready && read line && echo \"got $line\"; exit 3", said, -1, input->reader.get());
  REQUIRE(exit);
  CHECK(exit->status == 3);
  CHECK(said.out.find("ready\r\n") != std::string::npos);
  CHECK(said.out.find("got first line\r\n") != std::string::npos);
  CHECK(said.err.empty());
}

TEST_CASE("input that nobody reads holds up neither output nor a stop") {
  auto cancel = task::Cancel::create();
  Said said;
  auto input = Pipe::open();
  REQUIRE(input);
  const std::string flood(60'000, 'x');
  REQUIRE(sys::write_all(input->writer, flood));
  std::thread stopper([&] {
    std::this_thread::sleep_for(600ms);
    cancel.stop();
  });
  auto exit = in_terminal("stty -icanon -echo; sleep 0.3; echo still; exec sleep 20", said, -1, input->reader.get(), cancel.fd());
  stopper.join();
  REQUIRE_FALSE(exit);
  CHECK(said.out.find("still") != std::string::npos);
}

TEST_CASE("the window size of the user's terminal is followed") {
  auto user = Pty::open();
  REQUIRE(user);
  struct winsize size {.ws_row = 33, .ws_col = 101, .ws_xpixel = 0, .ws_ypixel = 0};
  REQUIRE(::ioctl(user->master.get(), TIOCSWINSZ, &size) == 0);
  Said said;
  auto exit = in_terminal("sleep 0.4; stty size", said, user->slave.get(), -1);
  REQUIRE(exit);
  CHECK(said.out == "33 101\r\n");
}
