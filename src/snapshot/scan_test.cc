#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/format.h"
#include "snapshot/listing.h"
#include "snapshot/tree_view.h"

using namespace mica;
using namespace mica::snapshot;

namespace {

/// A layer's folder on disk, made with plain calls.
class Disk {
 public:
  Disk() : dir_(*sys::TempDir::create("/tmp", "mica-scan")) {}
  std::string operator/(const std::string& path) const { return dir_.path() + "/" + path; }
  void folder(const std::string& path) { REQUIRE(::mkdir((*this / path).c_str(), 0755) == 0); }
  void file(const std::string& path, std::string_view content) { REQUIRE(sys::write_file(*this / path, content)); }
  void mark(const std::string& path, const char* name, std::string_view value) {
    REQUIRE(::lsetxattr((*this / path).c_str(), name, value.data(), value.size(), 0) == 0);
  }
  Result<Listing> scan(task::Cancel cancel = {}) const {
    task::Pool pool(3);
    const auto root = sys::open(dir_.path(), O_RDONLY | O_DIRECTORY);
    REQUIRE(root.has_value());
    return scan_layer(*root, pool, cancel);
  }

 private:
  sys::TempDir dir_;
};

std::string paths_of(const Listing& listing) {
  std::string paths;
  for (std::size_t i = 0; i < listing.size(); ++i) paths += std::string(i ? " " : "") + std::string(listing.path(i));
  return paths;
}

bool is_root() {
  if (::geteuid() == 0) return true;
  MESSAGE("skipped: device nodes and trusted attributes need root");
  return false;
}

}  // namespace

