#include "snapshot/layer_writer.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "support/layer_fixture.h"
#include "support/layers.h"

using namespace mica;
using namespace mica::snapshot;
using namespace mica::testing;

namespace {

constexpr std::int64_t kTime = 1'600'000'000'123'456'789;

Meta meta(std::uint32_t mode, std::uint32_t uid = 0, std::uint32_t gid = 0) {
  return {.mode = mode, .uid = uid, .gid = gid, .mtime_ns = kTime};
}

/// A layer being written over a chain.
struct Writing {
  explicit Writing(LayerFixture& of, const Chain& below = {}) : fixture(of), lower(must(of.layers.view(below))) {}
  LayerFixture& fixture;
  TreeView lower;
  StagedLayer staged = must(fixture.layers.stage());
  LayerWriter writer{staged, lower, fixture.pool};

  void put(const std::string& path, std::string content, const Meta& how = meta(0644)) {
    stream::MemorySource bytes(std::move(content));
    must(writer.file(path, how, bytes));
  }
  void put_soon(const std::string& path, const std::string& content, const Meta& how = meta(0644)) {
    stream::MemorySource bytes(content);
    must(writer.file_soon(path, how, content.size(), bytes));
  }
  /// The listing, after a check that it says what is on disk.
  Listing finish() {
    const Listing listing = must(writer.finish());
    check_same(listing, fixture.scan(staged.fs()));
    return listing;
  }
  std::string on_disk(const std::string& path) const { return staged.fs() + "/" + path; }
  struct stat status(const std::string& path) const {
    struct stat status {};
    CHECK_MESSAGE(::lstat(on_disk(path).c_str(), &status) == 0, path);
    return status;
  }
  LayerId commit() {
    const Listing listing = finish();
    return must(fixture.layers.commit(std::move(staged), listing, lower)).id;
  }
};

Errc code(const Result<>& result) {
  REQUIRE(!result.has_value());
  return result.error().code();
}

bool is_root() { return ::geteuid() == 0; }

}  // namespace

TEST_CASE("a layer holds what was written, and its listing says so") {
  if (!is_root()) return;
  LayerFixture fixture;
  Writing layer(fixture);
  must(layer.writer.directory("etc", meta(0750, 7, 8)));
  must(layer.writer.directory("etc/empty", meta(01777)));
  must(layer.writer.directory("closed", meta(0)));
  layer.put("closed/inside", "x", meta(0));
  layer.put("etc/passwd", "root:x:0:0", meta(0644, 1, 2));
  layer.put("bin/su", std::string(3000, 'x'), meta(04755));
  layer.put("bin/write", "w", meta(02711, 0, 5));
  must(layer.writer.symlink("bin/sh", "su", meta(0777, 3, 4)));
  must(layer.writer.symlink("absolute", "/etc/passwd", meta(0)));
  must(layer.writer.device("dev/null", Type::char_device, makedev(1, 3), meta(0666)));
  must(layer.writer.device("dev/loop0", Type::block_device, makedev(7, 0), meta(0660, 0, 6)));
  must(layer.writer.device("dev/pipe", Type::fifo, 0, meta(0600)));
  must(layer.writer.hard_link("bin/sudo", "bin/su"));
  must(layer.writer.hard_link("a", "bin/sh"));
  must(layer.writer.whiteout("gone/file"));
  must(layer.writer.opaque("etc/empty"));
  const Listing listing = layer.finish();
  CHECK(lines_of(listing) == Lines{
                                 "l a 3:4 -> su",
                                 "l absolute -> /etc/passwd",
                                 "d bin 755",
                                 "l bin/sh 3:4 -> su = a",
                                 "f bin/su 4755 3000",
                                 "f bin/sudo 4755 3000 = bin/su",
                                 "f bin/write 2711 0:5 1",
                                 "d closed 0",
                                 "f closed/inside 0 1",
                                 "d dev 755",
                                 "b dev/loop0 660 0:6 700",
                                 "c dev/null 666 103",
                                 "p dev/pipe 600",
                                 "d etc 750 7:8",
                                 "d etc/empty 1777 opaque",
                                 "f etc/passwd 644 1:2 10",
                                 "d gone 755",
                                 "w gone/file",
                             });
  CHECK(listing[listing.find("etc/passwd")].digest == sha256("root:x:0:0"));
  CHECK(listing[listing.find("etc")].mtime_ns == kTime);
  CHECK(layer.status("bin/su").st_nlink == 2);
}

