// Layer scenarios with figures worked out by hand. MiB are written as plain numbers: M is 1 MiB.
#include "analyze/analysis.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "analyze/tar_layer.h"
#include "archive/tar.h"

using namespace mica;
using namespace mica::analyze;

namespace {

constexpr std::uint64_t M = 1 << 20;

struct Item {
  enum class What { file, directory, link, symlink, whiteout, opaque, opaque_root } what;
  std::string path;
  std::uint64_t size = 0;
  std::string content;     // equal strings: equal bytes
  std::uint32_t mode = 0644, uid = 0;
};
Item file(std::string path, std::uint64_t size, std::string content = "", std::uint32_t mode = 0644, std::uint32_t uid = 0) {
  if (content.empty()) content = path;
  return {Item::What::file, std::move(path), size, std::move(content), mode, uid};
}
Item dir(std::string path) { return {Item::What::directory, std::move(path)}; }
Item hard_link(std::string path, std::string to) { return {Item::What::link, std::move(path), 0, std::move(to)}; }
Item soft_link(std::string path, std::string to) { return {Item::What::symlink, std::move(path), 0, std::move(to)}; }
Item gone(std::string path) { return {Item::What::whiteout, std::move(path)}; }
Item opaque(std::string path) { return {Item::What::opaque, std::move(path)}; }

Layer make_layer(const std::vector<Item>& items) {
  Layer layer;
  for (const Item& item : items) {
    Entry entry{.path = item.path, .mode = item.mode, .uid = item.uid};
    switch (item.what) {
      case Item::What::file:
        entry.size = entry.archived_size = item.size;
        entry.digest = sha256(item.content);
        break;
      case Item::What::link: entry.hard_link = item.content; break;
      case Item::What::symlink:
        entry.kind = Kind::symlink;
        entry.link = item.content;
        break;
      case Item::What::directory: entry.kind = Kind::directory; break;
      case Item::What::opaque:
        entry.kind = Kind::directory;
        entry.opaque = true;
        break;
      case Item::What::whiteout: layer.whiteouts.push_back(item.path); continue;
      case Item::What::opaque_root: layer.opaque_root = true; continue;
    }
    layer.entries.push_back(std::move(entry));
  }
  normalise(layer);
  return layer;
}
Image make_image(const std::vector<std::vector<Item>>& layers, std::size_t base = 0) {
  Image image;
  for (const auto& items : layers) image.layers.push_back(make_layer(items));
  image.base.layers = base;
  return image;
}

/// "deleted big 5 0>1": kind, path, bytes, layers.
std::string text(const Finding& finding) {
  return std::string(name(finding.kind)) + " " + finding.path + " " + std::to_string(finding.bytes) + " " + std::to_string(finding.added_layer) + ">" +
         std::to_string(finding.hidden_by_layer) + (finding.same_content ? " same" : "") + (finding.inherited ? " inherited" : "");
}
std::string text(const Rollup& rollup) {
  return std::string(name(rollup.kind)) + " /" + rollup.path + (rollup.is_directory ? "/" : "") + " " + std::to_string(rollup.bytes) + " in " + std::to_string(rollup.files) + " " +
         std::to_string(rollup.added_layer) + ">" + std::to_string(rollup.hidden_by_layer);
}
template <class T>
std::vector<std::string> texts(const std::vector<T>& list) {
  std::vector<std::string> out;
  for (const auto& one : list) out.push_back(text(one));
  std::ranges::sort(out);
  return out;
}

struct Scenario {
  const char* title;
  std::vector<std::vector<Item>> layers;
  std::uint64_t total, waste, deleted, same;
  std::uint64_t dive_wasted;
  double dive_efficiency;
  std::vector<std::string> findings;
  std::size_t base = 0;
  std::uint64_t inherited = 0;
  std::uint64_t duplicates = 0, caches = 0;
};

const std::vector<Scenario> kScenarios = {
    // The rows of the table that compares both measures.
    {"a file added, removed in the next layer", {{file("keep", 5 * M), file("big", 5 * M)}, {gone("big")}}, 10 * M, 5 * M, 5 * M, 0, 5 * M, 5.0 / 10,
     {"deleted big 5242880 0>1"}},
    {"a directory added, removed in the next layer: dive sees nothing, and counts the hidden bytes in both sums",
     {{dir("d"), file("d/a", 4 * M), file("d/b", 2 * M), file("keep", M)}, {gone("d")}}, 7 * M, 6 * M, 6 * M, 0, 0, 1.0,
     {"deleted d/a 4194304 0>1", "deleted d/b 2097152 0>1"}},
    {"a directory emptied and made anew", {{dir("d"), file("d/a", 3 * M)}, {opaque("d")}}, 3 * M, 3 * M, 3 * M, 0, 0, 1.0, {"deleted d/a 3145728 0>1"}},
    {"a file replaced, 4 then 3 MiB", {{file("f", 4 * M, "one")}, {file("f", 3 * M, "two")}}, 7 * M, 4 * M, 0, 0, 7 * M, 3.0 / 7, {"overwritten f 4194304 0>1"}},
    {"the same file three times", {{file("f", M, "x")}, {file("f", M, "x")}, {file("f", M, "x")}}, 3 * M, 2 * M, 0, 2 * M, 3 * M, 1.0 / 3,
     {"overwritten f 1048576 0>1 same", "overwritten f 1048576 1>2 same"}},
    {"chown of 5 MiB in its own layer", {{file("f", 5 * M, "x")}, {file("f", 5 * M, "x", 0644, 1000)}}, 10 * M, 5 * M, 0, 5 * M, 10 * M, 0.5, {"overwritten f 5242880 0>1 same"}},
    {"a file moved across layers", {{file("old", 2 * M, "x")}, {gone("old"), file("new", 2 * M, "x")}}, 4 * M, 2 * M, 2 * M, 0, 2 * M, 2.0 / 4, {"deleted old 2097152 0>1"}},
    {"one of two hard links removed", {{file("a", 2 * M), hard_link("b", "a")}, {gone("a")}}, 2 * M, 0, 0, 0, 2 * M, 0.0, {}},
    {"a body of the base replaced", {{file("f", 3 * M, "base")}, {file("f", M, "own")}}, 4 * M, 3 * M, 0, 0, 4 * M, 1.0 / 4, {"overwritten f 3145728 0>1 inherited"}, 1, 3 * M},
    {"cleaned in the same layer", {{file("base", M)}, {dir("out"), file("out/program", 2 * M)}}, 3 * M, 0, 0, 0, 0, 1.0, {}},
    {"caches left",
     {{dir("var"), dir("var/lib"), dir("var/lib/apt"), dir("var/lib/apt/lists"), file("var/lib/apt/lists/deb.list", 4 * M), dir("root"), dir("root/.npm"),
       dir("root/.npm/_cacache"), file("root/.npm/_cacache/x", 2 * M)}},
     6 * M, 0, 0, 0, 0, 1.0, {}, 0, 0, 0, 6 * M},
    {"the same content at two paths", {{file("a", 2 * M, "x")}, {file("b", 2 * M, "x")}}, 4 * M, 0, 0, 0, 0, 1.0, {}, 0, 0, 2 * M},

    // Further ones.
    {"both hard links removed, one by one: the body dies with the last", {{file("a", 100), hard_link("b", "a")}, {gone("a")}, {gone("b")}}, 100, 100, 100, 0, 100, 0.0,
     {"deleted a 100 0>2"}},
    {"a hard link replaced by a body of its own", {{file("a", 100), hard_link("b", "a")}, {file("b", 30, "new")}}, 130, 0, 0, 0, 30, 100.0 / 130, {}},
    {"an opaque directory with new files in it", {{dir("d"), file("d/a", 10), file("d/b", 20)}, {opaque("d"), file("d/a", 5, "new")}}, 35, 30, 20, 0, 15, 25.0 / 35,
     {"deleted d/b 20 0>1", "overwritten d/a 10 0>1"}},
    {"a directory replaced by a file", {{dir("d"), file("d/a", 10), dir("d/e"), file("d/e/b", 5)}, {file("d", 7)}}, 22, 15, 15, 0, 0, 1.0,
     {"deleted d/a 10 0>1", "deleted d/e/b 5 0>1"}},
    {"a file replaced by a directory", {{file("d", 9)}, {dir("d"), file("d/a", 4)}}, 13, 9, 0, 0, 0, 1.0, {"overwritten d 9 0>1"}},
    {"a file replaced by a symlink", {{file("f", 9)}, {soft_link("f", "g")}}, 9, 9, 0, 0, 9, 0.0, {"overwritten f 9 0>1"}},
    {"a directory that comes again hides nothing", {{dir("d"), file("d/a", 9)}, {dir("d")}}, 9, 0, 0, 0, 0, 1.0, {}},
    {"a whiteout of something absent ends dive's walk of the layer", {{file("a", 10)}, {gone("nothing"), file("z", 20)}}, 30, 0, 0, 0, 0, 1.0, {}},
    {"what sorts before such a whiteout still counts for dive", {{file("a", 10)}, {file("-", 20, "first"), gone("nothing"), file("a", 4, "new")}}, 34, 10, 0, 0, 0, 1.0,
     {"overwritten a 10 0>1"}},
    {"empty layers", {{}, {file("a", 3)}, {}}, 3, 0, 0, 0, 0, 1.0, {}},
    {"no layers", {}, 0, 0, 0, 0, 0, 1.0, {}},
    {"nested whiteouts: of a file, then of its directory", {{dir("d"), file("d/a", 10), file("d/b", 20)}, {dir("d"), gone("d/a")}, {gone("d")}}, 30, 30, 30, 0, 10, 40.0 / 50,
     {"deleted d/a 10 0>1", "deleted d/b 20 0>2"}},
    {"removed, then added again with the same content", {{file("f", 8, "x")}, {gone("f")}, {file("f", 8, "x")}}, 16, 8, 0, 8, 16, 0.0, {"overwritten f 8 0>1 same"}},
    {"removed and made anew in one layer", {{dir("d"), file("d/a", 6), file("d/b", 5)}, {gone("d"), dir("d"), file("d/a", 1, "new")}}, 12, 11, 5, 0, 7, 17.0 / 23,
     {"deleted d/b 5 0>1", "overwritten d/a 6 0>1"}},
    {"everything hidden by an opaque root", {{file("a", 4)}, {{Item::What::opaque_root, ""}, file("b", 1)}}, 5, 4, 4, 0, 0, 1.0, {"deleted a 4 0>1"}},
    {"a directory without an entry of its own replaces a file", {{file("d", 9)}, {file("d/a", 4)}}, 13, 9, 0, 0, 0, 1.0, {"overwritten d 9 0>1"}},
    {"names that sort around a slash stay apart", {{dir("d"), file("d/a", 4), file("d-b", 3), file("d0", 2)}, {gone("d")}}, 9, 4, 4, 0, 0, 1.0, {"deleted d/a 4 0>1"}},
    {"empty files are no finding", {{file("a", 0)}, {gone("a")}}, 0, 0, 0, 0, 0, 1.0, {}},
    {"waste of base and own layers apart", {{file("a", 50), file("b", 7)}, {gone("b"), file("c", 20)}, {gone("a"), gone("c")}}, 77, 77, 77, 0, 77, 0.0,
     {"deleted a 50 0>2 inherited", "deleted b 7 0>1 inherited", "deleted c 20 1>2"}, 1, 57},
    {"a cache removed too late is waste, not cache",
     {{dir("root"), dir("root/.cache"), dir("root/.cache/pip"), file("root/.cache/pip/x", 12)}, {gone("root/.cache/pip")}}, 12, 12, 12, 0, 0, 1.0,
     {"deleted root/.cache/pip/x 12 0>1"}},
    {"three copies, one of them a hard link", {{file("a", 10, "x"), hard_link("b", "a")}, {file("c", 10, "x")}, {file("d", 10, "x")}}, 30, 0, 0, 0, 0, 1.0, {}, 0, 0, 20},
};

/// The scenario's layer as a tar, in the order of its items.
std::string tar_of(const std::vector<Item>& items) {
  stream::MemorySink sink;
  archive::TarWriter tar(sink);
  const auto mark = [](const std::string& path, const std::string& prefix) {
    const auto slash = path.rfind('/');
    return slash == path.npos ? prefix + path : path.substr(0, slash + 1) + prefix + path.substr(slash + 1);
  };
  for (const Item& item : items) {
    archive::Entry entry{.path = item.path, .mode = item.mode, .uid = item.uid};
    switch (item.what) {
      case Item::What::file: entry.size = item.size; break;
      case Item::What::link:
        entry.type = archive::EntryType::hard_link;
        entry.link = item.content;
        break;
      case Item::What::symlink:
        entry.type = archive::EntryType::symlink;
        entry.link = item.content;
        break;
      case Item::What::directory:
      case Item::What::opaque: entry.type = archive::EntryType::directory; break;
      case Item::What::whiteout: entry.path = mark(item.path, ".wh."); break;
      case Item::What::opaque_root: entry.path = ".wh..wh..opq"; break;
    }
    REQUIRE(tar.add(entry));
    if (item.what == Item::What::file) {
      std::string bytes(item.size, '\0');
      for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = item.content[i % item.content.size()];
      REQUIRE(tar.write({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()}));
    }
    if (item.what == Item::What::opaque) {
      REQUIRE(tar.add({.path = item.path + "/.wh..wh..opq"}));
    }
  }
  REQUIRE(tar.finish());
  return sink.take();
}

void check(const Scenario& scenario, const Image& image) {
  const Analysis result = analyze::analyze(image);
  CHECK(result.total_bytes == scenario.total);
  CHECK(result.waste.bytes == scenario.waste);
  CHECK(result.waste.deleted_bytes == scenario.deleted);
  CHECK(result.waste.same_content_bytes == scenario.same);
  CHECK(result.waste.inherited_bytes == scenario.inherited);
  CHECK(result.duplicate_bytes == scenario.duplicates);
  CHECK(result.package_cache_bytes == scenario.caches);
  CHECK(result.dive.wasted_bytes == scenario.dive_wasted);
  CHECK(result.dive.efficiency == doctest::Approx(scenario.dive_efficiency));
  CHECK(texts(result.findings) == scenario.findings);
  // What must add up, whatever the layers.
  CHECK(result.live_bytes + result.waste.bytes == result.total_bytes);
  CHECK(result.waste.deleted_bytes + result.waste.overwritten_bytes == result.waste.bytes);
  CHECK(result.waste.reclaimable_bytes + result.waste.inherited_bytes == result.waste.bytes);
  std::uint64_t bytes = 0, wasted = 0, hidden = 0, rolled = 0, kinds = 0, cached = 0, doubled = 0;
  for (const auto& layer : result.layers) {
    bytes += layer.bytes;
    wasted += layer.wasted_bytes;
    hidden += layer.hidden_bytes;
    cached += layer.package_cache_bytes;
    doubled += layer.duplicate_bytes;
  }
  for (const auto& rollup : result.rollups) rolled += rollup.bytes;
  for (const auto& kind : result.kinds) kinds += kind.bytes;
  CHECK(bytes == result.total_bytes);
  CHECK(wasted == result.waste.bytes);
  CHECK(hidden == result.waste.bytes);
  CHECK(rolled == result.waste.bytes);
  CHECK(kinds == result.live_bytes);
  CHECK(cached == result.package_cache_bytes);
  CHECK(doubled == result.duplicate_bytes);
  std::uint64_t live = 0;
  for (const auto& one : live_files(image)) live += one.bytes;
  CHECK(live == result.live_bytes);
}

}  // namespace

