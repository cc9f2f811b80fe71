#include "runtime/users.h"

#include <doctest/doctest.h>

#include "base/format.h"

using namespace mica;
using runtime::resolve_groups;
using runtime::resolve_owner;
using runtime::resolve_user;

namespace {
constexpr const char* kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "# a comment\n"
    "broken line\n"
    "app:x:1000:1000:app:/home/app:/bin/sh\n"
    "bob:x:1001:100::/home/bob:\n"
    "7:x:70:71:a name of digits:/seven:\n"
    "short:x:80:81\n";
constexpr const char* kGroup = "root:x:0:\nstaff:x:50:app,root\nwheel:x:10: root , app\nusers:x:100:\napp:x:1000:app\nempty:x:60\n";

std::string show(std::string_view user, std::string_view passwd = kPasswd, std::string_view group = kGroup) {
  auto got = resolve_user(user, passwd, group);
  if (!got) return std::string(name(got.error().code())) + ": " + got.error().message();
  std::string out = format("{}:{}", got->uid, got->gid);
  for (auto gid : got->additional_gids) out += format("+{}", gid);
  return out + " " + got->home + " " + got->name;
}
}  // namespace

TEST_CASE("users are found by name or number, with home and groups") {
  struct Row {
    const char* user;
    const char* expected;
  };
  for (const Row& row : {
           Row{"", "0:0+50+10 /root root"},
           Row{"root", "0:0+50+10 /root root"},
           Row{"0", "0:0+50+10 /root root"},
           Row{"app", "1000:1000+50+10+1000 /home/app app"},
           Row{"1000", "1000:1000+50+10+1000 /home/app app"},
           Row{"bob", "1001:100 /home/bob bob"},
           Row{"bob:staff", "1001:50 /home/bob bob"},
           Row{"app:5", "1000:5 /home/app app"},
           Row{"app:50", "1000:50 /home/app app"},
           Row{":staff", "0:50 /root root"},
           Row{"4242", "4242:0 / "},
           Row{"4242:4243", "4242:4243 / "},
           Row{"7", "70:71 /seven 7"},
           Row{"short", "80:81 / short"},
           Row{"nobody", "not_found: unable to find user nobody: no matching entries in passwd file"},
           Row{"app:nogroup", "not_found: unable to find group nogroup: no matching entries in group file"},
           Row{"-1", "invalid_argument: uids and gids must be in range 0-2147483647"},
           Row{"1:2147483648", "invalid_argument: uids and gids must be in range 0-2147483647"},
       }) {
    CAPTURE(row.user);
    CHECK(show(row.user) == row.expected);
  }
}

TEST_CASE("an image without passwd and group files has numbers only") {
  CHECK(show("", "", "") == "0:0 / ");
  CHECK(show("12:34", "", "") == "12:34 / ");
  CHECK(show("app", "", "") == "not_found: unable to find user app: no matching entries in passwd file");
}

TEST_CASE("owners of --chown never fail") {
  using Pair = std::pair<std::uint32_t, std::uint32_t>;
  CHECK(resolve_owner("5", kPasswd, kGroup) == Pair{5, 5});
  CHECK(resolve_owner("5:6", kPasswd, kGroup) == Pair{5, 6});
  CHECK(resolve_owner("bob", kPasswd, kGroup) == Pair{1001, 100});
  CHECK(resolve_owner("bob:staff", kPasswd, kGroup) == Pair{1001, 50});
  CHECK(resolve_owner("nobody:nogroup", kPasswd, kGroup) == Pair{0, 0});
}

TEST_CASE("groups to add are names or numbers") {
  auto got = resolve_groups({"staff", "77", "100"}, kGroup);
  REQUIRE(got);
  CHECK(*got == std::vector<std::uint32_t>{50, 77, 100});
  CHECK_FALSE(resolve_groups({"nogroup"}, kGroup));
}