TEST_CASE("neither the umask nor what the state folder hands down shows in a layer") {
  if (!is_root()) return;
  LayerFixture fixture;
  Writing layer(fixture);
  REQUIRE(::chown(layer.staged.fs().c_str(), 0, 1234) == 0);
  REQUIRE(::chmod(layer.staged.fs().c_str(), 02755) == 0);
  // user::rwx group::rwx other::rwx user:1:rwx mask::rwx, as the kernel keeps it
  const unsigned char list[] = {2, 0, 0,   0,   1,   0,   7,  0, 255, 255, 255, 255, 2,   0,   7,  0, 1, 0, 0,   0,   4,   0,
                                7, 0, 255, 255, 255, 255, 16, 0, 7,   0,   255, 255, 255, 255, 32, 0, 7, 0, 255, 255, 255, 255};
  const bool has_lists = ::setxattr(layer.staged.fs().c_str(), "system.posix_acl_default", list, sizeof list, 0) == 0;
  WARN_MESSAGE(has_lists, "no access lists on this file system");
  const mode_t before = ::umask(077);
  layer.put("d/f", "1", meta(0666));
  layer.put_soon("d/g", "2", meta(0777, 1, 1234));
  must(layer.writer.directory("e", meta(0777)));
  ::umask(before);
  CHECK(lines_of(layer.finish()) == Lines{"d d 755", "f d/f 666 1", "f d/g 777 1:1234 1", "d e 777"});
}

TEST_CASE("attributes are kept, those that do not belong in a layer are left out") {
  LayerFixture fixture;
  Writing layer(fixture);
  if (::setxattr(layer.staged.fs().c_str(), "user.probe", "1", 1, 0) != 0) return;
  REQUIRE(::removexattr(layer.staged.fs().c_str(), "user.probe") == 0);
  Meta with = meta(0755);
  with.xattrs = pack_xattrs(
      {{"user.a", "1"}, {"user.overlay.opaque", "y"}, {"trusted.overlay.redirect", "/etc"}, {"security.selinux", "x"}});
  layer.put("f", "content", with);
  layer.put_soon("g", "content", with);
  must(layer.writer.directory("d", with));
  must(layer.writer.symlink("l", "f", with));
  const std::string source = fixture.dir.path() + "/source";
  must(sys::write_file(source, "content"));
  FileJob job{.path = "h", .meta = with, .size = 7};
  job.source_dir = fixture.dir.path();
  job.source_path = "source";
  must(layer.writer.files({job}, {}));
  const Listing listing = layer.finish();
  for (const auto* path : {"d", "f", "g", "h"}) {
    CAPTURE(path);
    CHECK(unpack_xattrs(listing[listing.find(path)].xattrs) == std::vector<sys::Xattr>{{"user.a", "1"}});
  }
  CHECK_MESSAGE(listing[listing.find("l")].xattrs.empty(), "Linux has no user attributes on links");
}

TEST_CASE("folders of lower layers come with their own metadata") {
  if (!is_root()) return;
  LayerFixture fixture;
  const auto base = must(fixture.apply(
      tar({tar_folder("srv", 0700), tar_folder("srv/www", 02775), tar_file("srv/file"), tar_symlink("link", "srv")})));
  Writing layer(fixture, {base.layer.id});
  Meta fresh = meta(0711, 9, 9);
  must(layer.writer.ensure_directory("srv/www/new/deep", fresh));
  CHECK(code(layer.writer.ensure_directory("srv/file/x", fresh)) == Errc::conflict);
  CHECK(code(layer.writer.ensure_directory("link/x", fresh)) == Errc::conflict);
  CHECK(lines_of(layer.finish()) == Lines{"d srv 700", "d srv/www 2775", "d srv/www/new 711 9:9", "d srv/www/new/deep 711 9:9"});
}

