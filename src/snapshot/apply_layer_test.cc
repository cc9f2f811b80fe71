// Unpacking of layer tars: order of markers, links, and archives made to do harm.
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
using archive::EntryType;

namespace {

std::vector<TarItem> base_items() {
  TarItem home = tar_folder("home", 0711);
  home.entry.uid = 5;
  return {home,
          tar_folder("home/user", 0700),
          tar_file("home/user/file", "lower"),
          tar_folder("usr"),
          tar_folder("usr/lib"),
          tar_file("usr/lib/so", "so"),
          tar_symlink("lib", "usr/lib"),
          tar_symlink("abs", "/usr/lib"),
          tar_symlink("up", "../../../../usr"),
          tar_symlink("out", "../../../../../../tmp")};
}

/// A layer over the base above.
struct Stack {
  LayerFixture fixture;
  LayerId base = must(fixture.apply(tar(base_items()))).layer.id;

  Result<Applied> apply(const std::vector<TarItem>& items) { return fixture.apply(tar(items), {base}); }
  /// The layer's lines, after a check that they are what is on disk.
  Lines layer(const std::vector<TarItem>& items, bool tied = false) {
    const auto applied = must(apply(items));
    CHECK(applied.layer.parent_key == (tied ? LayerStore::chain_key({base}) : ""));
    const Listing listing = must(fixture.layers.listing(applied.layer.id));
    check_same(listing, fixture.scan(fixture.layers.directory(applied.layer.id)));
    return lines_of(listing);
  }
  Lines tree(const std::vector<TarItem>& items) {
    const auto applied = must(apply(items));
    return lines_of(must(fixture.layers.view({base, applied.layer.id})));
  }
  std::string error(const std::vector<TarItem>& items) {
    const auto applied = apply(items);
    REQUIRE(!applied.has_value());
    CHECK(applied.error().code() == Errc::corrupt);
    return applied.error().text();
  }
};

std::string deep(int folders) {
  std::string path;
  for (int i = 0; i < folders; ++i) path += "a/";
  return path + "b";
}

TarItem item(EntryType type, std::string path, std::string link = "") {
  return {{.type = type, .path = std::move(path), .link = std::move(link)}, ""};
}

}  // namespace

TEST_CASE("parents that the tar lacks keep the lower tree's metadata, and tie the layer to its chain") {
  Stack stack;
  TarItem file = tar_file("home/user/new/file", "x");
  file.entry.mtime_ns = 77;
  CHECK(stack.layer({file}, true) ==
        Lines{"d home 711 5:0", "d home/user 700", "d home/user/new 755", "f home/user/new/file 644 1"});
  CHECK(stack.layer({tar_folder("home", 0750), tar_folder("home/user"), tar_folder("home/user/new"), file}) ==
        Lines{"d home 750", "d home/user 755", "d home/user/new 755", "f home/user/new/file 644 1"});
  // Their entries may come later.
  CHECK(stack.layer({file, tar_folder("home/user/new"), tar_folder("home/user"), tar_folder("home", 0750)}) ==
        Lines{"d home 750", "d home/user 755", "d home/user/new 755", "f home/user/new/file 644 1"});
  const auto applied = must(stack.apply({file}));
  const Listing listing = must(stack.fixture.layers.listing(applied.layer.id));
  CHECK_MESSAGE(listing[listing.find("home/user/new")].mtime_ns == 77, "of what made it necessary, not of the clock");
}

TEST_CASE("names are made clean; the root's own entry is left out") {
  Stack stack;
  CHECK(stack.layer({tar_folder("."), tar_folder("./"), item(EntryType::directory, "/"), tar_file("./a"), tar_file("/b"),
                     tar_file("//c/./d/../e", "x"), tar_file("/./.")},
                    true) == Lines{"f a 644 0", "f b 644 0", "d c 755", "f c/e 644 1"});
}

