#include "sys/mount.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "base/text.h"
#include "sys/kernel.h"
#include "sys/userns.h"

using namespace mica;
using namespace std::literals;
using sys::Mount;

namespace {
struct Folder {
  sys::TempDir dir = std::move(*sys::TempDir::create("/tmp", "mica-mount-test"));
  std::string operator/(std::string_view name) const { return dir.path() + "/" + std::string(name); }
  void write(std::string_view name, std::string_view bytes) const {
    REQUIRE(sys::make_directories(dir_name(*this / name)));
    REQUIRE(sys::write_file(*this / name, bytes));
  }
  std::string read(std::string_view name) const { return sys::read_file(*this / name).value_or("none"); }
  std::string make(std::string_view name) const {
    REQUIRE(sys::make_directories(*this / name));
    return *this / name;
  }
};

bool mounts_work() {
  if (sys::can_mount()) return true;
  MESSAGE("skipped: mounting needs CAP_SYS_ADMIN");
  return false;
}

std::string mount_line(const std::string& target) {
  const std::string table = sys::read_file("/proc/self/mountinfo").value();
  for (const std::string_view line : split(table, '\n'))
    if (line.find(format(" {} ", target)) != std::string_view::npos) return std::string(line);
  return "";
}

std::string text_of(const Result<Mount>& mount) { return mount ? "" : mount.error().full_text(); }
}  // namespace

TEST_CASE("an overlay shows its layers top-most first and keeps changes in the upper folder, in plain form") {
  if (!mounts_work()) return;
  for (const bool userxattr : {false, true}) {
    CAPTURE(userxattr);
    const Folder folder;
    folder.write("low/both", "low");
    folder.write("low/dir/file", "low");
    folder.write("low/gone", "low");
    folder.write("high/both", "high");
    sys::OverlaySpec spec{.lowers = {folder / "high", folder / "low"}, .upper = folder.make("upper"), .work = folder.make("work")};
    spec.userxattr = userxattr;
    const std::string target = folder.make("merged");
    {
      const auto mount = Mount::overlay(spec, target);
      REQUIRE_MESSAGE(mount.has_value(), text_of(mount));
      CHECK(mount->target() == target);
      CHECK(folder.read("merged/both") == "high");
      folder.write("merged/new", "new");
      folder.write("merged/dir/file", "changed");
      CHECK(sys::remove_file(folder / "merged/gone"));
      CHECK(::rename((folder / "merged/dir").c_str(), (folder / "merged/renamed").c_str()) != 0);
      CHECK(errno == EXDEV);
    }
    CHECK(mount_line(target) == "");
    CHECK_FALSE(sys::exists(folder / "merged/new"));
    CHECK(folder.read("upper/new") == "new");
    CHECK(folder.read("upper/dir/file") == "changed");
    CHECK(folder.read("low/dir/file") == "low");
    const sys::Fd upper = sys::open(folder / "upper", O_RDONLY | O_DIRECTORY).value();
    CHECK(S_ISCHR(sys::lstat_at(upper, "gone")->st_mode));
    const auto attributes = sys::xattrs_at(upper, "dir/file").value();
    for (const sys::Xattr& one : attributes) CHECK_MESSAGE(one.name.find("metacopy") == std::string::npos, one.name);
  }
}

TEST_CASE("hundreds of layers mount, with long and odd names too") {
  if (!mounts_work()) return;
  const Folder folder;
  const std::string long_name(200, 'l'), odd = "back\\slash:colon,comma";
  sys::OverlaySpec spec;
  for (int i = 0; i < 300; ++i) {
    const std::string layer = i == 5 ? format("{}/{}/5", long_name, long_name) : i == 6 ? odd : std::to_string(i);
    folder.write(layer + format("/file-{}", i), std::to_string(i));
    folder.write(layer + "/top", std::to_string(i));
    spec.lowers.push_back(folder / layer);
  }
  spec.upper = folder.make(odd + "-upper");
  spec.work = folder.make(odd + "-work");
  const std::string target = folder.make("merged");
  const auto mount = Mount::overlay(spec, target);
  REQUIRE_MESSAGE(mount.has_value(), text_of(mount));
  CHECK(folder.read("merged/top") == "0");
  for (const int i : {0, 5, 6, 299}) CHECK(folder.read(format("merged/file-{}", i)) == std::to_string(i));
  folder.write("merged/new", "x");
  CHECK(folder.read(odd + "-upper/new") == "x");
}

TEST_CASE("an overlay without an upper folder is read-only, as is a single layer; a lone upper folder is writable") {
  if (!mounts_work()) return;
  const Folder folder;
  folder.write("a/a", "a");
  folder.write("b/b", "b");
  const std::string target = folder.make("merged");
  for (const std::vector<std::string>& lowers : {std::vector{folder / "a", folder / "b"}, std::vector{folder / "a"}}) {
    const auto mount = Mount::overlay({.lowers = lowers}, target);
    REQUIRE_MESSAGE(mount.has_value(), text_of(mount));
    CHECK(folder.read("merged/a") == "a");
    CHECK(sys::write_file(folder / "merged/new", "").error().os_number() == EROFS);
  }
  const auto mount = Mount::overlay({.upper = folder / "a", .work = folder.make("work")}, target);
  REQUIRE_MESSAGE(mount.has_value(), text_of(mount));
  folder.write("merged/new", "x");
  CHECK(folder.read("a/new") == "x");
}