TEST_CASE("a folder over what hid the lower one is opaque, one over a file is not") {
  LayerFixture fixture;
  const auto base =
      must(fixture.apply(tar({tar_folder("a"), tar_file("a/old"), tar_folder("b"), tar_file("b/old"), tar_file("c")})));
  Writing layer(fixture, {base.layer.id});
  must(layer.writer.whiteout("a"));
  CHECK(!layer.writer.find("a/old"));
  must(layer.writer.directory("a", meta(0755)));
  must(layer.writer.whiteout("b"));
  must(layer.writer.ensure_directory("b/x", meta(0755)));
  must(layer.writer.directory("c", meta(0755), true));
  must(layer.writer.directory("c/d", meta(0755)));
  CHECK(!layer.writer.find("a/old"));
  CHECK(!layer.writer.find("b/old"));
  CHECK(layer.writer.find("b/x")->type == Type::directory);
  CHECK(lines_of(layer.finish()) == Lines{"d a 755 opaque", "d b 755 opaque", "d b/x 755", "d c 755", "d c/d 755"});
}

TEST_CASE("whiteouts in opaque folders say nothing and are left out") {
  LayerFixture fixture;
  Writing layer(fixture);
  must(layer.writer.whiteout("a/b/c"));
  must(layer.writer.whiteout("a/x"));
  must(layer.writer.whiteout("b/x"));
  must(layer.writer.opaque("a"));
  CHECK(lines_of(layer.finish()) == Lines{"d a 755 opaque", "d a/b 755", "d b 755", "w b/x"});
}

TEST_CASE("what is written later replaces what was there, but not a folder") {
  LayerFixture fixture;
  Writing layer(fixture);
  layer.put("f", "first");
  layer.put_soon("f", "second!");
  layer.put_soon("f", "third");
  must(layer.writer.symlink("l", "f", meta(0777)));
  layer.put_soon("l", "file now");
  must(layer.writer.whiteout("w"));
  layer.put("w", "back");
  layer.put("d/child", "");
  stream::MemorySource none("");
  CHECK(code(layer.writer.file_soon("d", meta(0644), 0, none)) == Errc::conflict);
  CHECK(code(layer.writer.directory("f", meta(0755))) == Errc::conflict);
  CHECK(code(layer.writer.remove("missing")) == Errc::not_found);
  CHECK(code(layer.writer.relabel("missing", meta(0))) == Errc::not_found);
  for (const auto* path : {"", "/", "/x", "x/", "./x", "x/../y", "a//b", ".."})
    CHECK_MESSAGE(code(layer.writer.whiteout(path)) == Errc::invalid_argument, path);
  CHECK(code(layer.writer.device("null", Type::char_device, 0, meta(0))) == Errc::invalid_argument);
  must(layer.writer.remove("d"));
  layer.put("d", "no folder now");
  const Listing listing = layer.finish();
  CHECK(lines_of(listing) == Lines{"f d 644 13", "f f 644 5", "f l 644 8", "f w 644 4"});
  CHECK(listing[1].digest == sha256("third"));
}

TEST_CASE("a hard link to a file of a lower layer brings both names up, with one inode") {
  if (!is_root()) return;
  LayerFixture fixture;
  TarItem file = tar_file("usr/bin/tool", "tool", 04755);
  file.entry.uid = 5;
  file.entry.mtime_ns = kTime;
  const auto base =
      must(fixture.apply(tar({tar_folder("usr", 0711), tar_folder("usr/bin"), file, tar_symlink("usr/sym", "bin")})));
  Writing layer(fixture, {base.layer.id});
  must(layer.writer.hard_link("opt/tool", "usr/bin/tool"));
  must(layer.writer.hard_link("opt/third", "opt/tool"));
  must(layer.writer.hard_link("opt/sym", "usr/sym"));
  CHECK(code(layer.writer.hard_link("opt/x", "usr/missing")) == Errc::not_found);
  CHECK(code(layer.writer.hard_link("opt/x", "usr/bin")) == Errc::conflict);
  const Listing listing = layer.finish();
  CHECK(lines_of(listing) == Lines{"d opt 755", "l opt/sym -> bin", "f opt/third 4755 5:0 4", "f opt/tool 4755 5:0 4 = opt/third",
                                   "d usr 711", "d usr/bin 755", "f usr/bin/tool 4755 5:0 4 = opt/third",
                                   "l usr/sym -> bin = opt/sym"});
  CHECK(listing[listing.find("opt/tool")].mtime_ns == kTime);
  CHECK(listing[listing.find("opt/tool")].digest == sha256("tool"));
  CHECK(layer.status("opt/tool").st_ino == layer.status("usr/bin/tool").st_ino);
}

