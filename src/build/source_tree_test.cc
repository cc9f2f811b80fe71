#include "build/source_tree.h"

#include <doctest/doctest.h>

#include "support/layers.h"
#include "support/memory_tree.h"

using namespace mica;
using namespace mica::build;

namespace {

std::vector<std::string> names(const std::vector<Node>& nodes) {
  std::vector<std::string> out;
  for (const Node& node : nodes) out.push_back(node.path);
  return out;
}

std::unique_ptr<SourceTree> two_layers() {
  using namespace testing;
  return make_layer_tree(
      tree({{folder("a"), file("a/1", "one"), file("a/2", "two"), folder("a-b"), file("a-b/x"), soft_link("l", "a/1")},
            {folder("a"), file("a/2", "new", 0600), folder("a/d"), file("a/d/z"), whiteout("a-b")}}),
      "stage s");
}

}  // namespace

TEST_CASE("a tree of layers shows what is visible and where its content is") {
  const auto tree = two_layers();
  CHECK(names(testing::must(tree->children(""))) == std::vector<std::string>{"a", "l"});
  CHECK(names(testing::must(tree->children("a"))) == std::vector<std::string>{"a/1", "a/2", "a/d"});
  CHECK(testing::must(tree->children("a/1")).empty());
  CHECK_FALSE(testing::must(tree->find("a-b/x")).has_value());
  const auto node = testing::must(tree->find("a/2"));
  REQUIRE(node.has_value());
  CHECK(node->mode == 0600);
  CHECK(node->digest == sha256("new"));
  CHECK(node->source_path == "a/2");
  CHECK(tree->name() == "stage s");
  CHECK_FALSE(tree->is_local_context());
}

TEST_CASE("a tree that expects to be walked gives the same entries") {
  for (const char* start : {"", "a", "a/d", "nothing"}) {
    const auto plain = two_layers(), expecting = two_layers();
    expecting->expect_all_below(start);
    const std::function<void(std::string_view)> compare = [&](std::string_view path) {
      const auto wanted = testing::must(plain->children(path));
      CHECK(names(testing::must(expecting->children(path))) == names(wanted));
      for (const Node& node : wanted) compare(node.path);
    };
    compare(start);
    compare("");  // asked again
  }
}

TEST_CASE("names of one inode share a group within their layer only") {
  using namespace testing;
  snapshot::Entry second = file("b", "x");
  second.hard_link = "a";
  const auto tree = make_layer_tree(testing::tree({{file("a", "x"), second, file("c", "x")}, {file("c", "x")}}), "t");
  const auto group = [&](std::string_view path) { return must(tree->find(path))->inode_group; };
  CHECK(group("a") != 0);
  CHECK(group("a") == group("b"));
  CHECK(group("a") != group("c"));
}

TEST_CASE("links are resolved inside the tree") {
  testing::MemoryTree tree;
  tree.file("d/f");
  tree.soft_link("l", "d");
  tree.soft_link("abs", "/l/f");
  tree.soft_link("d/up", "../../../../d/f");
  tree.soft_link("loop", "loop");
  tree.soft_link("gone", "no/where");
  const auto resolved = [&](std::string_view path, bool last = true) { return tree.resolve(path, last).value_or("error"); };
  CHECK(resolved("l/f") == "d/f");
  CHECK(resolved("abs") == "d/f");
  CHECK(resolved("abs", false) == "abs");
  CHECK(resolved("l/up") == "d/f");
  CHECK(resolved("gone/x") == "no/where/x");
  CHECK(resolved("") == "");
  CHECK(tree.resolve("loop/x").error().code() == Errc::invalid_argument);
}

TEST_CASE("identity covers content and metadata but neither path nor time") {
  const Node node{.path = "a", .mode = 0644, .size = 1, .digest = sha256("x")};
  const auto differs = [&](auto change) {
    Node other = node;
    change(other);
    return other.identity() != node.identity();
  };
  CHECK_FALSE(differs([](Node& other) { other.path = "b"; }));
  CHECK_FALSE(differs([](Node& other) { other.mtime_ns = 1; }));
  CHECK_FALSE(differs([](Node& other) { other.inode_group = 1; }));
  CHECK(differs([](Node& other) { other.mode = 0600; }));
  CHECK(differs([](Node& other) { other.uid = 1; }));
  CHECK(differs([](Node& other) { other.digest = sha256("y"); }));
  CHECK(differs([](Node& other) { other.xattrs = "x"; }));
  CHECK(differs([](Node& other) { other.type = snapshot::Type::symlink, other.link = "t"; }));
}