TEST_CASE("layer scenarios have the figures that were worked out by hand") {
  for (const Scenario& scenario : kScenarios) {
    CAPTURE(scenario.title);
    check(scenario, make_image(scenario.layers, scenario.base));
  }
}

TEST_CASE("the same scenarios read from tars have the same figures") {
  for (const Scenario& scenario : kScenarios) {
    CAPTURE(scenario.title);
    Image image;
    image.base.layers = scenario.base;
    for (const auto& items : scenario.layers) {
      Layer layer;
      stream::MemorySource tar(tar_of(items));
      REQUIRE(read_tar_layer(tar, layer));
      image.layers.push_back(std::move(layer));
    }
    check(scenario, image);
  }
}

TEST_CASE("directories whose bodies are all dead are told in one line") {
  const Image image = make_image({{dir("src"), dir("src/build"), file("src/build/a", 4), file("src/build/b", 2), file("src/main.c", 1), file("src/other", 8), file("tmp", 3)},
                                  {gone("src/build"), gone("src/other"), gone("tmp")}});
  CHECK(texts(analyze::analyze(image).rollups) == std::vector<std::string>{"deleted /src/build/ 6 in 2 0>1", "deleted /src/other 8 in 1 0>1", "deleted /tmp 3 in 1 0>1"});
  const Image all = make_image({{file("keep", 1)}, {dir("a"), dir("a/b"), file("a/b/x", 4), file("a/b/y", 2)}, {gone("a")}});
  CHECK(texts(analyze::analyze(all).rollups) == std::vector<std::string>{"deleted /a/b/ 6 in 2 1>2"});
  const Image mixed = make_image({{dir("a"), file("a/x", 4), file("a/y", 2)}, {file("a/x", 4, "new"), gone("a/y")}});
  CHECK(texts(analyze::analyze(mixed).rollups) == std::vector<std::string>{"deleted /a/y 2 in 1 0>1", "overwritten /a/x 4 in 1 0>1"});
}

