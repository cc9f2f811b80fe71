#include "runtime/capabilities.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/text.h"

using namespace mica;
using Names = std::vector<std::string>;

namespace {
std::string list(bool privileged, const Names& add, const Names& drop) {
  auto got = runtime::container_capabilities(privileged, add, drop);
  return got ? replace_all(join(*got, " "), "CAP_", "") : "error: " + got.error().text();
}
}  // namespace

TEST_CASE("the default is Docker's fourteen capabilities, in the kernel's order") {
  CHECK(list(false, {}, {}) ==
        "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP");
}

TEST_CASE("capabilities are added and dropped as Docker does") {
  struct Row {
    Names add, drop;
    const char* expected;
  };
  for (const Row& row : {
           Row{{}, {"ALL"}, ""},
           Row{{"net_admin", "CAP_CHOWN"}, {"all"}, "CHOWN NET_ADMIN"},
           Row{{"CHOWN"}, {"CHOWN", "ALL"}, "CHOWN"},
           Row{{}, {"mknod", "CAP_AUDIT_WRITE", "SETFCAP"}, "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT"},
           Row{{"KILL"}, {"KILL", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID", "SETPCAP"}, "KILL NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP"},
       })
    CHECK(list(false, row.add, row.drop) == row.expected);
}

TEST_CASE("ALL is what this process may hand on, without what is dropped") {
  const auto all = runtime::container_capabilities(false, {"ALL"}, {});
  const auto privileged = runtime::container_capabilities(true, {}, {});
  REQUIRE(all);
  REQUIRE(privileged);
  CHECK(*all == *privileged);
  CHECK(all->size() <= runtime::all_capabilities().size());
  for (const bool is_privileged : {false, true}) {
    const auto less = runtime::container_capabilities(is_privileged, is_privileged ? Names{} : Names{"ALL"}, {"KILL"});
    REQUIRE(less);
    CHECK(less->size() + 1 == all->size());
    CHECK(std::find(less->begin(), less->end(), "CAP_KILL") == less->end());
  }
}

TEST_CASE("an unknown capability is refused with the nearest name") {
  auto got = runtime::container_capabilities(false, {"NET_ADMN"}, {});
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::invalid_argument);
  CHECK(got.error().hint() == "did you mean CAP_NET_ADMIN?");
  CHECK_FALSE(runtime::container_capabilities(true, {}, {"nonsense"}));
}
