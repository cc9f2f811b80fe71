#include "sys/fd.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "base/text.h"

using namespace mica;
using namespace std::literals;

namespace {
std::string current_folder() { return sys::read_link_at(sys::open("/proc/self", O_PATH).value(), "cwd").value(); }

struct Folder {
  sys::TempDir dir = std::move(*sys::TempDir::create("/tmp", "mica-fd-test"));
  sys::Fd fd = std::move(*sys::open(dir.path(), O_PATH | O_DIRECTORY));
  std::string operator/(std::string_view name) const { return dir.path() + "/" + std::string(name); }
  void write(std::string_view name, std::string_view bytes) const { REQUIRE(sys::write_file(*this / name, bytes)); }
  std::string read(std::string_view name) const { return sys::read_file(*this / name).value(); }
};

std::string content(const Result<sys::Fd>& fd) { return fd ? sys::read_fd(*fd).value() : fd.error().text(); }
}  // namespace

TEST_CASE("a descriptor is owned once, closes on exec and is closed at the end") {
  const Folder folder;
  folder.write("a", "x");
  int number = -1;
  {
    sys::Fd first = sys::open(folder / "a", O_RDONLY).value();
    number = first.get();
    CHECK((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
    sys::Fd second = std::move(first);
    CHECK_FALSE(first);
    CHECK(second.get() == number);
    const sys::Fd copy = second.duplicate().value();
    CHECK(copy.get() != number);
    CHECK((::fcntl(copy.get(), F_GETFD) & FD_CLOEXEC) != 0);
    second = sys::Fd();
    CHECK(::fcntl(number, F_GETFD) < 0);
    errno = ENOSPC;
    { sys::Fd bad(number); }
    CHECK(errno == ENOSPC);
  }
  CHECK_FALSE(sys::Fd().duplicate().has_value());
}

TEST_CASE("errors name the action and the quoted path") {
  const auto missing = sys::open("/nowhere/a \"b\"", O_RDONLY);
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().text() == "opening \"/nowhere/a \\\"b\\\"\": No such file or directory");
  CHECK(missing.error().code() == Errc::not_found);
  CHECK(sys::read_file("/nowhere/a").error().code() == Errc::not_found);
  CHECK(sys::read_file("/").error().text() == "reading \"/\": reading: Is a directory");
}

TEST_CASE("opening beneath a root never leaves it") {
  const Folder folder;
  CHECK(sys::make_directories(folder / "root/etc"));
  folder.write("secret", "outside");
  folder.write("root/secret", "inside");
  folder.write("root/etc/passwd", "users");
  REQUIRE(::symlink("/etc/passwd", (folder / "root/absolute").c_str()) == 0);
  REQUIRE(::symlink("../../../secret", (folder / "root/etc/climbing").c_str()) == 0);
  REQUIRE(::symlink("etc", (folder / "root/link").c_str()) == 0);
  REQUIRE(::symlink("loop", (folder / "root/loop").c_str()) == 0);
  REQUIRE(::symlink("/proc/self/root", (folder / "root/magic").c_str()) == 0);
  const sys::Fd root = sys::open(folder / "root", O_PATH | O_DIRECTORY).value();
  CHECK(content(sys::open_beneath(root, "etc/passwd", O_RDONLY)) == "users");
  CHECK(content(sys::open_beneath(root, "/etc/passwd", O_RDONLY)) == "users");
  CHECK(content(sys::open_beneath(root, "absolute", O_RDONLY)) == "users");
  CHECK(content(sys::open_beneath(root, "link/passwd", O_RDONLY)) == "users");
  CHECK(content(sys::open_beneath(root, "etc/climbing", O_RDONLY)) == "inside");
  CHECK(content(sys::open_beneath(root, "../../secret", O_RDONLY)) == "inside");
  CHECK(sys::open_beneath(root, "loop", O_RDONLY).error().os_number() == ELOOP);
  CHECK_FALSE(sys::open_beneath(root, "magic/etc/hostname", O_RDONLY).has_value());
  for (const char* self : {"", "/", "."}) {
    const auto again = sys::open_beneath(root, self, O_RDONLY | O_DIRECTORY);
    REQUIRE(again.has_value());
    CHECK(sys::stat_fd(*again)->st_ino == sys::stat_fd(root)->st_ino);
  }
  CHECK(sys::open_beneath(root, "new", O_WRONLY | O_CREAT, 0600).has_value());
  CHECK((sys::lstat_at(root, "new")->st_mode & 07777) == 0600);

  CHECK(content(sys::open_strict(root, "etc/passwd", O_RDONLY)) == "users");
  CHECK(sys::open_strict(root, "link/passwd", O_RDONLY).error().os_number() == ELOOP);
  CHECK(sys::open_strict(root, "link", O_RDONLY).error().os_number() == ELOOP);
  CHECK(sys::open_strict(root, "../secret", O_RDONLY).error().os_number() == EXDEV);
  CHECK(sys::open_strict(root, "/etc/passwd", O_RDONLY).error().os_number() == EXDEV);
}

TEST_CASE("whole files are read up to a limit") {
  const Folder folder;
  for (const std::size_t size : {0u, 1u, 4095u, 4096u, 4097u, 100'000u}) {
    const std::string bytes(size, 'x');
    folder.write("file", bytes);
    CHECK(folder.read("file") == bytes);
    CHECK(sys::read_file(folder / "file", size) == bytes);
    if (size == 0) continue;
    const auto large = sys::read_file(folder / "file", size - 1);
    REQUIRE_FALSE(large.has_value());
    CHECK(large.error().code() == Errc::resource_exhausted);
  }
  CHECK(sys::read_file("/proc/self/status")->starts_with("Name:"));
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const sys::Fd out(ends[0]);
  {
    const sys::Fd in(ends[1]);
    CHECK(sys::write_all(in, std::string(20'000, 'p')));
  }
  CHECK(sys::read_fd(out)->size() == 20'000);
}

TEST_CASE("an atomic write replaces the content, takes the mode and leaves nothing beside it") {
  const Folder folder;
  const std::string name(255, 'n');
  CHECK(sys::write_file_atomically(folder / name, "one"));
  CHECK(sys::write_file_atomically(folder / name, "two", 0600));
  CHECK(folder.read(name) == "two");
  CHECK((sys::lstat_at(folder.fd, name)->st_mode & 07777) == 0600);
  CHECK(sys::list_names(folder.fd) == std::vector{name});
  CHECK(sys::make_directories(folder / "taken/x"));
  CHECK_FALSE(sys::write_file_atomically(folder / "taken", "x"));
  CHECK(sys::list_names(folder.fd) == std::vector{name, "taken"s});
  CHECK(sys::write_file_atomically(folder / "none/file", "x").error().code() == Errc::not_found);
}

TEST_CASE("directories are made with their parents, and what is there already is fine") {
  const Folder folder;
  CHECK(sys::make_directories(folder / "a/b/c/"));
  CHECK(sys::make_directories(folder / "a/b/c"));
  CHECK(sys::make_directories(folder / "a//b/d", 0700));
  CHECK((sys::lstat_at(folder.fd, "a/b/d")->st_mode & 07777) == 0700);
  CHECK(sys::make_directories("/"));
  REQUIRE(::symlink("a", (folder / "link").c_str()) == 0);
  CHECK(sys::make_directories(folder / "link"));
  CHECK(sys::make_directories(folder / "link/e"));
  CHECK(sys::exists(folder / "a/e"));
  folder.write("file", "");
  CHECK(sys::make_directories(folder / "file").error().code() == Errc::already_exists);
  CHECK_FALSE(sys::make_directories(folder / "file/x"));
  const std::string here = current_folder();
  REQUIRE(::chdir(folder.dir.path().c_str()) == 0);
  CHECK(sys::make_directories("relative/too"));
  REQUIRE(::chdir(here.c_str()) == 0);
  CHECK(sys::exists(folder / "relative/too"));
}

TEST_CASE("names are listed sorted by bytes, whatever the descriptor") {
  const Folder folder;
  for (const char* name : {"b", "a", ".hidden", "B", "\xff", "a b"}) folder.write(name, "");
  const std::vector<std::string> expected{".hidden", "B", "a", "a b", "b", "\xff"};
  CHECK(sys::list_names(folder.fd) == expected);
  const sys::Fd plain = sys::open(folder.dir.path(), O_RDONLY).value();
  CHECK(sys::list_names(plain) == expected);
  CHECK(sys::list_names(plain) == expected);
  for (int i = 0; i < 3000; ++i) REQUIRE(::link((folder / "a").c_str(), (folder / format("many-{}", i)).c_str()) == 0);
  CHECK(sys::list_names(folder.fd)->size() == expected.size() + 3000);
  const sys::Fd file = sys::open(folder / "a", O_RDONLY).value();
  CHECK_FALSE(sys::list_names(file).has_value());
}

TEST_CASE("links are read whole") {
  const Folder folder;
  const std::string target(3000, 't');
  REQUIRE(::symlink(target.c_str(), (folder / "long").c_str()) == 0);
  REQUIRE(::symlink("x", (folder / "short").c_str()) == 0);
  CHECK(sys::read_link_at(folder.fd, "long") == target);
  CHECK(sys::read_link_at(folder.fd, "short") == "x");
  CHECK(sys::read_link_at(folder.fd, "none").error().code() == Errc::not_found);
}

TEST_CASE("files are renamed and removed") {
  const Folder folder;
  folder.write("a", "1");
  CHECK(sys::rename(folder / "a", folder / "b"));
  CHECK(sys::rename(folder / "a", folder / "b").error().code() == Errc::not_found);
  CHECK_FALSE(sys::exists(folder / "a"));
  CHECK(sys::remove_file(folder / "b"));
  CHECK(sys::remove_file(folder / "b").error().code() == Errc::not_found);
}

TEST_CASE("times are set on files and links, before the epoch too") {
  const Folder folder;
  folder.write("file", "");
  REQUIRE(::symlink("none", (folder / "link").c_str()) == 0);
  for (const std::int64_t ns : {std::int64_t{0}, std::int64_t{1'700'000'000'123'456'789}, std::int64_t{-1}, std::int64_t{-1'500'000'000}})
    for (const char* name : {"file", "link"}) {
      CHECK(sys::set_times_at(folder.fd, name, ns));
      const auto info = sys::lstat_at(folder.fd, name);
      CHECK(info->st_mtim.tv_sec * 1'000'000'000 + info->st_mtim.tv_nsec == ns);
    }
}

TEST_CASE("extended attributes come sorted, from any kind of descriptor") {
  const Folder folder;
  folder.write("file", "");
  CHECK(sys::xattrs_at(folder.fd, "file")->empty());
  const sys::Xattr large{.name = "user.large", .value = std::string(2000, '\0')}, small{.name = "user.a", .value = ""};
  if (const auto set = sys::set_xattr_at(folder.fd, "file", large); !set && set.error().os_number() == EOPNOTSUPP) {
    MESSAGE("skipped: /tmp has no user attributes");
    return;
  }
  CHECK(sys::set_xattr_at(folder.fd, "file", small));
  const std::vector<sys::Xattr> both{small, large};
  CHECK(sys::xattrs_at(folder.fd, "file") == both);
  CHECK(sys::xattrs(*sys::open(folder / "file", O_RDONLY)) == both);
  CHECK(sys::xattrs(*sys::open(folder / "file", O_PATH)) == both);
  REQUIRE(::symlink("file", (folder / "link").c_str()) == 0);
  CHECK(sys::xattrs_at(folder.fd, "link")->empty());
  CHECK(sys::xattrs_at(folder.fd, "none").error().code() == Errc::not_found);
  std::vector<sys::Xattr> many;
  for (int i = 10; i < 50; ++i) many.push_back({.name = format("user.many-{}-{}", i, std::string(20, 'x')), .value = std::to_string(i)});
  folder.write("many", "");
  for (const sys::Xattr& one : many) CHECK(sys::set_xattr_at(folder.fd, "many", one));
  CHECK(sys::xattrs_at(folder.fd, "many") == many);
  CHECK(sys::xattrs(*sys::open("/proc/self/status", O_RDONLY)).has_value());
}

TEST_CASE("bytes are copied at every size, cut to the size asked for") {
  const Folder folder;
  for (const std::size_t size : {0u, 1u, 65'536u, 65'537u, 300'000u, 3'000'000u}) {
    CAPTURE(size);
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
    folder.write("from", bytes + "tail");
    const sys::Fd from = sys::open(folder / "from", O_RDONLY).value();
    const sys::Fd to = sys::open(folder / "to", O_RDWR | O_CREAT | O_TRUNC).value();
    CHECK(sys::copy_bytes(from, to, size));
    CHECK(folder.read("to") == bytes);
    const sys::Fd again = sys::open(folder / "to", O_RDWR | O_TRUNC).value();
    const auto shrunk = sys::copy_bytes(from, again, size + 5);
    REQUIRE_FALSE(shrunk.has_value());
    CHECK(shrunk.error().code() == Errc::unavailable);
  }
  const sys::Fd generated = sys::open("/proc/self/status", O_RDONLY).value();
  const sys::Fd to = sys::open(folder / "to", O_RDWR | O_TRUNC).value();
  CHECK(sys::copy_bytes(generated, to, 100));
  CHECK(folder.read("to").size() == 100);
}

TEST_CASE("holes stay holes in a copy") {
  const Folder folder;
  constexpr off_t kSize = 64 << 20;
  const sys::Fd from = sys::open(folder / "from", O_RDWR | O_CREAT).value();
  REQUIRE(::ftruncate(from.get(), kSize) == 0);
  REQUIRE(::pwrite(from.get(), "middle", 6, 20 << 20) == 6);
  for (const off_t size : {kSize, off_t{(20 << 20) + 3}}) {
    const sys::Fd to = sys::open(folder / "to", O_RDWR | O_CREAT | O_TRUNC).value();
    CHECK(sys::copy_bytes(from, to, size));
    const auto info = sys::stat_fd(to);
    CHECK(info->st_size == size);
    CHECK(info->st_blocks * 512 < 1 << 20);
    char part[3];
    REQUIRE(::pread(to.get(), part, 3, 20 << 20) == 3);
    CHECK(std::string_view(part, 3) == "mid");
  }
  const sys::Fd to = sys::open(folder / "to", O_RDWR | O_CREAT | O_TRUNC).value();
  CHECK(sys::copy_bytes(from, to, kSize + 1).error().code() == Errc::unavailable);
}

TEST_CASE("a temporary directory vanishes unless kept, and is private") {
  const Folder folder;
  std::string path, kept;
  {
    sys::TempDir first = sys::TempDir::create(folder.dir.path(), "x").value();
    path = first.path();
    CHECK(base_name(path).starts_with("x-"));
    CHECK((sys::lstat_at(folder.fd, base_name(path))->st_mode & 07777) == 0700);
    CHECK(sys::write_file(path + "/file", ""));
    const sys::TempDir moved = std::move(first);
    CHECK(first.path().empty());
    CHECK(sys::exists(path));
    kept = sys::TempDir::create(folder.dir.path(), "x")->path();
    CHECK_FALSE(sys::exists(kept));
    kept = std::move(*sys::TempDir::create(folder.dir.path(), "x")).keep();
  }
  CHECK_FALSE(sys::exists(path));
  CHECK(sys::exists(kept));
  CHECK(sys::TempDir::create("/nowhere", "x").error().code() == Errc::not_found);
}