TEST_CASE("a copy of the same content tells what is new in it") {
  const Image image = make_image({{file("a", 4, "x"), file("b", 2, "y"), file("c", 1, "z")}, {file("a", 4, "x", 0644, 1000), file("b", 2, "y", 0755), file("c", 1, "z")}});
  const auto findings = analyze::analyze(image).findings;
  REQUIRE(findings.size() == 3);
  CHECK(names(findings[0].changed) == std::vector<std::string>{"owner"});
  CHECK(names(findings[1].changed) == std::vector<std::string>{"mode"});
  CHECK(names(findings[2].changed).empty());
}

TEST_CASE("layers tell what they add, change and take away") {
  const Image image = make_image({{dir("d"), file("d/a", 4), file("b", 2), hard_link("c", "b"), soft_link("s", "b")}, {file("b", 9, "new"), file("e", 1), gone("d")}});
  const auto layers = analyze::analyze(image).layers;
  CHECK(layers[0].bytes == 6);
  CHECK(layers[0].files == 2);
  CHECK(layers[0].directories == 1);
  CHECK(layers[0].symlinks == 1);
  CHECK(layers[0].added_files == 3);
  CHECK(layers[0].wasted_bytes == 4);
  CHECK(layers[1].bytes == 10);
  CHECK(layers[1].changed_files == 1);
  CHECK(layers[1].changed_bytes == 9);
  CHECK(layers[1].added_files == 1);
  CHECK(layers[1].removed_paths == 2);
  CHECK(layers[1].hidden_bytes == 4);
}

