#include "snapshot/layer_tar.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/layer_fixture.h"
#include "support/layers.h"
#include "sys/process.h"

using namespace mica;
using namespace mica::snapshot;
using namespace mica::testing;

namespace {

constexpr std::int64_t kTime = 1'600'000'000'123'456'789;

/// "path" or "path -> link", in the order of the archive.
Lines names_in(const std::string& bytes) {
  stream::MemorySource source(bytes);
  archive::TarReader reader(source);
  Lines lines;
  while (const auto entry = must(reader.next())) {
    CHECK(entry->user_name.empty());
    lines.push_back(entry->link.empty() ? entry->path : entry->path + " -> " + entry->link);
  }
  return lines;
}

/// A layer from entries, whose contents are `content` (by path, else empty), through the writer.
LayerId make_layer(LayerFixture& fixture, const Entries& entries, const Chain& below = {}) {
  const auto lower = must(fixture.layers.view(below));
  auto staged = must(fixture.layers.stage());
  LayerWriter writer(staged, lower, fixture.pool);
  for (const auto& entry : entries) {
    const Meta meta{.mode = entry.mode, .mtime_ns = kTime};
    if (entry.type == Type::whiteout) must(writer.whiteout(entry.path));
    if (entry.type == Type::directory) must(writer.directory(entry.path, meta));
    if (entry.opaque) must(writer.opaque(entry.path));
    if (entry.type == Type::symlink) must(writer.symlink(entry.path, entry.link, meta));
    if (entry.type != Type::file) continue;
    stream::MemorySource content(std::string(entry.size, 'x'));
    must(writer.file(entry.path, meta, content));
  }
  const Listing listing = must(writer.finish());
  return must(fixture.layers.commit(std::move(staged), listing, lower)).id;
}

}  // namespace

TEST_CASE("the tar of a layer is in the order of its paths, with each marker in the place of what it speaks of") {
  LayerFixture fixture;
  const LayerId id = make_layer(fixture, {file("a-b", "x"), folder("a"), file("a/z"), opaque("a/b"), whiteout("a/gone"),
                                          whiteout("b"), soft_link("c", "a"), opaque("d"), file("d/e")});
  CHECK(names_in(fixture.tar_of(id)) ==
        Lines{"a/", "a-b", "a/b/", "a/b/.wh..wh..opq", "a/.wh.gone", "a/z", ".wh.b", "c -> a", "d/", "d/.wh..wh..opq", "d/e"});
}

TEST_CASE("hard links lead to the first path, with the metadata of the inode") {
  LayerFixture fixture;
  auto staged = must(fixture.layers.stage());
  LayerWriter writer(staged, TreeView(), fixture.pool);
  stream::MemorySource content("content");
  must(writer.file("m/z", {.mode = 0640, .uid = 3, .mtime_ns = kTime}, content));
  must(writer.hard_link("m/b", "m/z"));
  must(writer.hard_link("a", "m/b"));
  const Listing listing = must(writer.finish());
  const LayerId id = must(fixture.layers.commit(std::move(staged), listing, TreeView())).id;
  CHECK(names_in(fixture.tar_of(id)) == Lines{"a", "m/", "m/b -> a", "m/z -> a"});
  CHECK(lines_of(must(fixture.layers.listing(must(fixture.apply(fixture.tar_of(id))).layer.id))) ==
        Lines{"f a 640 3:0 7", "d m 755", "f m/b 640 3:0 7 = a", "f m/z 640 3:0 7 = a"});
}

