#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "sys/fd.h"
#include "sys/kernel.h"

using namespace mica;
using namespace std::literals;

namespace {
struct Folder {
  sys::TempDir dir = std::move(*sys::TempDir::create("/tmp", "mica-remove-test"));
  std::string operator/(std::string_view name) const { return dir.path() + "/" + std::string(name); }
};

int count_open_files() {
  const auto names = sys::list_names(*sys::open("/proc/self/fd", O_RDONLY));
  return static_cast<int>(names->size());
}

/// Runs as an ordinary user in a child; the exit status counts what failed.
template <class Check>
int failures_as_user(Check check) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(99);
    ::_exit(check());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}
}  // namespace

TEST_CASE("removing takes files, folders, links and what is missing") {
  const Folder folder;
  CHECK(sys::remove_tree(folder / "none"));
  CHECK(sys::remove_tree(folder / "none/deeper"));
  CHECK(sys::write_file(folder / "file", ""));
  CHECK(sys::remove_tree(folder / "file"));
  CHECK(sys::make_directories(folder / "tree/a/b"));
  CHECK(sys::make_directories(folder / "tree/c"));
  CHECK(sys::make_directories(folder / "target/kept"));
  CHECK(sys::write_file(folder / "tree/a/b/file", "x"));
  REQUIRE(::symlink((folder / "target").c_str(), (folder / "tree/c/link").c_str()) == 0);
  REQUIRE(::mkfifo((folder / "tree/fifo").c_str(), 0600) == 0);
  REQUIRE(::symlink("tree", (folder / "link").c_str()) == 0);
  CHECK(sys::remove_tree(folder / "link"));
  CHECK(sys::exists(folder / "tree/a"));
  CHECK(sys::remove_tree(folder / "tree/"));
  CHECK_FALSE(sys::exists(folder / "tree"));
  CHECK(sys::exists(folder / "target/kept"));
  const sys::Fd fd = sys::open(folder.dir.path(), O_PATH).value();
  CHECK(sys::remove_tree_at(fd, "target/kept"));
  CHECK(sys::exists(folder / "target"));
  CHECK(sys::remove_tree_at(fd, "target"));
  CHECK(sys::list_names(fd)->empty());
}

TEST_CASE("removing refuses what has no name of its own") {
  for (const char* path : {"/", "", ".", "..", "/tmp/..", "//"}) {
    const auto refused = sys::remove_tree(path);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code() == Errc::invalid_argument);
  }
}

TEST_CASE("a very deep tree goes with few descriptors") {
  const Folder folder;
  constexpr int kDepth = 1500;
  REQUIRE(::mkdir((folder / "deep").c_str(), 0755) == 0);
  {
    sys::Fd at = sys::open(folder / "deep", O_RDONLY | O_DIRECTORY).value();
    for (int i = 0; i < kDepth; ++i) {
      REQUIRE(::mkdirat(at.get(), "d", 0755) == 0);
      REQUIRE(::mkdirat(at.get(), "e", 0755) == 0);
      REQUIRE(::symlinkat("x", at.get(), "link") == 0);
      at = sys::open_at(at, "d", O_RDONLY | O_DIRECTORY).value();
    }
  }
  const int before = count_open_files();
  rlimit old;
  ::getrlimit(RLIMIT_NOFILE, &old);
  const rlimit few{.rlim_cur = 128, .rlim_max = old.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  const auto removed = sys::remove_tree(folder / "deep");
  ::setrlimit(RLIMIT_NOFILE, &old);
  CHECK_MESSAGE(removed.has_value(), (removed ? "" : removed.error().text().substr(0, 100)));
  CHECK_FALSE(sys::exists(folder / "deep"));
  CHECK(count_open_files() == before);
}

TEST_CASE("a folder of very many files goes") {
  const Folder folder;
  REQUIRE(::mkdir((folder / "wide").c_str(), 0755) == 0);
  const sys::Fd wide = sys::open(folder / "wide", O_RDONLY | O_DIRECTORY).value();
  // Links, not files: ext4 is slow at making inodes soon after others were removed.
  REQUIRE(::mknodat(wide.get(), "file", S_IFREG | 0600, 0) == 0);
  for (int i = 0; i < 20'000; ++i) REQUIRE(::linkat(wide.get(), "file", wide.get(), format("file-{}", i).c_str(), 0) == 0);
  for (int i = 0; i < 300; ++i) REQUIRE(::mkdirat(wide.get(), format("dir-{}", i).c_str(), 0700) == 0);
  CHECK(sys::remove_tree(folder / "wide"));
  CHECK_FALSE(sys::exists(folder / "wide"));
}

TEST_CASE("folders closed to their owner are opened first") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: becoming another user needs root");
    return;
  }
  const Folder folder;
  REQUIRE(::chmod(folder.dir.path().c_str(), 0777) == 0);
  CHECK(failures_as_user([&] {
          int bad = 0;
          bad += !sys::make_directories(folder / "tree/unreadable/x/y");
          bad += !sys::make_directories(folder / "tree/readonly/empty");
          bad += !sys::make_directories(folder / "tree/unsearchable/z");
          bad += !sys::write_file(folder / "tree/readonly/file", "");
          bad += !sys::write_file(folder / "tree/unsearchable/file", "");
          ::chmod((folder / "tree/unreadable").c_str(), 0);
          ::chmod((folder / "tree/readonly").c_str(), 0555);
          ::chmod((folder / "tree/unsearchable").c_str(), 0600);
          ::chmod((folder / "tree").c_str(), 0500);
          bad += !sys::remove_tree(folder / "tree");
          return bad;
        }) == 0);
  CHECK_FALSE(sys::exists(folder / "tree"));
}

TEST_CASE("removing stops at a mount, a bind mount of the same file system too") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: mounting needs root");
    return;
  }
  const Folder folder;
  CHECK(sys::make_directories(folder / "kept"));
  CHECK(sys::write_file(folder / "kept/file", "x"));
  CHECK(sys::make_directories(folder / "tree/a/mounted"));
  REQUIRE(::mount((folder / "kept").c_str(), (folder / "tree/a/mounted").c_str(), nullptr, MS_BIND, nullptr) == 0);
  for (const char* path : {"tree", "tree/a/mounted"}) {
    const auto refused = sys::remove_tree(folder / path);
    CHECK_FALSE(refused.has_value());
    if (!refused) CHECK(refused.error().code() == Errc::conflict);
    if (!refused) CHECK(refused.error().text() == format("removing \"{}\": it is a mount point", folder / "tree/a/mounted"));
  }
  REQUIRE(::umount2((folder / "tree/a/mounted").c_str(), MNT_DETACH) == 0);
  CHECK(sys::exists(folder / "kept/file"));
  CHECK(sys::remove_tree(folder / "tree"));
}
