#include "analyze/file_tree.h"

#include <doctest/doctest.h>

#include <functional>

using namespace mica;
using namespace mica::analyze;

namespace {

Layer layer_of(std::initializer_list<std::pair<const char*, std::uint64_t>> files) {
  Layer layer;
  for (const auto& [path, size] : files) layer.entries.push_back({.path = path, .size = size, .archived_size = size, .digest = sha256(path)});
  normalise(layer);
  return layer;
}

const TreeNode* child(const TreeNode& node, std::string_view name) {
  for (const TreeNode& one : node.children)
    if (one.name == name) return &one;
  return nullptr;
}

void check_sums(const TreeNode& node) {
  if (node.children.empty()) return;
  std::uint64_t bytes = 0, files = 0;
  for (const TreeNode& one : node.children) {
    bytes += one.bytes;
    files += one.files;
    check_sums(one);
  }
  CHECK(bytes == node.bytes);
  CHECK(files == node.files);
}

}  // namespace

TEST_CASE("the tree has every file, the largest first, with its layer and kind") {
  Image image;
  image.layers.push_back(layer_of({{"usr/lib/libc.so.6", 500}, {"usr/lib/libm.so.6", 700}, {"etc/passwd", 10}, {"old", 9}}));
  Layer second = layer_of({{"usr/share/doc/a", 40}});
  second.whiteouts = {"old"};
  image.layers.push_back(std::move(second));
  FileOwners owners(image);
  const FileTree tree = file_tree(image, owners, 100'000);
  CHECK(tree.root.bytes == 1250);
  CHECK(tree.root.files == 4);
  check_sums(tree.root);
  REQUIRE(tree.root.children.size() == 2);
  CHECK(tree.root.children[0].name == "usr");
  const TreeNode* lib = child(tree.root.children[0], "lib");
  REQUIRE(lib);
  CHECK(lib->children[0].name == "libm.so.6");
  CHECK(tree.kinds[lib->children[0].kind] == "shared libraries");
  const TreeNode* share = child(tree.root.children[0], "share");
  REQUIRE(share);
  CHECK(share->layer == 1);
  CHECK(tree.kinds[share->kind] == "documentation");
  CHECK(tree.owners == std::vector<std::string>{""});
}

TEST_CASE("what does not fit is told together and the sums stay exact") {
  Image image;
  Layer layer;
  for (int i = 0; i < 1000; ++i) layer.entries.push_back({.path = "many/<" + std::to_string(i), .size = 10, .archived_size = 10, .digest = sha256(std::to_string(i))});
  layer.entries.push_back({.path = "large", .size = 5, .archived_size = 5, .digest = sha256("l")});
  normalise(layer);
  image.layers.push_back(std::move(layer));
  FileOwners owners(image);
  for (const std::size_t budget : {0, 60, 200, 3000, 1'000'000}) {
    CAPTURE(budget);
    const FileTree tree = file_tree(image, owners, budget);
    CHECK(tree.root.bytes == 10'005);
    CHECK(tree.root.files == 1001);
    check_sums(tree.root);
    CHECK(tree.told * 40 <= std::max<std::size_t>(budget, 40));
  }
  const FileTree cut = file_tree(image, owners, 3000);
  const TreeNode* many = child(cut.root, "many");
  REQUIRE(many);
  CHECK(many->children.back().name.empty());
  CHECK(many->children.back().files + many->children.size() - 1 == 1000);
}

TEST_CASE("files belong to the packages whose databases or folders have them") {
  Image image;
  Layer layer = layer_of({{"usr/bin/curl", 1}, {"usr/lib/libc.so", 1}, {"usr/share/x", 1}, {"var/lib/dpkg/info/curl.list", 1}, {"var/lib/dpkg/info/libc6:amd64.list", 1},
                          {"var/lib/dpkg/status.d/tz.md5sums", 1}, {"lib/apk/db/installed", 1}, {"lib/musl.so", 1}, {"usr/share/zone", 1},
                          {"app/node_modules/express/node_modules/@scope/tool/index.js", 1}, {"app/node_modules/.bin", 1}, {"usr/lib/python3/dist-packages/requests/api.py", 1},
                          {"usr/lib/python3/dist-packages/requests-2.31.dist-info/RECORD", 1}, {"usr/lib/ruby/gems/3/gems/rake-13.0/rake.rb", 1}, {"srv/my_node_modules/a/b", 1}});
  layer.contents["var/lib/dpkg/info/curl.list"] = "/.\n/usr\n/usr/bin\n/usr/bin/curl\n";
  layer.contents["var/lib/dpkg/info/libc6:amd64.list"] = "/lib/libc.so\n";
  layer.contents["var/lib/dpkg/status.d/tz.md5sums"] = "0123456789abcdef0123456789abcdef  usr/share/zone\n";
  layer.contents["lib/apk/db/installed"] = "P:musl\nV:1\nF:lib\nR:musl.so\n\n";
  image.layers.push_back(std::move(layer));
  FileOwners owners(image);
  const auto owner = [&](std::string_view path) { return owners.names()[owners.owner(path)]; };
  CHECK(owner("usr/bin/curl") == "deb curl");
  CHECK(owner("usr/lib/libc.so") == "deb libc6");
  CHECK(owner("usr/share/zone") == "deb tz");
  CHECK(owner("lib/musl.so") == "apk musl");
  CHECK(owner("app/node_modules/express/node_modules/@scope/tool/index.js") == "npm @scope/tool");
  CHECK(owner("usr/lib/python3/dist-packages/requests/api.py") == "pip requests");
  CHECK(owner("usr/lib/python3/dist-packages/requests-2.31.dist-info/RECORD") == "pip requests");
  CHECK(owner("usr/lib/ruby/gems/3/gems/rake-13.0/rake.rb") == "gem rake");
  CHECK(owner("usr/share/x").empty());
  CHECK(owner("app/node_modules/.bin").empty());
  CHECK(owner("srv/my_node_modules/a/b").empty());
  CHECK(FileOwners::wants("var/lib/dpkg/info/curl.list"));
  CHECK(!FileOwners::wants("var/lib/dpkg/info/a/b.list"));
  CHECK(!FileOwners::wants("var/lib/dpkg/info/.list"));
}