TEST_CASE("package caches are told by manager and folder, with a remedy") {
  const Image image = make_image({{dir("home"), dir("home/me"), dir("home/me/.cache"), dir("home/me/.cache/pip"), file("home/me/.cache/pip/w", 7), file("home/me/.cache/other", 3)}});
  const auto caches = analyze::analyze(image).package_caches;
  REQUIRE(caches.size() == 1);
  CHECK(caches[0].manager == "pip");
  CHECK(caches[0].path == "home/me/.cache/pip");
  CHECK(caches[0].bytes == 7);
  CHECK(caches[0].remedy.find("target=/home/me/.cache/pip") != std::string::npos);
}

TEST_CASE("largest files, directories and kinds of the final file system") {
  const Image image = make_image({{dir("usr"), dir("usr/lib"), file("usr/lib/libx.so.1", 9), file("usr/lib/y.py", 4), file("z.tar", 2)}});
  const auto result = analyze::analyze(image, {.largest = 2});
  REQUIRE(result.largest_files.size() == 2);
  CHECK(result.largest_files[0].path == "usr/lib/libx.so.1");
  CHECK(result.largest_files[1].path == "usr/lib/y.py");
  REQUIRE(result.largest_directories.size() == 2);
  CHECK(result.largest_directories[0].path == "usr");
  CHECK(result.largest_directories[0].bytes == 13);
  CHECK(result.largest_directories[1].files == 2);
  REQUIRE(result.kinds.size() == 3);
  CHECK(result.kinds[0].name == "shared libraries");
  CHECK(result.kinds[2].name == "archives");
}

