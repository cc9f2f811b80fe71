#include "snapshot/tree_view.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <algorithm>

#include "base/text.h"
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

std::string walked(const TreeView& view, std::string_view from = "") {
  std::string paths;
  view.walk(from, [&](const TreeView::Found& found) {
    paths += (paths.empty() ? "" : " ") + std::string(found.entry.path) + "@" + std::to_string(found.layer);
    return true;
  });
  return paths;
}

std::string joined(const std::vector<std::string>& names) { return join(names, " "); }

}  // namespace

TEST_CASE("upper layers replace, remove and merge") {
  struct Case {
    const char* name;
    std::vector<testing::Entries> layers;
    const char* walked;
  };
  const Case cases[] = {
      {"scratch", {}, ""},
      {"an upper file replaces a lower one", {{file("f", "1")}, {file("f", "2")}}, "f@1"},
      {"folders merge, metadata comes from the top", {{folder("d"), file("d/low")}, {folder("d", 0700), file("d/up")}}, "d@1 d/low@0 d/up@1"},
      {"a whiteout removes a file", {{file("f"), file("g")}, {whiteout("f")}}, "g@0"},
      {"a whiteout removes a whole tree", {{folder("d"), folder("d/e"), file("d/e/f"), file("d-")}, {whiteout("d")}}, "d-@0"},
      {"a whiteout of nothing does nothing", {{file("f")}, {whiteout("g")}}, "f@0"},
      {"what comes back after a whiteout starts empty",
       {{folder("d"), file("d/old")}, {whiteout("d")}, {folder("d"), file("d/new")}},
       "d@2 d/new@2"},
      {"an opaque folder hides what is below", {{folder("d"), file("d/old"), folder("d/e"), file("d/e/f")}, {opaque("d"), file("d/new")}}, "d@1 d/new@1"},
      {"an opaque folder hides for higher layers too",
       {{folder("d"), file("d/old")}, {opaque("d"), file("d/mid")}, {folder("d"), file("d/top")}},
       "d@2 d/mid@1 d/top@2"},
      {"a folder inside an opaque one does not merge either",
       {{folder("d"), folder("d/e"), file("d/e/old")}, {opaque("d"), folder("d/e"), file("d/e/new")}},
       "d@1 d/e@1 d/e/new@1"},
      {"a file over a folder hides its tree", {{folder("d"), file("d/x"), file("d.x")}, {file("d")}}, "d@1 d.x@0"},
      {"a folder over a file starts empty", {{file("d")}, {folder("d"), file("d/x")}}, "d@1 d/x@1"},
      {"a file between two folders keeps them apart",
       {{folder("d"), file("d/old")}, {file("d")}, {folder("d"), file("d/new")}},
       "d@2 d/new@2"},
      {"a symlink over a folder hides its tree", {{folder("d"), file("d/x")}, {soft_link("d", "e")}}, "d@1"},
      {"names that sort between a folder and its subtree keep out of it",
       {{folder("a"), file("a-b"), file("a/x"), file("a0"), folder("a-b-c"), file("a-b-c/y")}, {whiteout("a"), whiteout("a-b-c")}},
       "a-b@0 a0@0"},
  };
  for (const auto& [name, layers, expected] : cases) {
    CAPTURE(name);
    CHECK(walked(tree(layers)) == expected);
  }
}

TEST_CASE("the root is a folder that nobody lists") {
  for (const auto& view : {TreeView(), tree({{file("f")}})}) {
    const auto root = view.find("");
    REQUIRE(root.has_value());
    CHECK(root->entry.type == Type::directory);
    CHECK(root->entry.mode == 0755);
  }
  CHECK(!TreeView().find("f"));
  CHECK(TreeView().children("").empty());
}

TEST_CASE("a walk starts at any folder and stops when asked") {
  const auto view = tree({{folder("a"), file("a/1"), folder("a/b"), file("a/b/2"), file("a-"), file("c")}, {folder("a"), folder("a/b"), file("a/b/3")}});
  CHECK(walked(view, "a") == "a/1@0 a/b@1 a/b/2@0 a/b/3@1");
  CHECK(walked(view, "a/b") == "a/b/2@0 a/b/3@1");
  CHECK(walked(view, "a/1") == "");
  CHECK(walked(view, "none") == "");
  int seen = 0;
  view.walk("", [&](const TreeView::Found&) { return ++seen < 3; });
  CHECK(seen == 3);
}

TEST_CASE("children are the visible names") {
  const auto view = tree({{folder("a"), file("a/1"), folder("a/b"), file("a/b/2"), file("a/b-"), file("a/z")}, {folder("a"), whiteout("a/1"), file("a/b"), file("a/n")}});
  CHECK(joined(view.children("")) == "a");
  CHECK(joined(view.children("a")) == "b b- n z");
  CHECK(joined(view.children("a/b")) == "");
  CHECK(joined(view.children("missing")) == "");
}