TEST_CASE("a volatile upper folder is marked and works") {
  if (!mounts_work()) return;
  const Folder folder;
  folder.write("low/file", "x");
  const sys::OverlaySpec spec{.lowers = {folder / "low"}, .upper = folder.make("upper"), .work = folder.make("work"), .volatile_upper = true};
  const std::string target = folder.make("merged");
  const auto mount = Mount::overlay(spec, target);
  REQUIRE_MESSAGE(mount.has_value(), text_of(mount));
  CHECK(mount_line(target).find("volatile") != std::string::npos);
  folder.write("merged/new", "x");
  CHECK(folder.read("upper/new") == "x");
}

TEST_CASE("a failed overlay says at which step, and what to do") {
  if (!mounts_work()) return;
  const Folder folder;
  folder.write("low/file", "x");
  const std::string target = folder.make("merged");
  const auto missing = Mount::overlay({.lowers = {folder / "none", folder / "low"}}, target);
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code() == Errc::not_found);
  CHECK(missing.error().text().starts_with(format("mounting overlay at \"{}\": setting lowerdir+={}", target, folder / "none")));
  const auto elsewhere = Mount::overlay({.lowers = {folder / "low"}, .upper = folder.make("upper"), .work = "/dev/shm"}, target);
  REQUIRE_FALSE(elsewhere.has_value());
  CHECK(elsewhere.error().code() == Errc::unsupported);
  CHECK(elsewhere.error().text() == format("mounting overlay at \"{}\": creating it: Invalid argument", target));
  CHECK(elsewhere.error().hint().find("--snapshotter=copy") != std::string::npos);
  const auto no_target = Mount::overlay({.lowers = {folder / "low"}, .upper = folder / "upper", .work = folder.make("work")}, folder / "none");
  CHECK(no_target.error().code() == Errc::not_found);
}

TEST_CASE("a bind mount shows its source, read-only when asked, with what is mounted below only when recursive") {
  if (!mounts_work()) return;
  const Folder folder;
  folder.write("source/file", "x");
  folder.make("source/inner");
  const std::string target = folder.make("target");
  const auto inner = Mount::tmpfs(folder / "source/inner", "");
  REQUIRE_MESSAGE(inner.has_value(), text_of(inner));
  folder.write("source/inner/deep", "y");
  for (const bool read_only : {false, true})
    for (const bool recursive : {false, true}) {
      CAPTURE(read_only);
      CAPTURE(recursive);
      const auto mount = Mount::bind(folder / "source", target, read_only, recursive);
      REQUIRE_MESSAGE(mount.has_value(), text_of(mount));
      CHECK(folder.read("target/file") == "x");
      CHECK(sys::exists(folder / "target/inner/deep") == recursive);
      CHECK(sys::write_file(folder / "target/new", "").has_value() == !read_only);
      if (recursive) CHECK(sys::write_file(folder / "target/inner/new", "").has_value() == !read_only);
    }
  CHECK(sys::exists(folder / "source/new"));
  folder.write("file", "");
  {
    const auto file = Mount::bind(folder / "source/file", folder / "file", true);
    REQUIRE_MESSAGE(file.has_value(), text_of(file));
    CHECK(folder.read("file") == "x");
  }
  CHECK(Mount::bind(folder / "none", target, true).error().text() ==
        format("mounting \"{}\" at \"{}\": No such file or directory", folder / "none", target));
}

TEST_CASE("a tmpfs takes Docker's options") {
  if (!mounts_work()) return;
  const Folder folder;
  const std::string target = folder.make("target");
  const auto mount = Mount::tmpfs(target, "rw,noexec,size=64k,mode=0711,");
  REQUIRE_MESSAGE(mount.has_value(), text_of(mount));
  const sys::Fd parent = sys::open(folder.dir.path(), O_PATH).value();
  CHECK((sys::lstat_at(parent, "target")->st_mode & 07777) == 0711);
  struct statvfs info;
  REQUIRE(::statvfs(target.c_str(), &info) == 0);
  CHECK(info.f_blocks * info.f_frsize == 64 << 10);
  CHECK((info.f_flag & ST_NOEXEC) != 0);
  CHECK((info.f_flag & ST_NOSUID) != 0);
  const auto bad = Mount::tmpfs(target, "nonsense=1");
  REQUIRE_FALSE(bad.has_value());
  CHECK(bad.error().text().find("nonsense") != std::string::npos);
  CHECK(bad.error().text().starts_with(format("mounting a tmpfs at \"{}\": setting nonsense=1", target)));
}

TEST_CASE("a mount in use cannot be unmounted, but goes with its object") {
  if (!mounts_work()) return;
  const Folder folder;
  const std::string target = folder.make("target");
  auto mount = std::make_optional(std::move(*Mount::tmpfs(target, "")));
  {
    const sys::Fd busy = sys::open(target + "/file", O_CREAT | O_RDWR).value();
    const auto refused = std::move(*mount).unmount();
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code() == Errc::conflict);
    CHECK(mount_line(target) != "");
    Mount moved = std::move(*mount);
    CHECK(mount->target() == "");
    *mount = std::move(moved);
    mount.reset();
    CHECK(mount_line(target) == "");
  }
  auto free = Mount::tmpfs(target, "");
  CHECK(std::move(*free).unmount());
  CHECK(mount_line(target) == "");
}

TEST_CASE("mounts in a private namespace are not seen outside") {
  if (!mounts_work()) return;
  const Folder folder;
  const std::string target = folder.make("target");
  const pid_t child = ::fork();
  if (child == 0) {
    if (!sys::enter_private_mount_namespace()) ::_exit(1);
    auto mount = Mount::tmpfs(target, "");
    if (!mount || !sys::write_file(target + "/inside", "")) ::_exit(2);
    ::_exit(mount_line(target).empty() ? 3 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(mount_line(target) == "");
  CHECK_FALSE(sys::exists(folder / "target/inside"));
}
