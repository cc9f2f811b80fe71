#include "runtime/program_runtime.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "sys/fd.h"

using namespace mica;
using runtime::CgroupLayout;
using runtime::Cgroups;

TEST_CASE("a runtime's log holds its complaint or none") {
  CHECK(runtime::complaint_in("") == "");
  CHECK(runtime::complaint_in("{\"level\":\"warning\",\"msg\":\"odd\"}\n") == "");
  CHECK(runtime::complaint_in("garbage\n{\"level\":\"error\",\"msg\":\"runc run failed: no\"}\n") == "runc run failed: no");
  CHECK(runtime::complaint_in("{\"level\":\"error\",\"msg\":\"first\"}\n{\"level\":\"error\",\"msg\":\"last\"}") == "last");
  // The command ran; what failed is the clearing away.
  CHECK(runtime::complaint_in("{\"level\":\"error\",\"msg\":\"Failed to remove paths: map[cpu:/x]\"}\n") == "");
}

TEST_CASE("complaints about the command have the shell's statuses, others are the runtime's") {
  struct Row {
    const char* complaint;
    int status;
    Errc code;
    const char* text;
  };
  for (const Row& row : {
           Row{"runc run failed: unable to start container process: exec: \"nosuch\": executable file not found in $PATH", 127, Errc::not_found,
               "exec: \"nosuch\": executable file not found in $PATH"},
           Row{"runc run failed: unable to start container process: exec: \"/nosuch\": stat /nosuch: no such file or directory", 127, Errc::not_found,
               "exec: \"/nosuch\": stat /nosuch: no such file or directory"},
           Row{"runc run failed: unable to start container process: exec: \"/tmp\": permission denied", 126, Errc::permission_denied,
               "exec: \"/tmp\": permission denied"},
           Row{"exec container process `/x`: Exec format error", 126, Errc::permission_denied, "exec container process `/x`: Exec format error"},
           Row{"executable file `x` not found in $PATH: No such file or directory", 127, Errc::not_found, "executable file `x` not found in $PATH: No such file or directory"},
           Row{"runc run failed: unable to start container process: error during container init: error mounting \"/nosuch\" to rootfs at \"/x\": stat /nosuch: "
               "no such file or directory", 125, Errc::unavailable,
               "runc: error during container init: error mounting \"/nosuch\" to rootfs at \"/x\": stat /nosuch: no such file or directory"},
       }) {
    const Error error = runtime::error_of_complaint(row.complaint, "runc");
    CHECK(error.exit_status() == row.status);
    CHECK(error.code() == row.code);
    CHECK(error.message() == row.text);
  }
}

namespace {

/// A folder of programs that is all of PATH while it lives; each writes its name to `started` and then does as it is told.
class Programs {
 public:
  Programs() : folder_(*sys::TempDir::create("/tmp", "runtime-test")), path_(std::getenv("PATH")) { ::setenv("PATH", folder_.path().c_str(), 1); }
  ~Programs() { ::setenv("PATH", path_.c_str(), 1); }
  void add(const std::string& name, const std::string& script) {
    const std::string text = format("#!/bin/sh\necho {} >> {}/started\n{}\n", name, folder_.path(), script);
    REQUIRE(sys::write_file(file(name), text, 0755));
  }
  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string started() const { return sys::read_file(file("started")).value_or(""); }
  void forget() { (void)sys::remove_file(file("started")); }

 private:
  sys::TempDir folder_;
  std::string path_;
};

constexpr const char* kVersion11 = "[ \"$1\" = --version ] && { echo \"X version 1.8.1+dev\"; echo \"spec: 1.0.2\"; exit; }";
/// Answers a trial as a runtime does that works: "no such command" in its log.
constexpr const char* kWorks =
    "while [ $# -gt 0 ]; do [ \"$1\" = --log ] && log=$2; shift; done\n"
    "echo '{\"level\":\"error\",\"msg\":\"exec: \\\"/x\\\": stat /x: no such file or directory\"}' > $log; exit 1";
constexpr const char* kRefuses =
    "while [ $# -gt 0 ]; do [ \"$1\" = --log ] && log=$2; shift; done\n"
    "echo '{\"level\":\"error\",\"msg\":\"not on this machine\"}' > $log; exit 1";

std::string version_and(const char* rest) { return std::string(kVersion11) + "\n" + rest; }

}  // namespace

TEST_CASE("crun is never started where control groups are hybrid, under whatever name") {
  Programs programs;
  programs.add("crun", version_and(kWorks));
  REQUIRE(::symlink(programs.file("crun").c_str(), programs.file("other").c_str()) == 0);
  const Cgroups hybrid{.layout = CgroupLayout::hybrid};
  for (const std::string& name : {std::string("crun"), programs.file("crun"), std::string("other"), programs.file("other")}) {
    auto got = runtime::find_runtime(name, "", hybrid);
    REQUIRE_FALSE(got);
    CHECK(got.error().code() == Errc::unsupported);
  }
  // Left to itself it takes another one: of this machine, since sbin folders are always looked into.
  programs.add("runc", version_and(kWorks));
  (void)runtime::find_runtime("", "", hybrid);
  CHECK(programs.started().find("crun") == std::string::npos);
  CHECK(programs.started().starts_with("runc\n"));
}

TEST_CASE("a runtime is chosen by trying, and remembered with what it was tried on") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: a new pid namespace needs root");
    return;
  }
  Programs programs;
  programs.add("crun", version_and(kRefuses));
  programs.add("runc", version_and(kWorks));
  const std::string memory = programs.file("memory");
  const Cgroups v2{.layout = CgroupLayout::v2};
  auto got = runtime::find_runtime("", memory, v2);
  REQUIRE_MESSAGE(got, got.error().text());
  CHECK((*got)->name() == "runc 1.8.1");
  CHECK(programs.started() == "crun\ncrun\nrunc\nrunc\n");   // version and trial of each

  programs.forget();
  got = runtime::find_runtime("", memory, v2);
  REQUIRE(got);
  CHECK((*got)->name() == "runc 1.8.1");
  CHECK(programs.started() == "");

  SUBCASE("another machine is another question") {
    REQUIRE(runtime::find_runtime("", memory, {.layout = CgroupLayout::v1}));
    CHECK(programs.started().starts_with("crun\n"));
  }
  SUBCASE("another program too") {
    programs.add("runc", version_and(kWorks) + "\n# changed");
    REQUIRE(runtime::find_runtime("", memory, v2));
    CHECK(programs.started().find("runc\n") != std::string::npos);
  }
  SUBCASE("a memory that is garbage is no memory") {
    REQUIRE(sys::write_file(memory, "{\"machine\":"));
    REQUIRE(runtime::find_runtime("", memory, v2));
    CHECK(programs.started().starts_with("crun\n"));
  }
}

TEST_CASE("a runtime that is named must be there") {
  Programs programs;
  auto named = runtime::find_runtime("runsc", "", {});
  REQUIRE_FALSE(named);
  CHECK(named.error().code() == Errc::not_found);
  CHECK_FALSE(named.error().hint().empty());
  auto path = runtime::find_runtime("/no/such/runtime", "", {});
  REQUIRE_FALSE(path);
  CHECK(path.error().code() == Errc::not_found);
}
