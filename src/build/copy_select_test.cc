#include "build/copy_select.h"

#include <doctest/doctest.h>

#include "support/memory_tree.h"

using namespace mica;
using namespace mica::build;
using namespace mica::testing;

namespace {

/// "source: entry entry ..." for each selected source; implied folders in parentheses, folders with a slash.
Lines selected(SourceTree& tree, const std::string& source, const SelectOptions& options = {}) {
  Selection selection;
  const auto result = select_source(tree, source, options, selection, {});
  if (!result)
    return {"error: " + result.error().text() + (result.error().hint().empty() ? "" : " (" + result.error().hint() + ")")};
  Lines lines;
  for (const SelectedSource& one : selection) {
    std::string line = one.shown + ":";
    for (const SelectedEntry& entry : one.entries) {
      std::string name(one.below(entry));
      if (entry.node.type == snapshot::Type::directory) name += "/";
      if (name.empty()) name = "itself";
      line += entry.implied ? " (" + name + ")" : " " + name;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

struct Context : MemoryTree {
  Context() {
    for (const char* path : {"a.txt", "b.txt", "x.md", "src/main.c", "src/lib/one.c", "src/lib/two.h", "src/lib-b", "docs/s1/f",
                             "docs/s2/f", "docs/top"})
      file(path);
    folder("empty");
    soft_link("link", "a.txt");
    soft_link("folder-link", "/src/lib");
    soft_link("src/lib/inner", "../main.c");
    soft_link("dangling", "nowhere");
    soft_link("loop", "loop");
    soft_link("out", "../../../src/main.c");
  }
};

}  // namespace

TEST_CASE("sources are cleaned, followed and walked in order of names") {
  Context tree;
  CHECK(selected(tree, "a.txt") == Lines{"a.txt: itself"});
  for (const char* same : {"../a.txt", "/a.txt", "./x/../a.txt", "a.txt/"}) CHECK(selected(tree, same) == Lines{"a.txt: itself"});
  CHECK(selected(tree, "src") == Lines{"src: / lib/ lib/inner lib/one.c lib/two.h lib-b main.c"});
  CHECK(selected(tree, "empty/") == Lines{"empty: /"});
  CHECK(selected(tree, "link") == Lines{"link: itself"});
  CHECK(selected(tree, "folder-link") == Lines{"folder-link: / inner one.c two.h"});
  CHECK(selected(tree, "folder-link/one.c") == Lines{"folder-link/one.c: itself"});
  CHECK(selected(tree, "out") == Lines{"out: itself"});
  CHECK(selected(tree, ".").front().starts_with(": / a.txt b.txt dangling docs/ docs/s1/ docs/s1/f"));
}

TEST_CASE("a wildcard stands for one path segment") {
  Context tree;
  CHECK(selected(tree, "*.txt") == Lines{"a.txt: itself", "b.txt: itself"});
  CHECK(selected(tree, "[^ab].??") == Lines{"x.md: itself"});
  CHECK(selected(tree, "docs/*/f") == Lines{"docs/s1/f: itself", "docs/s2/f: itself"});
  CHECK(selected(tree, "**/top") == Lines{"docs/top: itself"});
  CHECK(selected(tree, "d*/s?/") == Lines{"docs/s1: / f", "docs/s2: / f"});
  CHECK(selected(tree, "lin*") == Lines{"link: itself"});
  CHECK(selected(tree, "folder-link/o*") == Lines{"folder-link/one.c: itself"});
  CHECK(selected(tree, "nothing*").empty());
  CHECK(selected(tree, "a*/x").empty());
}

TEST_CASE("what is not there is an error that helps") {
  Context tree;
  CHECK(selected(tree, "a.tx") == Lines{R"(error: "/a.tx": not found in the build context (did you mean "a.txt"?))"});
  CHECK(selected(tree, "src/man.c") ==
        Lines{R"(error: "/src/man.c": not found in the build context (did you mean "src/main.c"?))"});
  CHECK(selected(tree, "missing/*.txt") == Lines{R"(error: "/missing": not found in the build context)"});
  CHECK(selected(tree, "a.txt/*") == Lines{R"(error: "/a.txt": not found in the build context (did you mean "a.txt"?))"});
  CHECK(selected(tree, "a.txt/b") == Lines{R"(error: "/a.txt/b": not found in the build context)"});
  CHECK(selected(tree, "dangling").front().starts_with(R"(error: "/dangling": not found)"));
  CHECK(selected(tree, "dang*").front().starts_with(R"(error: "/dangling": not found)"));
  CHECK(selected(tree, "loop").front().find("too many") != std::string::npos);
  CHECK(selected(tree, "[").front().find("syntax error in pattern") != std::string::npos);
  tree.hidden = "secret.txt";
  tree.rule = "*.txt";
  CHECK(selected(tree, "secret.txt") ==
        Lines{R"(error: "/secret.txt": not found in the build context (the ignore rule "*.txt" leaves it out))"});
}

TEST_CASE("excludes see paths below the source and never the source itself") {
  Context tree;
  CHECK(selected(tree, "src", {.excludes = {"*.c"}}) == Lines{"src: / lib/ lib/inner lib/one.c lib/two.h lib-b"});
  CHECK(selected(tree, "src", {.excludes = {"**/*.c", "/lib-b"}}) == Lines{"src: / lib/ lib/inner lib/two.h"});
  CHECK(selected(tree, "src", {.excludes = {"lib"}}) == Lines{"src: / lib-b main.c"});
  CHECK(selected(tree, "*.txt", {.excludes = {"*.txt"}}) == Lines{"a.txt: itself", "b.txt: itself"});
  CHECK(selected(tree, "src", {.excludes = {"src"}}) == selected(tree, "src"));
  CHECK(selected(tree, "src", {.excludes = {"["}}).front().starts_with("error: --exclude: "));
}

TEST_CASE("what a negated exclude brings back comes with its folders") {
  Context tree;
  CHECK(selected(tree, "src", {.excludes = {"lib", "!lib/two.h"}}) == Lines{"src: / (lib/) lib/two.h lib-b main.c"});
  CHECK(selected(tree, ".", {.excludes = {"*", "!docs/s2/f"}}) == Lines{": / (docs/) (docs/s2/) docs/s2/f"});
  CHECK(selected(tree, ".", {.excludes = {"*", "!docs/s9"}}) == Lines{": /"});
}

TEST_CASE("with --parents the path below the root or the pivot is kept") {
  Context tree;
  const SelectOptions parents{.excludes = {}, .parents = true};
  CHECK(selected(tree, "src/lib/one.c", parents) == Lines{": / (src/) (src/lib/) src/lib/one.c"});
  CHECK(selected(tree, "src/./lib/one.c", parents) == Lines{"src: / (lib/) lib/one.c"});
  CHECK(selected(tree, "docs/*/f", parents) == Lines{": / (docs/) (docs/s1/) docs/s1/f (docs/s2/) docs/s2/f"});
  CHECK(selected(tree, "**/*.c", parents) == Lines{": / (src/) (src/lib/) src/lib/one.c src/main.c"});
  CHECK(selected(tree, "src/lib", parents) == Lines{": / (src/) src/lib/ src/lib/inner src/lib/one.c src/lib/two.h"});
  CHECK(selected(tree, "do*/./s?", parents) == Lines{"docs: / s1/ s1/f s2/ s2/f"});
  CHECK(selected(tree, "no*/f", parents) == Lines{": /"});
  CHECK(selected(tree, "src/none.c", parents).front().starts_with(R"(error: "/src/none.c": not found)"));
  CHECK(selected(tree, "a.txt/./x", parents).front().starts_with(R"(error: "/a.txt" is not a folder)"));
  CHECK(selected(tree, "src/lib", {.excludes = {"**/*.c"}, .parents = true}) ==
        Lines{": / (src/) src/lib/ src/lib/inner src/lib/two.h"});
}

TEST_CASE("a pattern of --parents reads only folders that it can match") {
  Context tree;
  selected(tree, "src/lib/*.c", {.excludes = {}, .parents = true});
  CHECK(tree.listed == 3);  // the root, src and src/lib, not docs
}

TEST_CASE("attributes that do not belong in a layer are dropped, capabilities of contexts too") {
  MemoryTree tree;
  const std::vector<sys::Xattr> all = {
      {"com.apple.quarantine", "1"}, {"security.capability", "c"}, {"security.selinux", "s"}, {"user.kept", "v"}};
  tree.file("f").xattrs = snapshot::pack_xattrs(all);
  Selection selection;
  must(select_source(tree, "f", {}, selection, {}));
  CHECK(snapshot::unpack_xattrs(selection[0].entries[0].node.xattrs) == std::vector<sys::Xattr>{{"user.kept", "v"}});
}

TEST_CASE("a key part stands for each entry and leaves out what decides nothing") {
  const auto parts_of = [](MemoryTree& tree, const std::string& source) {
    Selection selection;
    must(select_source(tree, source, {}, selection, {}));
    must(hash_selection(tree, selection, {}));
    Parts parts;
    add_parts(selection, parts);
    return parts;
  };
  MemoryTree tree;
  tree.file("d/f", "1");
  tree.folder("d/e");
  tree.soft_link("l", "d");
  const Parts before = parts_of(tree, "d");
  REQUIRE(before.size() == 3);
  CHECK(before[0] == Part{"file d/", "folder", false});
  CHECK(before[1].name == "file d/e");
  CHECK(before[2].name == "file d/f");
  CHECK(parts_of(tree, "l")[2].name == "file l/f");
  CHECK(parts_of(tree, ".")[0] == Part{"file .", "folder", false});
  CHECK(parts_of(tree, "d/f")[0] == before[2]);

  tree.folder("d", 0700).mtime_ns = 5;
  tree.file("d/f", "1").mtime_ns = 5;
  CHECK(parts_of(tree, "d") == before);
  tree.file("d/f", "1", 0755);
  CHECK(parts_of(tree, "d")[2].value != before[2].value);
  tree.file("d/f", "2");
  CHECK(parts_of(tree, "d")[2].value != before[2].value);
}
