#include "sys/userns.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "sys/fd.h"
#include "sys/kernel.h"
#include "sys/mount.h"
#include "sys/process.h"
#include "sys/subordinate_ids.h"

using namespace mica;
using namespace std::literals;
using sys::IdRange;

TEST_CASE("subordinate ids are found by name and by number, in order, and bad lines count for nothing") {
  constexpr std::string_view kTable =
      "root:1:2\n# comment\nann:100000:65536\nannabel:7:7\n1000:300000:10\nann:200000:5\n\nann:x:5\nann:5\nann:5:0\nann:5:-1\n"
      "ann:4294967295:1\nann:1:4294967295\nann:1:2:3\n:1:1\nann:99999999999999999999:1";
  const std::vector<IdRange> expected{{100000, 65536}, {300000, 10}, {200000, 5}};
  CHECK(sys::subordinate_ranges(kTable, "ann", 1000) == expected);
  CHECK(sys::subordinate_ranges(kTable, "annabel", 5) == std::vector<IdRange>{{7, 7}});
  CHECK(sys::subordinate_ranges(kTable, "", 1000) == std::vector<IdRange>{{300000, 10}});
  CHECK(sys::subordinate_ranges(kTable, "bob", 1).empty());
  CHECK(sys::subordinate_ranges("", "ann", 1).empty());
  CHECK(sys::subordinate_ranges("ann:1:2\r\n", "ann", 1) == std::vector<IdRange>{{1, 2}});
}

TEST_CASE("the map puts the caller at 0 and the ranges after it") {
  CHECK(join(sys::map_arguments(1000, {{100000, 65536}, {300000, 10}}), " ") == "0 1000 1 1 100000 65536 65537 300000 10");
  CHECK(join(sys::map_arguments(5, {}), " ") == "0 5 1");
  CHECK(join(sys::map_arguments(5, {{1, 4294967290}, {1, 100}}), " ") == "0 5 1 1 1 4294967290");
}

TEST_CASE("the identity map is told from others") {
  CHECK(sys::is_identity_map("         0          0 4294967295\n"));
  for (const char* map : {"", "0 1000 1\n", "0 0 65536\n", "0 0 1\n1 1 4294967294\n", "0 1000 1\n1 100000 65536\n"}) CHECK_FALSE(sys::is_identity_map(map));
}