TEST_CASE("a tar with marks after entries, repeated names, odd paths and links in any order") {
  stream::MemorySink sink;
  archive::TarWriter tar(sink);
  const auto body = [&](const std::string& path, std::string_view bytes) {
    REQUIRE(tar.add({.path = path, .size = bytes.size()}));
    REQUIRE(tar.write({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()}));
  };
  body("z", "first");
  REQUIRE(tar.add({.type = archive::EntryType::hard_link, .path = "a", .link = "z"}));
  body("z", "second!");                                   // `a` keeps the first body
  REQUIRE(tar.add({.type = archive::EntryType::directory, .path = "d", .mode = 0700}));
  REQUIRE(tar.add({.path = "d/.wh..wh..opq"}));
  REQUIRE(tar.add({.path = "e/.wh.gone"}));
  REQUIRE(tar.add({.path = ".wh..wh.plnk"}));
  body("../up/x", "1");
  REQUIRE(tar.finish());
  Layer layer;
  stream::MemorySource source(sink.take());
  REQUIRE(read_tar_layer(source, layer, {.wanted = [](std::string_view path) { return path == "up/x"; }}));
  std::vector<std::string> paths;
  for (const auto& entry : layer.entries) paths.push_back(entry.path);
  CHECK(paths == std::vector<std::string>{"a", "d", "up", "up/x", "z"});
  CHECK(layer.entries[0].size == 5);
  CHECK(layer.entries[0].hard_link.empty());
  CHECK(layer.entries[1].opaque);
  CHECK(layer.entries[1].mode == 0700);
  CHECK_FALSE(layer.entries[1].implied);
  CHECK(layer.entries[2].implied);
  CHECK(layer.entries[4].size == 7);
  CHECK(layer.whiteouts == std::vector<std::string>{"e/gone"});
  CHECK(layer.contents.at("up/x") == "1");
}

TEST_CASE("a damaged tar is an error, not a smaller layer") {
  const std::string whole = tar_of({file("a", 2000)});
  Layer layer;
  stream::MemorySource source(whole.substr(0, 1500));
  const auto read = read_tar_layer(source, layer);
  REQUIRE_FALSE(read);
  CHECK(read.error().code() == Errc::corrupt);
}
