#include "build/add_archive.h"

#include <doctest/doctest.h>

#include "stream/compression.h"
#include "support/step_fixture.h"

using namespace mica;
using namespace mica::build;
using namespace mica::testing;

namespace {

std::string compressed(const std::string& text, stream::Compression kind) {
  stream::MemorySink sink;
  const auto encoder = must(stream::compress(sink, kind));
  must(encoder->write({reinterpret_cast<const unsigned char*>(text.data()), text.size()}));
  must(encoder->finish());
  return sink.take();
}

TarItem owned(TarItem item, std::uint64_t uid, std::uint64_t gid) {
  item.entry.uid = uid;
  item.entry.gid = gid;
  return item;
}
TarItem timed(TarItem item, std::int64_t mtime_ns) {
  item.entry.mtime_ns = mtime_ns;
  return item;
}

/// ADDs the archive to /x of the parent; the layer's lines or the error.
Lines added(StepFixture& fixture, const std::string& bytes, const State& parent = {}, CopyOp op = {.destination = "/x"}) {
  fixture.new_context().file("t.tar", bytes);
  op.add = true;
  op.sources = {"t.tar"};
  const auto ran = fixture.run(std::move(op), parent);
  if (!ran) return {"error: " + ran.error().text()};
  return fixture.layer(*ran);
}
Lines added(StepFixture& fixture, const std::vector<TarItem>& items, const State& parent = {}) {
  return added(fixture, tar(items), parent);
}

bool fails(const Lines& lines, std::string_view with) {
  return lines.size() == 1 && lines[0].starts_with("error: unpacking \"/t.tar\": ") && lines[0].find(with) != std::string::npos;
}

}  // namespace

TEST_CASE("an archive is unpacked into the destination as a folder, with all that it says") {
  StepFixture fixture;
  const std::vector<TarItem> items = {owned(tar_folder("./", 0711), 9, 9), owned(tar_folder("d", 0700), 1000, 50),
                                      owned(tar_file("d/f", "1\n", 04711), 1000, 50), tar_symlink("d/l", "f"),
                                      owned(tar_link("h", "d/f", 04711), 1000, 50)};
  const Lines wanted = {"d x 755", "d x/d 700 1000:50", "f x/d/f 4711 1000:50 2", "l x/d/l -> f", "f x/h 4711 1000:50 2 = x/d/f"};
  CHECK(added(fixture, items) == wanted);
  for (const auto kind : {stream::Compression::gzip, stream::Compression::zstd})
    CHECK(added(fixture, compressed(tar(items), kind)) == wanted);
}

TEST_CASE("only files that are archives are unpacked") {
  StepFixture fixture;
  const std::string archive = tar({tar_file("f", "1")}), empty = tar({});
  const auto copied = [&](const std::string& bytes, CopyOp op = {.destination = "/x/"}) {
    const Lines lines = added(fixture, bytes, {}, std::move(op));
    return lines == Lines{"d x 755", format("f x/t.tar 644 {}", bytes.size())};
  };
  CHECK(copied("not a tar\n"));
  CHECK(copied(""));
  CHECK(copied(empty));
  CHECK(copied(compressed("text", stream::Compression::gzip)));
  CHECK(copied("\x1f\x8b broken"));
  CHECK(copied(archive, {.destination = "/x/", .unpack = false}));
  CHECK_FALSE(copied(archive));

  MemoryTree& context = fixture.new_context();
  context.file("d/t.tar", archive);
  context.file("one.tar", archive);
  context.file("two.tar", tar({tar_file("g", "1")}));
  const auto layer = [&](CopyOp op) { return fixture.layer(must(fixture.run(std::move(op)))); };
  CHECK(layer({.add = true, .sources = {"d"}, .destination = "/x/"})[1].starts_with("f x/t.tar"));
  CHECK(layer({.sources = {"d/t.tar"}, .destination = "/x/"})[1].starts_with("f x/t.tar"));
  CHECK(layer({.add = true, .sources = {"*.tar"}, .destination = "/x"}) == Lines{"d x 755", "f x/f 644 1", "f x/g 644 1"});
  CHECK(layer({.sources = {"d/t.tar"}, .destination = "/x/", .unpack = true}) == Lines{"d x 755", "f x/f 644 1"});
}