TEST_CASE("times above the clamp are lowered to it") {
  LayerFixture fixture;
  const LayerId id = make_layer(fixture, {file("f", "x"), folder("d"), whiteout("w")});
  stream::MemorySink sink;
  must(write_layer_tar(must(fixture.layers.listing(id)), fixture.layers.directory(id), sink, {}, 1'000'000'000));
  const auto clamped = must(fixture.apply(sink.take()));
  const Listing listing = must(fixture.layers.listing(clamped.layer.id));
  for (std::size_t i = 0; i < listing.size(); ++i)
    CHECK(listing[i].mtime_ns == (listing[i].type == Type::whiteout ? 0 : 1'000'000'000));
}

TEST_CASE("names that would read as markers are refused, with what to do") {
  LayerFixture fixture;
  const LayerId id = make_layer(fixture, {folder("d"), file("d/.wh.f")});
  stream::MemorySink sink;
  const auto written = write_layer_tar(must(fixture.layers.listing(id)), fixture.layers.directory(id), sink, {});
  REQUIRE(!written.has_value());
  CHECK(written.error().code() == Errc::unsupported);
  CHECK(!written.error().hint().empty());
  CHECK(names_in(fixture.tree_tar_of({id})) == Lines{"d/", "d/.wh.f"});
}

TEST_CASE("a file that is not as listed is found out while its tar is written") {
  for (const std::string content : {"", "shor", "longer"}) {
    LayerFixture fixture;
    const LayerId id = make_layer(fixture, {file("f", "12345"), file("g", "1")});
    must(sys::write_file(fixture.layers.directory(id) + "/f", content));
    stream::MemorySink sink;
    const auto written = write_layer_tar(must(fixture.layers.listing(id)), fixture.layers.directory(id), sink, {});
    REQUIRE(!written.has_value());
    CHECK(written.error().code() == Errc::corrupt);
  }
  LayerFixture fixture;
  const LayerId id = make_layer(fixture, {file("f", "12345")});
  REQUIRE(::unlink((fixture.layers.directory(id) + "/f").c_str()) == 0);
  REQUIRE(::symlink("/etc/passwd", (fixture.layers.directory(id) + "/f").c_str()) == 0);
  stream::MemorySink sink;
  CHECK(!write_layer_tar(must(fixture.layers.listing(id)), fixture.layers.directory(id), sink, {}).has_value());
}

TEST_CASE("contents around the size of a buffer pass unchanged") {
  LayerFixture fixture;
  for (const std::size_t size : {0u, 1u, 511u, 512u, 513u, (256u << 10) - 1, 256u << 10, (256u << 10) + 1, 1u << 20}) {
    const LayerId id = make_layer(fixture, {file("f", std::string(size, 'x'))});
    const std::string tar = fixture.tar_of(id);
    constexpr std::size_t kHeaders = 3 * 512;  // its time has a fraction
    CHECK(tar.size() == kHeaders + (size + 511) / 512 * 512 + 1024);
    CHECK((tar.substr(kHeaders, size) == std::string(size, 'x')));
  }
}

TEST_CASE("a layer, its tar and the layer of that tar are one, with any number of threads") {
  std::string first;
  for (const int threads : {1, 2, 7}) {
    LayerFixture fixture(threads);
    Entries entries = {folder("bin", 0711), file("bin/su", std::string(100000, 'x'), 04755), soft_link("sbin", "bin"),
                       opaque("var"), whiteout("tmp")};
    for (int i = 0; i < 300; ++i) entries.push_back(file(format("bin/f{}", i), std::string(i * 100, 'x')));
    const LayerId id = make_layer(fixture, entries);
    const std::string tar = fixture.tar_of(id);
    if (first.empty()) first = tar;
    CHECK(tar == first);
    const auto applied = must(fixture.apply(tar));
    CHECK(applied.layer.id != id);
    CHECK(applied.diff_id == must(fixture.layers.diff_id(id, {})));
    CHECK(applied.diff_id.digest.hex() == sha256_hex(tar));
    CHECK(applied.layer.parent_key.empty());
    check_same(must(fixture.layers.listing(applied.layer.id)), must(fixture.layers.listing(id)));
    check_same(fixture.scan(fixture.layers.directory(applied.layer.id)), must(fixture.layers.listing(id)));
    CHECK(fixture.tar_of(applied.layer.id) == tar);
  }
}

TEST_CASE("random layers come back from their tars as they were") {
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    LayerFixture fixture(1);
    RandomLayers random(seed);
    const LayerId id = make_layer(fixture, random.layer());
    const auto applied = must(fixture.apply(fixture.tar_of(id)));
    check_same(must(fixture.layers.listing(applied.layer.id)), must(fixture.layers.listing(id)));
  }
}

TEST_CASE("the tar of a tree is what is visible; hidden first names of links give way to the next") {
  LayerFixture fixture;
  const auto base = must(fixture.apply(tar({tar_folder("d", 0711), tar_file("d/a", "shared"), tar_link("d/b", "d/a"),
                                            tar_link("d/c", "d/a"), tar_file("e"), tar_file("old"), tar_link("x", "old")})));
  const auto top =
      must(fixture.apply(tar({tar_file("d/.wh.a"), tar_file("e", "new"), tar_symlink("old", "e")}), {base.layer.id}));
  const std::string tree = fixture.tree_tar_of({base.layer.id, top.layer.id});
  CHECK(names_in(tree) == Lines{"d/", "d/b", "d/c -> d/b", "e", "old -> e", "x"});
  const auto flat = must(fixture.apply(tree));
  CHECK(lines_of(must(fixture.layers.listing(flat.layer.id))) ==
        Lines{"d d 711", "f d/b 644 6", "f d/c 644 6 = d/b", "f e 644 3", "l old -> e", "f x 644 0"});
  CHECK(must(must(fixture.layers.view({flat.layer.id})).read_file("d/c", 10)) == "shared");
}

TEST_CASE("GNU tar lists and unpacks our tars without a word") {
  if (!sys::find_program("tar")) return;
  LayerFixture fixture;
  const std::string long_name = "n/" + std::string(150, 'l') + "/" + std::string(120, 'm');
  const LayerId id = make_layer(fixture, {folder("ä"), file("ä/ö", "x", 0600), folder("n"), folder("n/" + std::string(150, 'l')),
                                          file(long_name, "long"), whiteout("w"), opaque("o")});
  const std::string path = fixture.dir.path() + "/layer.tar", to = fixture.dir.path() + "/unpacked";
  must(sys::write_file(path, fixture.tar_of(id)));
  must(sys::make_directories(to));
  CHECK(must(sys::run_and_capture({"sh", "-c", "tar --quoting-style=literal -tf " + path + " 2>&1"})) ==
        "n/\nn/" + std::string(150, 'l') + "/\n" + long_name + "\no/\no/.wh..wh..opq\n.wh.w\nä/\nä/ö\n");
  CHECK(must(sys::run_and_capture({"sh", "-c", "tar -C " + to + " -xf " + path + " 2>&1"})) == "");
  CHECK(must(sys::read_file(to + "/" + long_name)) == "xxxx");
}