TEST_CASE("links to files still under way, their removal and new metadata act as if all were written at once") {
  LayerFixture fixture;
  Writing layer(fixture);
  layer.put_soon("a", "one");
  must(layer.writer.hard_link("b", "a"));
  must(layer.writer.hard_link("c", "b"));
  layer.put_soon("a", "two");
  must(layer.writer.hard_link("d", "a"));
  must(layer.writer.relabel("c", meta(0600)));
  must(layer.writer.remove("b"));
  layer.put_soon("e", "alone");
  must(layer.writer.hard_link("f", "e"));
  must(layer.writer.remove("e"));
  must(layer.writer.hard_link("f", "f"));
  const Listing listing = layer.finish();
  CHECK(lines_of(listing) == Lines{"f a 644 3", "f c 600 3", "f d 644 3 = a", "f f 644 5"});
  CHECK(listing[0].digest == sha256("two"));
  CHECK(listing[1].digest == sha256("one"));
}

TEST_CASE("many small files from streams, more than are under way at once") {
  for (const int threads : {1, 3}) {
    LayerFixture fixture(threads);
    Writing layer(fixture);
    const std::string content(300 << 10, 'c');
    for (int i = 0; i < 200; ++i) layer.put_soon(format("d{}/f{}", i % 7, i), content + std::to_string(i));
    layer.put_soon("large", std::string(3 << 20, 'l'));
    layer.put_soon("empty", "");
    const Listing listing = layer.finish();
    CHECK(listing.size() == 200 + 7 + 2);
    CHECK(listing[listing.find("d3/f3")].digest == sha256(content + "3"));
    CHECK(listing[listing.find("large")].digest == sha256(std::string(3 << 20, 'l')));
    CHECK(listing[listing.find("empty")].digest == sha256(""));
  }
}

TEST_CASE("a stream shorter than announced is corrupt; a writer dropped half-way leaves nothing running") {
  LayerFixture fixture;
  Writing layer(fixture);
  for (int i = 0; i < 300; ++i) layer.put_soon(format("f{}", i), std::string(10000, 'x'));
  stream::MemorySource bytes("short");
  CHECK(code(layer.writer.file_soon("g", meta(0644), 6, bytes)) == Errc::corrupt);
  stream::MemorySource large(std::string(2 << 20, 'x'));
  CHECK(code(layer.writer.file_soon("h", meta(0644), 3 << 20, large)) == Errc::corrupt);
}

TEST_CASE("a failure behind the caller's back is reported at the latest by finish") {
  LayerFixture fixture;
  Writing layer(fixture);
  layer.put_soon("d/f", "content");
  must(sys::write_file(layer.on_disk("d/f"), "somebody else's"));
  const auto finished = layer.writer.finish();
  REQUIRE(!finished.has_value());
  CHECK(finished.error().code() == Errc::already_exists);
  CHECK(finished.error().text().find("\"d/f\"") != std::string::npos);
}

