#include "analyze/diff.h"

#include <doctest/doctest.h>

#include "analyze/packages.h"

using namespace mica;
using namespace mica::analyze;

namespace {
Entry file(std::string path, std::string content, std::uint32_t mode = 0644, std::uint32_t uid = 0) {
  return {.path = std::move(path), .mode = mode, .uid = uid, .size = content.size(), .digest = sha256(content)};
}
Entry dir(std::string path) { return {.path = std::move(path), .kind = Kind::directory, .mode = 0755}; }
Image image_of(std::vector<std::pair<std::string, std::vector<Entry>>> layers) {
  Image image;
  for (auto& [id, entries] : layers) {
    Layer layer{.diff_id = id, .entries = std::move(entries)};
    for (const auto& entry : layer.entries)
      if (is_package_database(entry.path)) layer.contents[entry.path] = "";
    normalise(layer);
    image.layers.push_back(std::move(layer));
  }
  return image;
}
std::vector<std::string> texts(const ImageChanges& changes) {
  std::vector<std::string> out;
  for (const auto& one : changes.paths) {
    std::string text = std::string(name(one.what)) + " " + one.path + " " + std::to_string(one.bytes_before) + ">" + std::to_string(one.bytes_after);
    for (const auto& aspect : aspects(one)) text += " " + aspect;
    out.push_back(std::move(text));
  }
  return out;
}
}  // namespace

TEST_CASE("paths that are new, gone or changed, and in what") {
  const Image before = image_of({{"x", {dir("d"), file("d/a", "one"), file("gone", "12345"), file("m", "x"), file("o", "y"), file("same", "s"), file("t", "t")}}});
  const Image after = image_of({{"y", {dir("d"), file("d/a", "three"), file("m", "x", 0755), file("new", "n"), file("o", "y", 0644, 7), file("same", "s"), dir("t")}}});
  CHECK(texts(compare(before, after)) == std::vector<std::string>{"changed d/a 3>5 content", "removed gone 5>0", "changed m 1>1 mode", "added new 0>1", "changed o 1>1 owner",
                                                                  "changed t 1>0 type mode"});
  CHECK(compare(before, before).paths.empty());
}

TEST_CASE("layers are shared once each, and sizes are those of all layers and of the final file system") {
  const Image before = image_of({{"base", {file("a", "1234")}}, {"twice", {}}, {"old", {file("a", "12")}}});
  const Image after = image_of({{"base", {file("a", "1234")}}, {"twice", {}}, {"twice", {}}, {"new", {file("b", "1")}}});
  const auto changes = compare(before, after);
  std::vector<std::string> layers;
  for (const auto& layer : changes.layers) layers.push_back(std::string(name(layer.where)) + " " + layer.diff_id);
  CHECK(layers == std::vector<std::string>{"both base", "both twice", "before old", "after twice", "after new"});
  CHECK(changes.total_before == 6);
  CHECK(changes.live_before == 2);
  CHECK(changes.total_after == 5);
  CHECK(changes.live_after == 5);
}

TEST_CASE("dpkg's status tells what is installed") {
  const auto list = parse_dpkg_status(
      "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\nDescription: x\n Package: not this\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\nPackage: tail\r\n"
      "Version: 3\r\n");
  CHECK(list == std::vector<Package>{{"dpkg", "libc6", "2.36-9"}, {"dpkg", "tail", "3"}});
  CHECK(parse_dpkg_status("").empty());
  CHECK(parse_dpkg_status(std::string_view("\0\n:\n::\nPackage\n", 16)).empty());
  CHECK(parse_dpkg_status("Package: " + std::string(5000, 'x') + "\nVersion: 1\n").empty());
}

TEST_CASE("apk's database tells names and versions") {
  CHECK(parse_apk_installed("C:Q1\nP:musl\nV:1.2.4-r0\nF:lib\n\nP:busybox\nV:1.36\n") == std::vector<Package>{{"apk", "musl", "1.2.4-r0"}, {"apk", "busybox", "1.36"}});
}

TEST_CASE("packages of databases and of file names, and their changes") {
  Image before = image_of({{"a", {file("var/lib/dpkg/status", "old"), file("usr/lib/python3/site-packages/requests-2.30.dist-info/METADATA", "m"), file("app/node_modules/left-pad/package.json", "{}"),
                                  file("app/node_modules/@a/b/package.json", "{}"), file("app/node_modules/left-pad/lib/package.json", "{}")}}});
  before.layers[0].contents["var/lib/dpkg/status"] = "Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n";
  Image after = image_of({{"a", {file("var/lib/dpkg/status", "old")}},
                          {"b", {file("var/lib/dpkg/status", "new"), file("usr/lib/python3/site-packages/requests-2.31.dist-info/METADATA", "m"), file("var/lib/rpm/rpmdb.sqlite", "r")}}});
  after.layers[0].contents["var/lib/dpkg/status"] = "Package: stale\nVersion: 9\n";
  after.layers[1].contents["var/lib/dpkg/status"] = "Package: a\nVersion: 2\n\nPackage: c\nVersion: 1\n";
  const auto changes = compare(before, after);
  std::vector<std::string> texts;
  for (const auto& one : changes.packages) texts.push_back(one.manager + " " + one.name + " " + (one.was ? one.before : "-") + ">" + (one.is ? one.after : "-"));
  CHECK(texts == std::vector<std::string>{"dpkg a 1>2", "dpkg b 1>-", "dpkg c ->1", "npm @a/b >-", "npm left-pad >-", "pip requests 2.30>2.31"});
  CHECK(changes.has_rpm);
}