TEST_CASE("links resolve inside the tree") {
  const auto view = tree({{folder("usr"), folder("usr/bin"), file("usr/bin/sh"), soft_link("bin", "usr/bin"), soft_link("abs", "/usr"), soft_link("up", "../../../usr/bin"),
                           soft_link("usr/rel", "bin/sh"), soft_link("loop1", "loop2"), soft_link("loop2", "loop1"), soft_link("dangling", "no/where"), soft_link("root", "/"),
                           soft_link("usr/dots", "./../usr//bin/.")}});
  struct Case {
    const char *path, *followed, *kept;
  };
  const Case cases[] = {
      {"", "", ""},
      {"/", "", ""},
      {"usr/bin/sh", "usr/bin/sh", "usr/bin/sh"},
      {"/bin", "usr/bin", "bin"},
      {"bin/sh", "usr/bin/sh", "usr/bin/sh"},
      {"abs/bin/sh", "usr/bin/sh", "usr/bin/sh"},
      {"up/sh", "usr/bin/sh", "usr/bin/sh"},
      {"usr/rel", "usr/bin/sh", "usr/rel"},
      {"usr/dots/sh", "usr/bin/sh", "usr/bin/sh"},
      {"bin/..", "usr", "usr"},
      {"../../bin/../bin", "usr/bin", "usr/bin"},
      {"dangling/x", "no/where/x", "no/where/x"},
      {"missing/../bin", "usr/bin", "bin"},
      {"usr/bin/sh/below/a/file", "usr/bin/sh/below/a/file", "usr/bin/sh/below/a/file"},
      {"root/root/usr/", "usr", "usr"},
      {"./usr/./bin//", "usr/bin", "usr/bin"},
      {"loop1", nullptr, "loop1"},
      {"loop1/x", nullptr, nullptr},
  };
  for (const auto& [path, followed, kept] : cases) {
    CAPTURE(path);
    for (const bool follow : {true, false}) {
      const auto resolved = view.resolve(path, follow);
      const char* const expected = follow ? followed : kept;
      CHECK(resolved.has_value() == (expected != nullptr));
      if (resolved && expected) CHECK(*resolved == expected);
      if (!resolved) CHECK(resolved.error().code() == Errc::invalid_argument);
    }
  }
}

TEST_CASE("exactly 40 links are followed, as by the kernel") {
  testing::Entries links = {file("l0")};
  for (int i = 1; i <= 41; ++i) links.push_back(soft_link("l" + std::to_string(i), "l" + std::to_string(i - 1)));
  const auto view = tree({links});
  CHECK(view.resolve("l40").value() == "l0");
  CHECK(!view.resolve("l41"));
}

TEST_CASE("files are read from the layer that holds them, confined to it") {
  const auto dir = *sys::TempDir::create("/tmp", "mica-tree");
  const std::string low = dir.path() + "/low", up = dir.path() + "/up";
  REQUIRE(sys::make_directories(low + "/etc"));
  REQUIRE(sys::make_directories(up + "/etc"));
  REQUIRE(sys::write_file(low + "/etc/passwd", "low"));
  REQUIRE(sys::write_file(low + "/etc/group", "group"));
  REQUIRE(sys::write_file(up + "/etc/passwd", "upper"));
  REQUIRE(sys::write_file(dir.path() + "/secret", "secret"));
  REQUIRE(::symlink("../../secret", (up + "/etc/swapped").c_str()) == 0);
  const TreeView view({{Listing::build({folder("etc"), file("etc/passwd", "low"), file("etc/group", "group")}), low},
                       {Listing::build({folder("etc"), file("etc/passwd", "upper"), soft_link("passwd", "/etc/passwd"), file("etc/swapped", "secret"),
                                        file("../secret", "secret")}),
                        up}});
  CHECK(view.read_file("etc/passwd", 100).value() == "upper");
  CHECK(view.read_file("/etc/group", 100).value() == "group");
  CHECK(view.read_file("passwd", 5).value() == "upper");
  CHECK(view.read_file("passwd", 4).error().code() == Errc::resource_exhausted);
  CHECK(view.read_file("etc", 100).error().code() == Errc::not_found);
  CHECK(view.read_file("none", 100).error().code() == Errc::not_found);
  CHECK_MESSAGE(!view.read_file("etc/swapped", 100), "a link where the listing has a file is not followed");
  EntryView climbing;
  climbing.path = "../secret";
  CHECK(!view.open_file({climbing, 1}));
  CHECK(view.open_file(*view.find("etc")).error().code() == Errc::invalid_argument);
}

TEST_CASE("find, walk and children agree with applying the layers one by one") {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    testing::RandomLayers random(seed);
    std::vector<testing::Entries> layers(1 + random.below(6));
    testing::ModelTree model;
    for (auto& layer : layers) model.apply(layer = random.layer());
    const auto view = tree(layers);

    auto expected = model.entries().begin();
    bool same = true;
    view.walk("", [&](const TreeView::Found& found) {
      same = same && expected != model.entries().end() && expected->first == found.entry.path && expected->second.view().same_identity(found.entry);
      if (expected != model.entries().end()) ++expected;
      return same;
    });
    CHECK(same);
    CHECK((!same || expected == model.entries().end()));

    TreeFinder finder(view);
    for (int n = 0; n < 60; ++n) {
      const std::string path = random.path();
      CAPTURE(path);
      const auto at = model.entries().find(path);
      for (const auto& found : {view.find(path), finder.find(path)}) {
        REQUIRE(found.has_value() == (at != model.entries().end()));
        if (found) CHECK(found->entry.same_identity(at->second.view()));
      }
      std::string names, below;
      for (const auto& [other, entry] : model.entries()) {
        if (!other.starts_with(path + "/")) continue;
        below += other + " ";
        if (other.find('/', path.size() + 1) == other.npos) names += other.substr(path.size() + 1) + " ";
      }
      std::string actual_names, actual_below;
      for (const auto& name : view.children(path)) actual_names += name + " ";
      view.walk(path, [&](const TreeView::Found& found) { return actual_below += std::string(found.entry.path) + " ", true; });
      CHECK(actual_below == below);
      std::string sorted;
      auto parts = split(trim(names), ' ');
      std::sort(parts.begin(), parts.end());
      for (const auto part : parts) sorted += part.empty() ? "" : std::string(part) + " ";
      CHECK(actual_names == sorted);
    }
  }
}
