#include "snapshot/content_id.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/layers.h"

using namespace mica;
using namespace mica::snapshot;
using testing::file;
using testing::folder;
using testing::soft_link;
using testing::opaque;
using testing::tree;
using testing::whiteout;

namespace {

std::string id(const testing::Entries& layer, const std::vector<testing::Entries>& lower) { return content_id(Listing::build(layer), tree(lower)); }

/// The same result said in the longest way: every folder opaque, everything listed, all else whited out.
testing::Entries spelled_out(const std::map<std::string, Entry>& result, const std::map<std::string, Entry>& lower) {
  testing::Entries entries;
  for (auto [path, entry] : result) {
    entry.opaque = entry.type == Type::directory;
    entry.mtime_ns = 99;
    entries.push_back(entry);
  }
  for (const auto& [path, entry] : lower)
    if (path.find('/') == path.npos && !result.count(path)) entries.push_back(whiteout(path));
  return entries;
}

bool same_tree(const std::map<std::string, Entry>& a, const std::map<std::string, Entry>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) {
           return x.first == y.first && x.second.view().same_identity(y.second.view());
         });
}

}  // namespace

TEST_CASE("what changes nothing contributes nothing") {
  const std::vector<testing::Entries> lower = {{folder("d"), file("d/f", "x"), folder("d/e"), soft_link("l", "d")}};
  Entry touched = file("d/f", "x");
  touched.mtime_ns = 5;
  CHECK(id({}, lower) == "");
  CHECK(id({folder("d")}, lower) == "");
  CHECK(id({folder("d"), touched, soft_link("l", "d")}, lower) == "");
  CHECK(id({whiteout("none"), folder("d"), whiteout("d/none")}, lower) == "");
  CHECK(id({opaque("d"), file("d/f", "x"), folder("d/e")}, lower) == "");
  CHECK(id({}, {}) == "");
}

TEST_CASE("what changes something has an id of its own") {
  const std::vector<testing::Entries> lower = {{folder("d"), file("d/f", "x"), folder("d/e"), file("d/e/g"), file("h")}};
  const testing::Entries changes[] = {
      {folder("d", 0700)},
      {folder("d"), file("d/f", "y")},
      {folder("d"), file("d/f", "x", 0600)},
      {folder("d"), whiteout("d/f")},
      {folder("d"), whiteout("d/e")},
      {whiteout("d")},
      {whiteout("h")},
      {file("d", "x")},
      {soft_link("d", "x")},
      {opaque("d")},
      {file("new")},
      {folder("h")},
      {folder("d"), file("d/new")},
  };
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    CAPTURE(i);
    const std::string one = id(changes[i], lower);
    CHECK(one.size() == 64);
    CHECK(seen.emplace(one, i).second);
  }
}

TEST_CASE("one change said in different ways has one id") {
  const std::vector<testing::Entries> lower = {{folder("d"), file("d/f"), folder("d/e"), file("d/e/g"), folder("d/e/h"), file("d/e/h/i")}};
  CHECK(id({folder("d"), whiteout("d/f"), whiteout("d/e")}, lower) == id({opaque("d")}, lower));
  CHECK(id({folder("d"), whiteout("d/e")}, lower) == id({opaque("d"), file("d/f")}, lower));
  CHECK(id({folder("d"), folder("d/e"), whiteout("d/e/h")}, lower) == id({opaque("d"), file("d/f"), opaque("d/e"), file("d/e/g")}, lower));
  CHECK(id({folder("d"), folder("d/e"), whiteout("d/e/h")}, lower) == id({folder("d"), opaque("d/e"), file("d/e/g"), whiteout("d/e/h")}, lower));
  CHECK(id({whiteout("d")}, lower) != id({opaque("d")}, lower));
}

TEST_CASE("the id is a function of the two trees") {
  int changed = 0;
  for (std::uint32_t seed = 1; seed <= 600; ++seed) {
    CAPTURE(seed);
    testing::RandomLayers random(seed);
    std::vector<testing::Entries> lower(random.below(4));
    testing::ModelTree model;
    for (auto& layer : lower) model.apply(layer = random.layer());
    const testing::ModelTree before = model;
    const testing::Entries layer = random.layer();
    model.apply(layer);
    const std::string one = id(layer, lower);
    CHECK(one.empty() == same_tree(before.entries(), model.entries()));
    CHECK(one == id(spelled_out(model.entries(), before.entries()), lower));
    changed += !one.empty();

    testing::ModelTree other = before;
    const testing::Entries different = random.layer();
    other.apply(different);
    CHECK((id(different, lower) == one) == same_tree(other.entries(), model.entries()));
  }
  CHECK(changed > 100);
}