TEST_CASE("zeros become holes, and the content is the same") {
  LayerFixture fixture;
  Writing layer(fixture);
  std::string sparse(4 << 20, '\0');
  sparse[1 << 20] = 'x';
  layer.put("stream", sparse);
  layer.put("zeros", std::string(1 << 20, '\0'));
  must(sys::write_file(fixture.dir.path() + "/source", sparse));
  FileJob job{.path = "copy", .meta = meta(0644), .size = sparse.size()};
  job.source_dir = fixture.dir.path();
  job.source_path = "source";
  must(layer.writer.files({job}, {}));
  const Listing listing = layer.finish();
  for (const auto* path : {"stream", "copy"}) {
    CHECK(listing[listing.find(path)].digest == sha256(sparse));
    CHECK(layer.status(path).st_blocks * 512 < 1 << 20);
  }
  CHECK(layer.status("zeros").st_size == 1 << 20);
  CHECK(layer.status("zeros").st_blocks == 0);
}

TEST_CASE("files from a folder: hashed while copied, or trusted when the digest is known") {
  LayerFixture fixture;
  Writing layer(fixture);
  const std::string source = fixture.dir.path() + "/context";
  must(sys::make_directories(source + "/sub"));
  std::vector<FileJob> jobs;
  for (int i = 0; i < 300; ++i) {
    const std::string name = format("sub/f{}", i), content = std::string(i * 997, 'x') + std::to_string(i);
    must(sys::write_file(source + "/" + name, content));
    FileJob job{.path = format("to/{}", name), .meta = meta(0600 + i % 64), .size = content.size()};
    if (i % 2) job.digest = sha256(content);
    job.source_dir = source;
    job.source_path = name;
    jobs.push_back(job);
  }
  FileJob again = jobs[7];
  again.meta.mode = 0777;
  jobs.push_back(again);
  must(layer.writer.files(jobs, {}));
  const Listing listing = layer.finish();
  CHECK(listing.size() == 302);
  CHECK_MESSAGE(listing[listing.find("to/sub/f7")].mode == 0777, "of one path the last job counts");
  CHECK(layer.writer.files({}, {}).has_value());
}

TEST_CASE("a source that is not as announced is taken as it is, one that is no file is refused") {
  LayerFixture fixture;
  Writing layer(fixture);
  const std::string source = fixture.dir.path() + "/context";
  must(sys::make_directories(source + "/folder"));
  must(sys::write_file(source + "/grown", "longer than known"));
  REQUIRE(::symlink("/etc/passwd", (source + "/link").c_str()) == 0);
  REQUIRE(::symlink("/etc", (source + "/folder/link").c_str()) == 0);
  REQUIRE(::mkfifo((source + "/fifo").c_str(), 0600) == 0);
  const auto place = [&](const std::string& name) {
    FileJob job{.path = "x-" + base_name(name), .meta = meta(0644), .size = 5, .digest = sha256("short")};
    job.source_dir = source;
    job.source_path = name;
    return layer.writer.files({job}, {});
  };
  must(place("grown"));
  for (const auto* name : {"link", "folder/link/passwd", "../mica.db", "fifo", "folder", "folder/..", "missing"}) {
    CAPTURE(name);
    Writing other(fixture);
    FileJob job{.path = "x", .meta = meta(0644), .size = 5};
    job.source_dir = source;
    job.source_path = name;
    CHECK(!other.writer.files({job}, {}));
  }
  const Listing listing = layer.finish();
  CHECK(lines_of(listing) == Lines{"f x-grown 644 17"});
  CHECK(listing[0].digest == sha256("longer than known"));
}

