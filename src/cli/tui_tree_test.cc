#include "cli/tui_tree.h"

#include <doctest/doctest.h>

#include <chrono>

#include "base/format.h"

using namespace mica;
using analyze::Entry;
using analyze::Kind;
using cli::Change;
using cli::LayerTree;

namespace {

Entry file(std::string path, std::uint64_t size, std::uint32_t mode = 0644) { return {.path = std::move(path), .mode = mode, .size = size}; }
Entry folder(std::string path, bool opaque = false) { return {.path = std::move(path), .kind = Kind::directory, .opaque = opaque, .mode = 0755}; }

analyze::Layer layer(std::vector<Entry> entries, std::vector<std::string> whiteouts = {}) {
  analyze::Layer out{.entries = std::move(entries), .whiteouts = std::move(whiteouts)};
  analyze::normalise(out);
  return out;
}

/// "+ a/ 5" a line: mark, name (with '/' for a directory), bytes, indented by depth.
std::string shown(LayerTree& tree, const LayerTree::View& view = {}) {
  std::string text;
  for (const auto index : tree.rows(view)) {
    const auto& node = tree.nodes()[index];
    text += format("{}{} {}{} {}\n", std::string(node.depth, ' '), " +~-"[static_cast<int>(node.change)], node.name, node.is_directory() ? "/" : "", node.bytes);
  }
  return text;
}
std::string compared(const analyze::Image& image, std::size_t first, std::size_t last) {
  LayerTree tree(image);
  tree.compare(first, last);
  return shown(tree);
}

analyze::Image three_layers() {
  analyze::Image image;
  image.layers.push_back(layer({folder("a"), file("a/one", 10), file("a/two", 20), folder("b"), file("b/x", 5), file("c", 1)}));
  image.layers.push_back(layer({folder("a"), file("a/one", 11), file("a/three", 3)}, {"b"}));
  image.layers.push_back(layer({folder("b"), file("b/y", 7)}, {"a/two"}));
  return image;
}

}  // namespace

TEST_CASE("the first layer adds all that it has") {
  CHECK(compared(three_layers(), 0, 0) == "+ a/ 30\n + one 10\n + two 20\n+ b/ 5\n + x 5\n+ c 1\n");
}

TEST_CASE("a layer is shown on what is below it") {
  CHECK(compared(three_layers(), 1, 1) == "~ a/ 34\n ~ one 11\n + three 3\n   two 20\n- b/ 5\n - x 5\n  c 1\n");
  CHECK(compared(three_layers(), 2, 2) == "~ a/ 14\n   one 11\n   three 3\n - two 20\n+ b/ 7\n + y 7\n  c 1\n");
}

TEST_CASE("several layers are compared at once") {
  CHECK(compared(three_layers(), 1, 2) == "~ a/ 14\n ~ one 11\n + three 3\n - two 20\n~ b/ 7\n - x 5\n + y 7\n  c 1\n");
}

TEST_CASE("an opaque directory hides what was in it, a file in place of a directory too") {
  analyze::Image image;
  image.layers.push_back(layer({folder("a"), file("a/old", 1), folder("b"), file("b/old", 2)}));
  image.layers.push_back(layer({folder("a", true), file("a/new", 3), file("b", 4)}));
  CHECK(compared(image, 1, 1) == "~ a/ 3\n + new 3\n - old 1\n~ b 4\n - old 2\n");
  image.layers[1].opaque_root = true;
  image.layers[0].entries.insert(image.layers[0].entries.begin(), file("Z", 9));
  CHECK(compared(image, 1, 1).starts_with("- Z 9\n"));
}

TEST_CASE("a removed path that comes back in the same layer is modified") {
  analyze::Image image;
  image.layers.push_back(layer({folder("d"), file("d/f", 1), file("d/g", 1)}));
  image.layers.push_back(layer({folder("d"), file("d/f", 2)}, {"d"}));
  CHECK(compared(image, 1, 1) == "~ d/ 2\n ~ f 2\n - g 1\n");
}