TEST_CASE("--chown overrules the archive's owners but not those of folders that it lacks, --chmod nothing") {
  StepFixture fixture;
  const std::string bytes = tar({owned(tar_file("d/f", "1", 0644), 5, 5), owned(tar_link("h", "d/f"), 5, 5)});
  CHECK(added(fixture, bytes, {}, {.destination = "/new/x", .chown = "1000:50", .chmod = "700"}) ==
        Lines{"d new 755 1000:50", "d new/x 755 1000:50", "d new/x/d 755", "f new/x/d/f 644 1000:50 1",
              "f new/x/h 644 1000:50 1 = new/x/d/f"});
}

TEST_CASE("folders merge, everything else replaces what is there") {
  StepFixture fixture;
  const State base = fixture.shell(
      "mkdir -p x/d x/full/deep; chown 1:1 x/d; echo old > x/d/keep; echo old > x/file; ln -s d x/link; ln -s nope x/dangling");
  const auto merged = [&](const std::vector<TarItem>& items) {
    fixture.new_context().file("t.tar", tar(items));
    return fixture.tree(must(fixture.run(CopyOp{.add = true, .sources = {"t.tar"}, .destination = "/x"}, base)).state);
  };
  CHECK(merged({tar_folder("d", 0711), tar_file("d/f", "1")}) ==
        Lines{"d x 755", "d x/d 711", "f x/d/f 644 1", "f x/d/keep 644 4", "l x/dangling -> nope", "f x/file 644 4",
              "d x/full 755", "d x/full/deep 755", "l x/link -> d"});
  CHECK(merged({tar_file("full", "1"), tar_folder("file", 0700), tar_folder("link", 0700), tar_file("link/f", "1"),
                tar_file("dangling", "22")}) == Lines{"d x 755", "d x/d 755 1:1", "f x/d/keep 644 4", "f x/dangling 644 2",
                                                      "d x/file 700", "f x/full 644 1", "d x/link 700", "f x/link/f 644 1"});
  // A folder that comes back is a new one.
  CHECK(merged({tar_file("d", "1"), tar_folder("d", 0700), tar_file("d/new", "1"), tar_file("full/x", "1"),
                tar_file("full", "22")}) == Lines{"d x 755", "d x/d 700", "f x/d/new 644 1", "l x/dangling -> nope",
                                                  "f x/file 644 4", "f x/full 644 2", "l x/link -> d"});
}

TEST_CASE("links are followed inside the destination, which nothing leaves") {
  StepFixture fixture;
  const State base = fixture.shell(
      "mkdir -p x/real etc; ln -s /real x/abs; ln -s ../../../../etc x/up; ln -s nope2 x/dangling; ln -s ../etc ETC");
  const auto in_x = [&](const std::vector<TarItem>& items) { return added(fixture, items, base); };
  CHECK(in_x({tar_file("abs/through", "2")}) == Lines{"d x 755", "d x/real 755", "f x/real/through 644 1"});
  CHECK(in_x({tar_file("dangling/f", "2")}) == Lines{"d x 755", "d x/nope2 755", "f x/nope2/f 644 1"});
  CHECK(in_x({tar_file("/abs2/c", "2"), tar_file("a/../y/./z", "1")}) ==
        Lines{"d x 755", "d x/abs2 755", "f x/abs2/c 644 1", "d x/y 755", "f x/y/z 644 1"});
  CHECK(in_x({tar_symlink("s", "../../out")}) == Lines{"d x 755", "l x/s -> ../../out"});
  CHECK(fails(in_x({tar_file("up/esc", "1")}), "goes through the link /x/up"));
  CHECK(fails(in_x({tar_symlink("s", "../../../etc"), tar_file("s/g", "1")}), "goes through the link /x/s"));
  CHECK(fails(in_x({tar_file("../../f", "1")}), "climbs out"));
  CHECK(fails(in_x({tar_file("a/../../f", "1")}), "climbs out"));
  CHECK(fails(in_x({tar_link("b", "../etc/passwd")}), "climbs out"));
  CHECK(fails(in_x({tar_link("b", "nope")}), "which is not there as a file"));
  CHECK(fails(in_x({tar_link("b", "real")}), "which is not there as a file"));
  CHECK(fails(in_x({tar_file("f", "1"), tar_file("f/g", "1")}), "/x/f: not a directory"));
  // At the image's root ".." goes nowhere, as for the kernel.
  CHECK(added(fixture, tar({tar_file("ETC/f", "1")}), base, {.destination = "/"}) == Lines{"d etc 755", "f etc/f 644 1"});
}