TEST_CASE("a scan lists every kind of entry with its metadata and the digest of contents") {
  if (!is_root()) return;
  Disk disk;
  disk.folder("d");
  disk.file("d/f", "hello");
  disk.file("d/empty", "");
  disk.mark("d/f", "user.note", "kept");
  REQUIRE(::chmod((disk / "d/f").c_str(), 06751) == 0);
  REQUIRE(::chown((disk / "d/f").c_str(), 12, 34) == 0);
  REQUIRE(::chmod((disk / "d/f").c_str(), 06751) == 0);
  REQUIRE(::symlink("../else where", (disk / "d/l").c_str()) == 0);
  REQUIRE(::mknod((disk / "c").c_str(), S_IFCHR | 0620, makedev(5, 1)) == 0);
  REQUIRE(::mknod((disk / "b").c_str(), S_IFBLK | 0600, makedev(7, 300)) == 0);
  REQUIRE(::mkfifo((disk / "p").c_str(), 0600) == 0);
  const timespec times[] = {{1, 0}, {-2, 5}};
  REQUIRE(::utimensat(AT_FDCWD, (disk / "d/f").c_str(), times, 0) == 0);
  const auto listing = disk.scan();
  REQUIRE(listing.has_value());
  CHECK(paths_of(*listing) == "b c d d/empty d/f d/l p");
  const auto at = [&](const char* path) { return (*listing)[listing->find(path)]; };
  CHECK(at("b").type == Type::block_device);
  CHECK(at("b").device == makedev(7, 300));
  CHECK(at("c").type == Type::char_device);
  CHECK(at("c").device == makedev(5, 1));
  CHECK(at("d").type == Type::directory);
  CHECK(at("d").size == 0);
  CHECK(at("d/empty").digest == sha256(""));
  const EntryView f = at("d/f");
  CHECK(f.type == Type::file);
  CHECK(f.mode == 06751);
  CHECK(f.uid == 12);
  CHECK(f.gid == 34);
  CHECK(f.size == 5);
  CHECK(f.digest == sha256("hello"));
  CHECK(f.mtime_ns == -2'000'000'000 + 5);
  CHECK(unpack_xattrs(f.xattrs) == std::vector<sys::Xattr>{{"user.note", "kept"}});
  CHECK(at("d/l").type == Type::symlink);
  CHECK(at("d/l").link == "../else where");
  CHECK(at("p").type == Type::fifo);
  CHECK(listing->verify().has_value());
}

TEST_CASE("whiteouts and opaque marks of both spellings are recognised and not kept as attributes") {
  if (!is_root()) return;
  Disk disk;
  for (const auto* path : {"t", "u", "x", "plain"}) disk.folder(path);
  disk.mark("t", "trusted.overlay.opaque", "y");
  disk.mark("t", "trusted.overlay.origin", "some handle");
  disk.mark("t", "trusted.overlay.impure", "y");
  disk.mark("u", "user.overlay.opaque", "y");
  disk.mark("x", "trusted.overlay.opaque", "x");
  disk.file("x/gone", "");
  disk.mark("x/gone", "trusted.overlay.whiteout", "");
  disk.file("x/user-gone", "");
  disk.mark("x/user-gone", "user.overlay.whiteout", "y");
  disk.file("x/stays", "");
  disk.file("x/full", "content");
  disk.mark("x/full", "trusted.overlay.whiteout", "");
  disk.file("plain/empty", "");
  disk.mark("plain/empty", "trusted.overlay.whiteout", "");
  REQUIRE(::mknod((disk / "plain/w").c_str(), S_IFCHR, 0) == 0);
  // Overlayfs makes its whiteouts as links of one inode.
  REQUIRE(::link((disk / "plain/w").c_str(), (disk / "w2").c_str()) == 0);
  const auto listing = disk.scan();
  REQUIRE(listing.has_value());
  std::string shown;
  for (std::size_t i = 0; i < listing->size(); ++i) {
    const EntryView entry = (*listing)[i];
    shown += format("{}{}{} ", entry.path, entry.opaque ? "+" : "", entry.type == Type::whiteout ? "-" : "");
    CHECK(entry.xattrs.empty());
    CHECK(entry.hard_link.empty());
  }
  CHECK(shown == "plain plain/empty plain/w- t+ u+ w2- x x/full x/gone- x/stays x/user-gone- ");
}

TEST_CASE("hard links across folders belong to the first path; links out of the layer make no group") {
  Disk disk, other;
  disk.folder("z");
  disk.folder("a");
  disk.file("z/first-made", "shared");
  REQUIRE(::link((disk / "z/first-made").c_str(), (disk / "m").c_str()) == 0);
  REQUIRE(::link((disk / "z/first-made").c_str(), (disk / "a/x").c_str()) == 0);
  REQUIRE(::symlink("t", (disk / "s1").c_str()) == 0);
  REQUIRE(::link((disk / "s1").c_str(), (disk / "s2").c_str()) == 0);
  disk.file("lone", "elsewhere too");
  REQUIRE(::link((disk / "lone").c_str(), (other / "lone").c_str()) == 0);
  const auto listing = disk.scan();
  REQUIRE(listing.has_value());
  CHECK(paths_of(*listing) == "a a/x lone m s1 s2 z z/first-made");
  const auto at = [&](const char* path) { return (*listing)[listing->find(path)]; };
  CHECK(at("a/x").hard_link == "");
  CHECK(at("m").hard_link == "a/x");
  CHECK(at("z/first-made").hard_link == "a/x");
  for (const auto* path : {"a/x", "m", "z/first-made"}) CHECK(at(path).digest == sha256("shared"));
  CHECK(at("s2").hard_link == "s1");
  CHECK(at("lone").hard_link == "");
  CHECK(at("lone").digest == sha256("elsewhere too"));
  CHECK(listing->bytes() == 6 + 13);
}

TEST_CASE("sockets are left out") {
  Disk disk;
  const sys::Fd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{.sun_family = AF_UNIX};
  std::strncpy(address.sun_path, (disk / "s").c_str(), sizeof address.sun_path - 1);
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  disk.file("f", "");
  CHECK(paths_of(disk.scan().value()) == "f");
}

TEST_CASE("content that is in another layer is an error that names the file") {
  if (!is_root()) return;
  for (const auto* mark : {"trusted.overlay.redirect", "trusted.overlay.metacopy", "user.overlay.redirect"}) {
    for (const auto* path : {"folder", "folder/file"}) {
      Disk disk;
      disk.folder("folder");
      disk.file("folder/file", "x");
      disk.mark(path, mark, "/x");
      const auto listing = disk.scan();
      REQUIRE(!listing.has_value());
      CHECK(listing.error().code() == Errc::corrupt);
      CHECK(listing.error().text().find(path) != std::string::npos);
    }
  }
}

TEST_CASE("wide folders are listed in batches and large files in pieces") {
  Disk disk;
  disk.folder("wide");
  constexpr int kFiles = 1500;
  for (int i = 0; i < kFiles; ++i) disk.file(format("wide/{}", i), format("content {}", i));
  const std::string large(5'000'001, 'L');
  for (const auto* path : {"large", "wide/large", "wide/large2"}) disk.file(path, large);
  const auto listing = disk.scan();
  REQUIRE(listing.has_value());
  REQUIRE(listing->size() == kFiles + 4);
  for (int i = 0; i < kFiles; ++i) CHECK((*listing)[listing->find(format("wide/{}", i))].digest == sha256(format("content {}", i)));
  for (const auto* path : {"large", "wide/large", "wide/large2"}) CHECK((*listing)[listing->find(path)].digest == sha256(large));
}

TEST_CASE("a path longer than the kernel takes at once is listed and read, with few descriptors open") {
  Disk disk;
  auto at = sys::open(disk / ".", O_RDONLY | O_DIRECTORY).value();
  const std::string name(200, 'n');
  std::string path;
  for (int depth = 0; depth < 40; ++depth) {
    REQUIRE(::mkdirat(at.get(), name.c_str(), 0755) == 0);
    at = sys::open_at(at, name, O_RDONLY | O_DIRECTORY).value();
    path += name + "/";
  }
  const auto file = sys::open_at(at, "f", O_WRONLY | O_CREAT);
  REQUIRE(sys::write_all(*file, "deep"));
  REQUIRE(::linkat(at.get(), "f", at.get(), "g", 0) == 0);
  const auto listing = disk.scan();
  REQUIRE(listing.has_value());
  CHECK(listing->size() == 42);
  CHECK((*listing)[listing->find(path + "f")].digest == sha256("deep"));
  CHECK((*listing)[listing->find(path + "g")].hard_link == path + "f");
  const TreeView view({{*listing, disk / ""}});
  CHECK(view.read_file(path + "g", 10).value() == "deep");
}

TEST_CASE("a file with fewer bytes than its size said is an error, not another content") {
  // Files of sysfs claim a page and hold a line.
  const auto folder = sys::open("/sys/class/net/lo/statistics", O_RDONLY | O_DIRECTORY);
  if (!folder) {
    MESSAGE("skipped: needs /sys");
    return;
  }
  task::Pool pool(1);
  const auto listing = scan_layer(*folder, pool, {});
  REQUIRE(!listing.has_value());
  CHECK(listing.error().code() == Errc::conflict);
}

TEST_CASE("an empty folder gives an empty listing; a stop ends the scan") {
  Disk disk;
  CHECK(disk.scan().value().empty());
  const auto stopped = task::Cancel::create();
  stopped.stop();
  CHECK(disk.scan(stopped).error().code() == Errc::cancelled);
}