TEST_CASE("folders that are only implied change nothing, owners and links do") {
  analyze::Image image;
  image.layers.push_back(layer({folder("d"), file("d/f", 1), {.path = "l", .kind = Kind::symlink, .link = "d"}}));
  Entry owned = folder("d");
  owned.uid = 7;
  image.layers.push_back(layer({owned, {.path = "l", .kind = Kind::symlink, .link = "d"}}));
  image.layers.push_back(layer({file("d/g", 1)}));
  CHECK(compared(image, 1, 1) == "~ d/ 1\n   f 1\n  l 0\n");
  LayerTree tree(image);
  tree.compare(2, 2);
  CHECK(tree.nodes()[0].entry->uid == 7);
  CHECK(shown(tree) == "~ d/ 2\n   f 1\n + g 1\n  l 0\n");
}

TEST_CASE("whiteouts of nothing are nothing") {
  analyze::Image image;
  image.layers.push_back(layer({file("f", 1)}, {"gone", "f/x"}));
  CHECK(compared(image, 0, 0) == "+ f 1\n");
}

TEST_CASE("names sort within their directory") {
  analyze::Image image;
  image.layers.push_back(layer({folder("a"), file("a/z", 1), file("a-b", 1), file("a.c", 1), folder("a-d"), file("a-d/x", 1)}));
  CHECK(compared(image, 0, 0) == "+ a/ 1\n + z 1\n+ a-b 1\n+ a-d/ 1\n + x 1\n+ a.c 1\n");
}

TEST_CASE("kinds of changes are left out, directories stay above what is shown") {
  const auto image = three_layers();
  LayerTree tree(image);
  tree.compare(1, 1);
  CHECK(shown(tree, {.hidden = {true}}) == "~ a/ 34\n ~ one 11\n + three 3\n- b/ 5\n - x 5\n");
  CHECK(shown(tree, {.hidden = {true, false, true, true}}) == "~ a/ 34\n + three 3\n");
  CHECK(shown(tree, {.hidden = {false, true, false, true}}) == "~ a/ 34\n ~ one 11\n   two 20\n  c 1\n");
}

TEST_CASE("siblings are sorted by size when that is wanted") {
  const auto image = three_layers();
  LayerTree tree(image);
  tree.compare(1, 1);
  CHECK(shown(tree, {.by_size = true}) == "~ a/ 34\n   two 20\n ~ one 11\n + three 3\n- b/ 5\n - x 5\n  c 1\n");
}

TEST_CASE("a filter keeps what matches and what is above it, and opens the way") {
  const auto image = three_layers();
  LayerTree tree(image);
  tree.compare(0, 2);
  tree.collapse_all(true);
  CHECK(shown(tree) == "+ a/ 14\n+ b/ 7\n+ c 1\n");
  const struct {
    std::string pattern, rows;
  } cases[] = {
      {"thr", "+ a/ 14\n + three 3\n"},
      {"^/b/", "+ b/ 7\n + y 7\n"},
      {"(one|y)$", "+ a/ 14\n + one 11\n+ b/ 7\n + y 7\n"},
      {"(one", ""},
      {"nothing", ""},
      {"/a", "+ a/ 14\n + one 11\n + three 3\n"},
      {"", "+ a/ 14\n + one 11\n + three 3\n+ b/ 7\n + y 7\n+ c 1\n"},
  };
  for (const auto& one : cases) {
    tree.filter(one.pattern);
    CHECK(shown(tree) == one.rows);
  }
}

TEST_CASE("the last of a directory's shown entries is known") {
  const auto image = three_layers();
  LayerTree tree(image);
  tree.compare(1, 1);
  for (const bool by_size : {false, true}) {
    std::string last;
    for (const auto index : tree.rows({.hidden = {true}, .by_size = by_size}))
      if (tree.nodes()[index].last) last += std::string(tree.nodes()[index].path) + " ";
    CHECK(last == "a/three b b/x ");
  }
}

TEST_CASE("a tree of many files answers at once") {
  analyze::Image image;
  for (int number = 0; number < 3; ++number) {
    std::vector<Entry> entries;
    for (int d = 0; d < 200; ++d)
      for (int f = 0; f < 250; ++f) entries.push_back(file(format("dir{}/file{}", d, f), 10));
    image.layers.push_back(layer(std::move(entries)));
  }
  LayerTree tree(image);
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < 3; ++i) {
    tree.compare(i, i);
    CHECK(tree.rows({}).size() == 200 * 251);
  }
  // Generous: this machine may be busy and this program slow. A hundred times what an optimised one takes.
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(5));
}