TEST_CASE("a link that is replaced leads nowhere any more") {
  StepFixture fixture;
  CHECK(added(fixture, {tar_folder("a"), tar_folder("b"), tar_symlink("l", "a"), tar_file("l/1", "1"), tar_symlink("l", "b"),
                        tar_file("l/2", "2")}) ==
        Lines{"d x 755", "d x/a 755", "f x/a/1 644 1", "d x/b 755", "f x/b/2 644 1", "l x/l -> b"});
  CHECK(added(fixture, {tar_folder("a"), tar_file("a/1", "1"), tar_folder("b"), tar_symlink("a", "b"), tar_file("a/2", "2")}) ==
        Lines{"d x 755", "l x/a -> b", "d x/b 755", "f x/b/2 644 1"});
}

TEST_CASE("a hard link's own metadata goes to the inode") {
  StepFixture fixture;
  const State base = fixture.shell("mkdir x; echo low > x/low");
  fixture.new_context().file(
      "t.tar", tar({owned(tar_file("a", "x"), 1, 1), timed(owned(tar_link("b", "a", 04711), 7, 8), 1'300'000'000),
                    tar_symlink("s", "t"), owned(tar_link("hs", "/s", 0777), 9, 0), tar_link("from-below", "low", 0600)}));
  const auto ran = must(fixture.run(CopyOp{.add = true, .sources = {"t.tar"}, .destination = "/x"}, base));
  CHECK(fixture.layer(ran) == Lines{"d x 755", "f x/a 4711 7:8 1", "f x/b 4711 7:8 1 = x/a", "f x/from-below 600 4",
                                    "l x/hs 9:0 -> t", "f x/low 600 4 = x/from-below", "l x/s 9:0 -> t = x/hs"});
  CHECK(fixture.entry(ran.state, "x/a").mtime_ns == 1'300'000'000);
}

TEST_CASE("devices, fifos and attributes come out of archives") {
  StepFixture fixture;
  TarItem device = tar_file("n"), fifo = tar_file("p", "", 0640), file = tar_file("f", "1");
  device.entry.type = archive::EntryType::char_device;
  device.entry.device_major = 1, device.entry.device_minor = 3;
  fifo.entry.type = archive::EntryType::fifo;
  file.entry.xattrs = {{"security.selinux", "label"}, {"user.a", "b"}};
  fixture.new_context().file("t.tar", tar({device, file, fifo}));
  const auto ran = must(fixture.run(CopyOp{.add = true, .sources = {"t.tar"}, .destination = "/x"}));
  CHECK(fixture.layer(ran) == Lines{"d x 755", "f x/f 644 1", "c x/n 644 103", "p x/p 640"});
  CHECK(snapshot::unpack_xattrs(fixture.entry(ran.state, "x/f").xattrs) == std::vector<sys::Xattr>{{"user.a", "b"}});
}

TEST_CASE("times are the archive's, but no later than SOURCE_DATE_EPOCH") {
  StepFixture fixture;
  const std::string bytes = tar({timed(tar_folder("d"), 3'000), timed(tar_file("d/f", "1"), 1'000), timed(tar_file("g"), 5'000)});
  fixture.new_context().file("t.tar", bytes);
  const CopyOp op{.add = true, .sources = {"t.tar"}, .destination = "/x"};
  State made = must(fixture.run(op)).state;
  CHECK(fixture.entry(made, "x/d").mtime_ns == 3'000);
  CHECK(fixture.entry(made, "x/g").mtime_ns == 5'000);
  fixture.session.clamp_ns = 2'000;
  made = must(fixture.run(op)).state;
  CHECK(fixture.entry(made, "x").mtime_ns == 2'000);
  CHECK(fixture.entry(made, "x/d").mtime_ns == 2'000);
  CHECK(fixture.entry(made, "x/d/f").mtime_ns == 1'000);
  CHECK(fixture.entry(made, "x/g").mtime_ns == 2'000);
}

TEST_CASE("a damaged archive is an error") {
  StepFixture fixture;
  const std::string whole = tar({tar_file("f", std::string(100'000, 'x'))});
  CHECK(fails(added(fixture, whole.substr(0, 20'000)), ""));
  std::string noise;
  for (std::uint32_t state = 1; noise.size() < 1'000'000; state = state * 1664525 + 1013904223)
    noise += static_cast<char>(state >> 24);
  const std::string packed = compressed(tar({tar_file("f", noise)}), stream::Compression::gzip);
  CHECK(fails(added(fixture, packed.substr(0, packed.size() / 2)), ""));
  CHECK(fails(added(fixture, {owned(tar_file("f"), 1ull << 33, 0)}), "out of range"));
  CHECK(added(fixture, tar({tar_file("f")}), fixture.shell("echo > x")) == Lines{"error: mkdir /x: not a directory"});
}