namespace {
constexpr uid_t kUser = 54321;
constexpr gid_t kGroup = 54320;

/// This test program again as an ordinary user with subordinate ids, with MICA_TEST_PROBE=what; its status. Files of /etc are
/// covered in a mount namespace of its own. `meet` gets the pid of the first process, while it runs.
template <class Meet>
int run_as_user(const std::string& what, const std::string& subuid, Meet meet) {
  const sys::TempDir dir = std::move(*sys::TempDir::create("/tmp", "mica-userns-test"));
  REQUIRE(::chmod(dir.path().c_str(), 0777) == 0);
  const auto cover = [&](const char* name, const std::string& content) {
    const std::string source = dir.path() + "/" + name;
    return sys::write_file(source, content) && ::mount(source.c_str(), format("/etc/{}", name).c_str(), nullptr, MS_BIND, nullptr) == 0;
  };
  const pid_t child = ::fork();
  if (child == 0) {
    if (!sys::enter_private_mount_namespace()) ::_exit(90);
    const std::string passwd = sys::read_file("/etc/passwd").value() + format("mica-ann:x:{}:{}::/tmp:/bin/sh\n", kUser, kGroup);
    if (!cover("passwd", passwd) || !cover("subuid", subuid) || !cover("subgid", "mica-ann:700000:65536\n")) ::_exit(91);
    if (::setgroups(0, nullptr) != 0 || ::setresgid(kGroup, kGroup, kGroup) != 0 || ::setresuid(kUser, kUser, kUser) != 0) ::_exit(92);
    if (what == "no new privileges" && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(94);
    ::setenv("MICA_TEST_PROBE", what.c_str(), 1);
    ::setenv("MICA_TEST_FOLDER", dir.path().c_str(), 1);
    ::execl("/proc/self/exe", "sys_test", "-m", "-tc=probe of becoming root of a namespace", nullptr);
    ::_exit(93);
  }
  meet(child, dir.path());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run_as_user(const std::string& what, const std::string& subuid = "mica-ann:600000:65536\n") {
  return run_as_user(what, subuid, [](pid_t, const std::string&) {});
}

bool can_try() {
  if (::geteuid() == 0 && !sys::is_rootless() && sys::can_mount() && sys::find_program("newuidmap") && sys::find_program("newgidmap")) return true;
  MESSAGE("skipped: becoming an ordinary user with subordinate ids needs root and newuidmap (package uidmap)");
  return false;
}

std::string words(const char* path) {
  const std::string text = sys::read_file(path).value_or("");
  std::vector<std::string> out;
  for (const std::string_view word : split_blanks(text)) out.emplace_back(word);
  return join(out, " ");
}

void check_inside(const std::string& folder) {
  CHECK(::getuid() == 0);
  CHECK(::getgid() == 0);
  CHECK(sys::is_rootless());
  CHECK(sys::can_mount());
  CHECK(::getenv("MICA_ROOTLESS") == "1"s);
  CHECK(::getenv("MICA_ROOTLESS_UID") == std::to_string(kUser));
  CHECK(words("/proc/self/uid_map") == format("0 {} 1 1 600000 65536", kUser));
  CHECK(words("/proc/self/gid_map") == format("0 {} 1 1 700000 65536", kGroup));
  sigset_t mask;
  ::sigprocmask(SIG_SETMASK, nullptr, &mask);
  CHECK(::sigismember(&mask, SIGTERM) == 0);
  CHECK(sys::become_namespace_root());

  for (const char* name : {"low", "upper", "work", "merged"}) CHECK(sys::make_directories(folder + "/in/" + name));
  CHECK(sys::write_file(folder + "/in/low/file", "low"));
  CHECK(sys::write_file(folder + "/in/low/other", "low"));
  CHECK(sys::enter_private_mount_namespace());
  {
    const auto mount = sys::Mount::overlay({.lowers = {folder + "/in/low"}, .upper = folder + "/in/upper", .work = folder + "/in/work", .userxattr = true},
                                           folder + "/in/merged");
    REQUIRE_MESSAGE(mount.has_value(), mount.error().full_text());
    CHECK(sys::write_file(folder + "/in/merged/file", "changed"));
    CHECK(::chown((folder + "/in/merged/file").c_str(), 1, 65536) == 0);
    CHECK(sys::remove_file(folder + "/in/merged/other"));
    const auto bind = sys::Mount::bind(folder + "/in/low", folder + "/in/work", true);
    CHECK(bind.has_value());
    CHECK(sys::Mount::tmpfs(folder + "/in/low", "size=1m").has_value());
  }
  const sys::Fd upper = sys::open(folder + "/in/upper", O_PATH).value();
  CHECK(sys::lstat_at(upper, "file")->st_uid == 1);
  CHECK(sys::lstat_at(upper, "file")->st_gid == 65536);
  CHECK(S_ISCHR(sys::lstat_at(upper, "other")->st_mode));
  auto isolated = sys::Process::start({.argv = {"sh", "-c", "test $$ = 1"}, .new_pid_namespace = true});
  REQUIRE_MESSAGE(isolated.has_value(), isolated.error().full_text());
  CHECK(isolated->wait()->status == 0);
  CHECK(sys::remove_tree(folder + "/in"));
}

void write_caught(int) { ::_exit(44); }
}  // namespace

TEST_CASE("probe of becoming root of a namespace") {
  const char* what = ::getenv("MICA_TEST_PROBE");
  if (!what) return;  // it is the other cases that run this one, as another user
  const std::string probe = what, folder = ::getenv("MICA_TEST_FOLDER");
  const auto became = sys::become_namespace_root();
  if (probe == "no ids") {
    REQUIRE_FALSE(became.has_value());
    CHECK(became.error().code() == Errc::unsupported);
    CHECK(became.error().text() == "running without root: user \"mica-ann\" has no ids in /etc/subuid");
    CHECK(became.error().hint().find("usermod") != std::string::npos);
    return;
  }
  if (probe == "no new privileges") {
    REQUIRE_FALSE(became.has_value());
    CHECK(became.error().code() == Errc::unsupported);
    CHECK(became.error().text().find("newuidmap: exit status") != std::string::npos);
    CHECK(became.error().hint().find("setuid root") != std::string::npos);
    return;
  }
  REQUIRE_MESSAGE(became.has_value(), became.error().full_text());
  if (probe == "inside") check_inside(folder);
  if (probe == "exit") ::_exit(43);
  if (probe == "killed") ::raise(SIGKILL);
  if (probe == "wait") {
    ::signal(SIGTERM, write_caught);
    CHECK(sys::write_file(folder + "/ready", std::to_string(::getpid())));
    while (true) ::pause();
  }
}

TEST_CASE("an ordinary user becomes root of a namespace, with ids, overlay and pid namespaces") {
  if (can_try()) CHECK(run_as_user("inside") == 0);
}

TEST_CASE("the first process ends as the one inside the namespace does") {
  if (!can_try()) return;
  CHECK(run_as_user("exit") == 43);
  CHECK(run_as_user("killed") == 128 + SIGKILL);
}

TEST_CASE("signals are passed on to the process inside, and killing the first kills it") {
  if (!can_try()) return;
  for (const int number : {SIGTERM, SIGKILL}) {
    pid_t inside = 0;
    const int status = run_as_user("wait", "mica-ann:600000:65536\n", [&](pid_t first, const std::string& folder) {
      for (int i = 0; i < 5000 && inside == 0; ++i, ::usleep(1000))
        inside = static_cast<pid_t>(parse_int(sys::read_file(folder + "/ready").value_or("")).value_or(0));
      CHECK(inside != 0);
      CHECK(inside != first);
      ::kill(first, number);
    });
    CHECK(status == (number == SIGTERM ? 44 : 128 + SIGKILL));
    bool gone = false;
    for (int i = 0; i < 5000 && !gone; ++i, ::usleep(1000)) gone = ::kill(inside, 0) != 0;
    CHECK(gone);
  }
}

TEST_CASE("without subordinate ids, or the right to use them, the error says what to do") {
  if (!can_try()) return;
  CHECK(run_as_user("no new privileges") == 0);
  CHECK(run_as_user("no ids", "mica-bob:600000:65536\n") == 0);
}