TEST_CASE("a whiteout or opaque mark acts on lower layers only, wherever it stands") {
  Stack stack;
  const std::vector<TarItem> items = {tar_folder("home", 0755),
                                      tar_folder("home/user", 0750),
                                      tar_file("home/user/new", "1"),
                                      tar_file("home/.wh.user"),
                                      tar_folder("usr"),
                                      tar_file("usr/.wh..wh..opq"),
                                      tar_folder("usr/lib"),
                                      tar_file("usr/lib/my", "2"),
                                      tar_file(".wh.lib"),
                                      tar_file(".wh.nothing"),
                                      tar_file(".wh.abs"),
                                      tar_symlink("abs", "usr")};
  const Lines expected = {"l abs -> usr", "d home 755",       "d home/user 750 opaque", "f home/user/new 644 1", "w lib",
                          "w nothing",    "d usr 755 opaque", "d usr/lib 755",          "f usr/lib/my 644 1"};
  std::vector<std::size_t> order(items.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  RandomLayers random(1);
  for (int round = 0; round < 20; ++round) {
    std::vector<TarItem> shuffled;
    for (const auto i : order) shuffled.push_back(items[i]);
    CHECK(stack.layer(shuffled) == expected);
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
  }
  CHECK(stack.tree(items) == Lines{"l abs -> usr", "d home 755", "d home/user 750", "f home/user/new 644 1",
                                   "l out -> ../../../../../../tmp", "l up -> ../../../../usr", "d usr 755", "d usr/lib 755",
                                   "f usr/lib/my 644 1"});
}

TEST_CASE("a folder that is only implied takes nothing from a lower one that turns out to be hidden") {
  Stack stack;
  const Lines whole = {"d home 755 opaque", "d home/user 755", "f home/user/f 644 0"};
  CHECK(stack.layer({tar_file("home/user/f"), tar_file(".wh.home")}, true) == whole);
  CHECK(stack.layer({tar_file(".wh.home"), tar_file("home/user/f")}, true) == whole);
  const Lines inside = {"d home 711 5:0 opaque", "d home/user 755", "f home/user/f 644 0"};
  CHECK(stack.layer({tar_file("home/user/f"), tar_file("home/.wh..wh..opq")}, true) == inside);
  CHECK(stack.layer({tar_file("home/.wh..wh..opq"), tar_file("home/user/f")}, true) == inside);
}

TEST_CASE("an opaque mark at the root hides everything below") {
  Stack stack;
  for (const auto& items : {std::vector{tar_file(".wh..wh..opq"), tar_file("a"), tar_folder("usr")},
                            std::vector{tar_file("a"), tar_folder("usr"), tar_file("./.wh..wh..opq")}}) {
    CHECK(stack.tree(items) == Lines{"f a 644 0", "d usr 755"});
    CHECK(must(stack.apply(items)).layer.parent_key == LayerStore::chain_key({stack.base}));
  }
}

TEST_CASE("of entries for one path the last one counts; folders merge") {
  Stack stack;
  CHECK(stack.layer({tar_file("a", "1"), tar_file("a", "22"), tar_folder("d", 0700), tar_file("d/x"), tar_folder("d", 0711),
                     tar_file("d/y"), tar_symlink("s", "a"), tar_file("s", "333"), tar_folder("t"), tar_file("t/x"),
                     tar_file("t", "4444"), tar_file("u"), tar_folder("u"), tar_file("u/x"), tar_folder("v"), tar_file("v/x"),
                     tar_symlink("v", "u"), tar_file("v/z")},
                    true) == Lines{"f a 644 2", "d d 711", "f d/x 644 0", "f d/y 644 0", "f s 644 3", "f t 644 4", "d u 755",
                                   "f u/x 644 0", "f u/z 644 0", "l v -> u"});
}

TEST_CASE("links in parents are followed inside the tree, wherever they come from") {
  Stack stack;
  struct Case {
    std::string name, lands;
  };
  for (const auto& [name, lands] : std::vector<Case>{
           {"lib/x", "usr/lib/x"}, {"abs/x", "usr/lib/x"}, {"up/lib/x", "usr/lib/x"}, {"out/x", "tmp/x"}, {"lib/../x", "x"}}) {
    CAPTURE(name);
    const auto applied = must(stack.apply({tar_file(name, "x")}));
    CHECK(must(stack.fixture.layers.listing(applied.layer.id)).find(lands) <
          must(stack.fixture.layers.listing(applied.layer.id)).size());
    CHECK(!sys::exists("/tmp/x"));
  }
  CHECK(stack.layer({tar_file("lib/.wh.so"), tar_file("lib/so2")}, true) ==
        Lines{"d usr 755", "d usr/lib 755", "w usr/lib/so", "f usr/lib/so2 644 0"});
  CHECK(stack.layer({tar_symlink("here", "/../../etc"), tar_file("here/passwd", "p"), tar_folder("lib"), tar_file("lib/own")},
                    true) == Lines{"d etc 755", "f etc/passwd 644 1", "l here -> /../../etc", "d lib 755", "f lib/own 644 0"});
}

TEST_CASE("hard links: to this layer, to lower files, through links; the last metadata is everybody's") {
  if (::geteuid() != 0) return;
  Stack stack;
  TarItem other = tar_link("c", "./a", 0600);
  other.entry.uid = 9;
  CHECK(stack.layer({tar_file("a", "content"), tar_link("b", "/a"), other}) ==
        Lines{"f a 600 9:0 7", "f b 600 9:0 7 = a", "f c 600 9:0 7 = a"});
  CHECK(stack.layer({tar_link("mine", "lib/so", 0644)}, true) ==
        Lines{"f mine 644 2", "d usr 755", "d usr/lib 755", "f usr/lib/so 644 2 = mine"});
  CHECK(stack.layer({tar_link("a2", "usr/lib/../lib/so", 0600), tar_file("usr/lib/so", "replaced")}, true) ==
        Lines{"f a2 600 2", "d usr 755", "d usr/lib 755", "f usr/lib/so 644 8"});
  for (const auto& items : {std::vector{tar_file("usr/lib/.wh.so"), tar_link("x", "usr/lib/so")},
                            std::vector{tar_link("x", "usr/lib/so"), tar_file("usr/lib/.wh.so")}})
    CHECK(stack.layer(items, true) == Lines{"d usr 755", "d usr/lib 755", "w usr/lib/so", "f x 644 2"});
  CHECK(stack.layer({tar_symlink("s", "x"), tar_link("t", "s", 0777)}) == Lines{"l s -> x", "l t -> x = s"});
}

TEST_CASE("devices and fifos are made; a character device 0:0 is the whiteout that overlayfs takes it for") {
  if (::geteuid() != 0) return;
  Stack stack;
  TarItem null = item(EntryType::char_device, "null"), loop = item(EntryType::block_device, "loop"),
          zero = item(EntryType::char_device, "lib");
  null.entry.device_major = 1;
  null.entry.device_minor = 3;
  loop.entry.device_major = 7;
  loop.entry.device_minor = 1000;
  CHECK(stack.layer({null, loop, zero, item(EntryType::fifo, "fifo")}) ==
        Lines{"p fifo 644", "w lib", format("b loop 644 {:x}", makedev(7, 1000)), "c null 644 103"});
}

TEST_CASE("attributes of files are kept, overlayfs's own never get in") {
  Stack stack;
  if (::setxattr(stack.fixture.dir.path().c_str(), "user.probe", "1", 1, 0) != 0) return;
  TarItem file = tar_file("f", "x"), folder = tar_folder("d");
  file.entry.xattrs = folder.entry.xattrs = {{"trusted.overlay.metacopy", ""},
                                             {"trusted.overlay.opaque", "y"},
                                             {"trusted.overlay.redirect", "/home"},
                                             {"user.kept", "1"},
                                             {"user.overlay.opaque", "y"}};
  CHECK(stack.layer({file, folder}) == Lines{"d d 755", "f f 644 1"});
  const auto applied = must(stack.apply({file, folder}));
  const Listing listing = must(stack.fixture.layers.listing(applied.layer.id));
  for (std::size_t i = 0; i < listing.size(); ++i)
    CHECK(unpack_xattrs(listing[i].xattrs) == std::vector<sys::Xattr>{{"user.kept", "1"}});
}

TEST_CASE("archives made to do harm are corrupt") {
  Stack stack;
  TarItem big_id = tar_file("x");
  big_id.entry.uid = 0xffffffff;
  struct Case {
    std::string name;
    std::vector<TarItem> items;
    std::string says;
  };
  const std::vector<Case> cases = {
      {"climbing name", {tar_file("../x")}, "leads out"},
      {"climbing inside", {tar_file("a/../../x")}, "leads out"},
      {"climbing absolute", {tar_file("/../x")}, "leads out"},
      {"only a climb", {tar_folder("..")}, "leads out"},
      {"climbing link target", {tar_link("x", "../etc/passwd")}, "leads out"},
      {"link to nothing", {tar_link("x", "no/where")}, "there is no"},
      {"link to a folder", {tar_link("x", "usr")}, "is a folder"},
      {"link to the root", {tar_link("x", "/")}, "hard link to the root"},
      {"link to what it replaces", {tar_folder("d"), tar_file("d/f"), tar_link("d", "d/f")}, "there is no"},
      {"link to a file outside by a link", {tar_symlink("s", "/etc"), tar_link("x", "s/hostname")}, "there is no"},
      {"file as parent", {tar_file("f"), tar_file("f/x")}, "is not a folder"},
      {"lower file as parent", {tar_file("home/user/file/x")}, "is not a folder"},
      {"link loop", {tar_symlink("l", "l"), tar_file("l/x")}, "too many levels"},
      {"marker for nothing", {tar_file(".wh.")}, "without a name"},
      {"marker for the folder", {tar_file("usr/.wh..")}, "without a name"},
      {"marker for the parent", {tar_file("usr/.wh...")}, "without a name"},
      {"marker as parent", {tar_file("usr/.wh.x/y")}, "reserved"},
      {"mark on a file", {tar_file("f"), tar_file("f/.wh..wh..opq")}, "is not a folder"},
      {"id", {big_id}, "too large"},
      {"long part", {tar_file(std::string(256, 'x'))}, "too long"},
      {"long name", {tar_file(deep(2100))}, "too long"},
      {"empty link", {tar_symlink("s", "")}, "nowhere"},
      {"long link", {tar_symlink("s", std::string(4096, 'x'))}, "too long"},
  };
  for (const auto& [name, items, says] : cases) {
    CAPTURE(name);
    const std::string text = stack.error(items);
    CHECK_MESSAGE(text.find(says) != text.npos, text);
  }
  const auto ingest = must(sys::open(stack.fixture.dir.path() + "/ingest/1", O_RDONLY | O_DIRECTORY));
  CHECK_MESSAGE(must(sys::list_names(ingest)).empty(), "nothing stays behind");
  CHECK(must(stack.fixture.layers.list()).size() == 1);
}

TEST_CASE("entries of aufs's own are passed over") {
  Stack stack;
  CHECK(stack.layer({tar_folder(".wh..wh.plnk"), tar_file(".wh..wh.plnk/12.34", "x"), tar_file(".wh..wh.aufs"), tar_file("a")}) ==
        Lines{"f a 644 0"});
}

TEST_CASE("a cut tar is corrupt wherever it is cut, unless only the end is missing") {
  LayerFixture fixture;
  const std::string whole = tar({tar_file("a", "12345"), tar_folder("d"), tar_file("d/b", std::string(1500, 'x'))});
  const std::size_t end = whole.size() - 1024;
  for (std::size_t size = 1; size < end; size += 100) {
    CAPTURE(size);
    const auto applied = fixture.apply(whole.substr(0, size));
    const bool between = size == 1024 || size == 1536;
    CHECK(applied.has_value() == between);
    if (!applied) CHECK(applied.error().code() == Errc::corrupt);
  }
  CHECK(fixture.apply(whole.substr(0, end)).has_value());
  CHECK(must(fixture.layers.listing(must(fixture.apply("")).layer.id)).empty());
}

TEST_CASE("the DiffID covers every byte, padding too; the same bytes over the same chain are one layer") {
  LayerFixture fixture;
  const std::string bytes = tar({tar_file("a", "1"), tar_file("d/b", "2")}), padded = bytes + std::string(9000, '\0');
  const auto first = must(fixture.apply(bytes)), again = must(fixture.apply(bytes)), other = must(fixture.apply(padded));
  CHECK(first.diff_id.digest.hex() == sha256_hex(bytes));
  CHECK(other.diff_id.digest.hex() == sha256_hex(padded));
  CHECK(first.layer.id == again.layer.id);
  CHECK(first.layer.id != other.layer.id);
  CHECK(must(fixture.layers.info(first.layer.id)).diff_id == first.diff_id);
  const auto elsewhere = must(fixture.apply(bytes, {other.layer.id}));
  CHECK_MESSAGE(elsewhere.layer.id != first.layer.id, "its folder d is another one there");
  const std::string free = tar({tar_file("a", "1")});
  CHECK(must(fixture.apply(free)).layer.id == must(fixture.apply(free, {other.layer.id})).layer.id);
}

TEST_CASE("a cancelled unpacking stops and leaves nothing") {
  LayerFixture fixture;
  stream::MemorySource source(tar({tar_file("a")}));
  const auto cancel = task::Cancel::create();
  cancel.stop();
  CHECK(apply_layer_tar(source, fixture.layers, {}, fixture.pool, cancel).error().code() == Errc::cancelled);
  CHECK(must(fixture.layers.list()).empty());
}

TEST_CASE("random layers, with their markers anywhere, over each other show what the model shows") {
  for (std::uint32_t seed = 100; seed < 140; ++seed) {
    CAPTURE(seed);
    LayerFixture fixture(1);
    RandomLayers random(seed);
    ModelTree model;
    Chain chain;
    for (int layer = 0; layer < 3; ++layer) {
      const Entries entries = random.layer();
      model.apply(entries);
      std::vector<TarItem> items;
      for (const auto& entry : entries) {
        const auto slash = entry.path.rfind('/') + 1;
        if (entry.type == Type::whiteout)
          items.push_back(tar_file(entry.path.substr(0, slash) + ".wh." + entry.path.substr(slash)));
        if (entry.type == Type::directory) items.push_back(tar_folder(entry.path, entry.mode));
        if (entry.opaque) items.push_back(tar_file(entry.path + "/.wh..wh..opq"));
        if (entry.type == Type::symlink) items.push_back(tar_symlink(entry.path, entry.link));
        if (entry.type == Type::file) items.push_back(tar_file(entry.path, std::string(entry.size, 'x'), entry.mode));
      }
      // Parents come before their children; markers may be anywhere.
      std::vector<TarItem> mixed;
      for (const auto& item : items)
        if (item.entry.path.find(".wh.") == item.entry.path.npos) mixed.push_back(item);
      for (const auto& item : items)
        if (item.entry.path.find(".wh.") != item.entry.path.npos)
          mixed.insert(mixed.begin() + random.below(static_cast<std::uint32_t>(mixed.size() + 1)), item);
      chain.push_back(must(fixture.apply(tar(mixed), chain)).layer.id);
    }
    Lines expected;
    for (const auto& [path, entry] : model.entries()) expected.push_back(line_of(entry.view()));
    CHECK(lines_of(must(fixture.layers.view(chain))) == expected);
  }
}