TEST_CASE("an identical file of another layer is linked, once, and only when its metadata is the same") {
  if (!is_root()) return;
  LayerFixture fixture;
  Writing first(fixture);
  first.put("shared", "content", meta(0640, 3, 4));
  const LayerId base = first.commit();
  const std::string shared = fixture.layers.directory(base) + "/shared";
  Writing layer(fixture);
  FileJob job{.path = "linked", .meta = meta(0640, 3, 4), .size = 7, .digest = sha256("content")};
  job.link_from = shared;
  FileJob second = job, other_mode = job, other_time = job, other_size = job, unknown = job;
  second.path = "second";
  other_mode.path = "mode";
  other_mode.meta.mode = 0600;
  other_time.path = "time";
  other_time.meta.mtime_ns = 5;
  other_size.path = "size";
  other_size.size = 8;
  unknown.path = "unknown";
  unknown.digest.reset();
  must(layer.writer.files({job}, {}));
  must(layer.writer.files({second, other_mode, other_time, other_size, unknown}, {}));
  struct stat original;
  REQUIRE(::stat(shared.c_str(), &original) == 0);
  CHECK(layer.status("linked").st_ino == original.st_ino);
  CHECK(original.st_nlink == 2);
  CHECK((original.st_mode & 07777) == 0640);
  const Listing listing = layer.finish();
  CHECK(lines_of(listing) == Lines{"f linked 640 3:4 7", "f mode 600 3:4 7", "f second 640 3:4 7", "f size 640 3:4 7",
                                   "f time 640 3:4 7", "f unknown 640 3:4 7"});
  for (std::size_t i = 0; i < listing.size(); ++i) CHECK(listing[i].digest == sha256("content"));
}

TEST_CASE("find and resolve see this layer over the lower tree") {
  LayerFixture fixture;
  const auto base = must(fixture.apply(tar({tar_folder("usr"), tar_folder("usr/lib"), tar_file("usr/lib/so", "s"),
                                            tar_symlink("lib", "usr/lib"), tar_folder("var"), tar_file("var/old")})));
  Writing layer(fixture, {base.layer.id});
  CHECK(layer.writer.find("")->type == Type::directory);
  CHECK(layer.writer.find("usr/lib/so")->size == 1);
  CHECK(!layer.writer.own_type("usr/lib/so"));
  CHECK(layer.writer.own_type("") == Type::directory);
  CHECK(must(layer.writer.resolve("lib/so", true)) == "usr/lib/so");
  CHECK(must(layer.writer.resolve("lib", false)) == "lib");
  must(layer.writer.symlink("usr/lib/so", "/var/new", meta(0777)));
  CHECK(must(layer.writer.resolve("lib/so", true)) == "var/new");
  CHECK(must(layer.writer.resolve("../../lib/../x", true)) == "usr/x");
  must(layer.writer.symlink("loop", "loop", meta(0777)));
  CHECK(layer.writer.resolve("loop/x", true).error().code() == Errc::invalid_argument);
  must(layer.writer.opaque("var"));
  CHECK(!layer.writer.find("var/old"));
  must(layer.writer.whiteout("usr/lib"));
  CHECK(!layer.writer.find("usr/lib/so"));
  CHECK(layer.writer.own_type("usr/lib") == Type::whiteout);
  must(layer.writer.remove("usr"));
  CHECK(layer.writer.find("usr/lib/so")->type == Type::file);
}

TEST_CASE("an opaque root hides every child") {
  LayerFixture fixture;
  const auto base = must(fixture.apply(tar({tar_folder("a"), tar_file("a/f"), tar_folder("b"), tar_file("c")})));
  Writing layer(fixture, {base.layer.id});
  layer.put("a/new", "");
  must(layer.writer.opaque(""));
  must(layer.writer.directory("b", meta(0700)));
  const LayerId top = layer.commit();
  CHECK(lines_of(must(fixture.layers.listing(top))) == Lines{"d a 755 opaque", "f a/new 644 0", "d b 700 opaque", "w c"});
  CHECK(lines_of(must(fixture.layers.view({base.layer.id, top}))) == Lines{"d a 755", "f a/new 644 0", "d b 700"});
}

TEST_CASE("work that is cancelled stops") {
  LayerFixture fixture;
  const auto cancel = task::Cancel::create();
  cancel.stop();
  for (const int count : {1, 200}) {
    Writing layer(fixture);
    std::vector<FileJob> jobs;
    for (int i = 0; i < count; ++i) {
      FileJob& job = jobs.emplace_back(FileJob{.path = format("x{}", i), .meta = meta(0644), .size = 1});
      job.source_dir = fixture.dir.path();
      job.source_path = "mica.db";
    }
    CHECK(code(layer.writer.files(jobs, cancel)) == Errc::cancelled);
  }
}
