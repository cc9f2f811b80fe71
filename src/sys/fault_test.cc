#include "sys/fault.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "sys/fd.h"
#include "sys/process.h"

using namespace mica;
using namespace std::literals;

TEST_CASE("probe of an atomic write") {
  const char* folder = ::getenv("MICA_TEST_ATOMIC");
  if (!folder) return;  // it is the other cases that run this one, with faults
  const auto written = sys::write_file_atomically(folder + "/file"s, "new");
  if (written) return;
  CHECK(written.error().code() == Errc::resource_exhausted);
  CHECK(written.error().text().find("fault point") != std::string::npos);
  ::_exit(50);
}

namespace {
/// The exit of this test program doing one atomic write in `folder` with MICA_* variables set.
sys::Exit write_with(const std::string& folder, const std::string& variable) {
  const sys::Fd nowhere = sys::open("/dev/null", O_WRONLY).value();
  auto process = sys::Process::start({.argv = {"/proc/self/exe", "-m", "-tc=probe of an atomic write"},
                                      .env = std::vector{"MICA_TEST_ATOMIC=" + folder, variable},
                                      .stdout_fd = nowhere.get(), .stderr_fd = nowhere.get()});
  REQUIRE(process.has_value());
  return process->wait().value();
}

struct Folder {
  sys::TempDir dir = std::move(*sys::TempDir::create("/tmp", "mica-fault-test"));
  Folder() { REQUIRE(sys::write_file(dir.path() + "/file", "old")); }
  std::string content() const { return sys::read_file(dir.path() + "/file").value(); }
  std::size_t files() const { return sys::list_names(*sys::open(dir.path(), O_RDONLY))->size(); }
};

int count_points() {
  const Folder folder;
  const std::string count = folder.dir.path() + "/count";
  CHECK(write_with(folder.dir.path(), "MICA_FAULT_COUNT=" + count).status == 0);
  return static_cast<int>(parse_int(trim(sys::read_file(count).value())).value());
}
}  // namespace

TEST_CASE("without a request no point does anything") {
  CHECK(sys::fault_point("nothing"));
  sys::crash_point("nothing");
}

TEST_CASE("killed at any point, an atomic write leaves the old content or the new") {
  const int points = count_points();
  CHECK(points >= 4);
  bool old_seen = false, new_seen = false;
  for (int n = 1; n <= points; ++n) {
    CAPTURE(n);
    const Folder folder;
    CHECK(write_with(folder.dir.path(), format("MICA_FAULT=kill:{}", n)).signal == SIGKILL);
    const std::string content = folder.content();
    (content == "old" ? old_seen : new_seen) = true;
    CHECK((content == "old" || content == "new"));
  }
  CHECK(old_seen);
  CHECK(new_seen);
  const Folder folder;
  CHECK(write_with(folder.dir.path(), format("MICA_FAULT=kill:{}", points + 1)).status == 0);
}

TEST_CASE("with the disk full at any point, an atomic write fails and leaves no other file") {
  int n = 1;
  while (true) {
    CAPTURE(n);
    const Folder folder;
    const sys::Exit exit = write_with(folder.dir.path(), format("MICA_FAULT=enospc:{}", n));
    CHECK(folder.files() == 1);
    if (exit.status == 0) break;
    REQUIRE(exit.status == 50);
    ++n;
  }
  CHECK(n > 3);
}

TEST_CASE("a fault request that cannot be read ends the program") {
  const Folder folder;
  for (const char* bad : {"MICA_FAULT=kill", "MICA_FAULT=kill:0", "MICA_FAULT=explode:1", "MICA_FAULT=kill:x"})
    CHECK(write_with(folder.dir.path(), bad).signal == SIGABRT);
}
