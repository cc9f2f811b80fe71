#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/time.h"
#include "support/step_fixture.h"

using namespace mica;
using namespace mica::build;
using namespace mica::testing;

namespace {

constexpr Origin kStage{.kind = Origin::Kind::vertex, .vertex = 1};

CopyOp copy(std::vector<std::string> sources, std::string destination) {
  return {.sources = std::move(sources), .destination = std::move(destination)};
}

Lines changed(StepFixture& fixture, CopyOp op, const State& parent = {}, const State& from = {}) {
  const auto ran = fixture.run(std::move(op), parent, from);
  if (!ran) return {"error: " + ran.error().text()};
  return fixture.layer(*ran);
}

}  // namespace

TEST_CASE("a file takes the destination's name, or goes inside a folder") {
  StepFixture fixture;
  fixture.context().file("a", "x\n", 04751);
  const State base = fixture.shell("mkdir d etc; touch etc/passwd");
  CHECK(changed(fixture, copy({"a"}, "/new/deep/name")) == Lines{"d new 755", "d new/deep 755", "f new/deep/name 4751 2"});
  CHECK(changed(fixture, copy({"a"}, "/n/"), base) == Lines{"d n 755", "f n/a 4751 2"});
  CHECK(changed(fixture, copy({"a"}, "/n/."), base) == Lines{"d n 755", "f n/a 4751 2"});
  CHECK(changed(fixture, copy({"a"}, "/d"), base) == Lines{"d d 755", "f d/a 4751 2"});
  CHECK(changed(fixture, copy({"a"}, "/"), base) == Lines{"f a 4751 2"});
  CHECK(changed(fixture, copy({"a"}, "/tmp/../v/./x"), base) == Lines{"d v 755", "f v/x 4751 2"});
  CHECK(changed(fixture, copy({"a"}, "/etc/passwd"), base) == Lines{"d etc 755", "f etc/passwd 4751 2"});
  CHECK(changed(fixture, copy({"a"}, "/etc/passwd/"), base) == Lines{"error: mkdir /etc/passwd: not a directory"});
  CHECK(changed(fixture, copy({"a"}, "/etc/passwd/x/y"), base) == Lines{"error: mkdir /etc/passwd: not a directory"});
}

TEST_CASE("a folder stands for its contents and lends only its time") {
  StepFixture fixture;
  MemoryTree& context = fixture.context();
  context.folder("src", 0700).mtime_ns = 77;
  context.file("src/one", "1").uid = 0;
  context.folder("src/sub", 0711);
  context.folder("src/sub/empty");
  context.soft_link("src/sub/link", "../one");
  const Lines wanted = {"d dst 755", "f dst/one 644 1", "d dst/sub 711", "d dst/sub/empty 755", "l dst/sub/link -> ../one"};
  CHECK(changed(fixture, copy({"src"}, "/dst")) == wanted);
  CHECK(changed(fixture, copy({"src/"}, "/dst/")) == wanted);
  const auto ran = must(fixture.run(copy({"src"}, "/dst")));
  CHECK(fixture.entry(ran.state, "dst").mtime_ns == 77);
  CHECK(fixture.entry(ran.state, "dst/one").mtime_ns == MemoryTree::kTime);
  CHECK(fixture.entry(ran.state, "dst/sub").mtime_ns == MemoryTree::kTime);
  CHECK(fixture.entry(ran.state, "dst/sub/link").mtime_ns == MemoryTree::kTime);
}

TEST_CASE("folders that are there already: nested ones take the source's metadata, the top one its time only") {
  StepFixture fixture;
  fixture.context().folder("src", 0750).mtime_ns = 77;
  fixture.context().folder("src/sub", 0711).xattrs = snapshot::pack_xattrs({{"user.a", "new"}});
  fixture.context().file("src/sub/new", "new\n");
  const State base = fixture.shell(
      "mkdir -p d/sub; chmod 700 d d/sub; echo old > d/sub/keep; chown -R 1000:50 d; setfattr -n user.a -v old d/sub; setfattr "
      "-n user.b -v kept d/sub");
  const auto ran = must(fixture.run(copy({"src"}, "/d"), base));
  CHECK(fixture.tree(ran.state) == Lines{"d d 700 1000:50", "d d/sub 711", "f d/sub/keep 644 1000:50 4", "f d/sub/new 644 4"});
  CHECK(fixture.entry(ran.state, "d").mtime_ns == 77);
  CHECK(snapshot::unpack_xattrs(fixture.entry(ran.state, "d/sub").xattrs) ==
        std::vector<sys::Xattr>{{"user.a", "new"}, {"user.b", "kept"}});
  CHECK(changed(fixture, copy({"src"}, "/"), base) == Lines{"d sub 711", "f sub/new 644 4"});
}

TEST_CASE("what cannot be merged is an error, links inside the destination are replaced") {
  StepFixture fixture;
  fixture.context().file("folder/sub/a", "a");
  fixture.context().file("file/a", "f\n");
  const State base = fixture.shell("mkdir -p d e/a f g; echo x > d/sub; ln -s /etc f/sub; ln -s /etc/passwd g/a; echo x > x");
  CHECK(changed(fixture, copy({"folder"}, "/d"), base) == Lines{"error: cannot copy to non-directory: /d/sub"});
  CHECK(changed(fixture, copy({"file"}, "/e"), base) == Lines{"error: cannot replace to directory /e/a with file"});
  CHECK(changed(fixture, copy({"file/a"}, "/e/"), base) == Lines{"error: cannot replace to directory /e/a with file"});
  CHECK(changed(fixture, copy({"folder"}, "/f"), base) == Lines{"error: cannot copy to non-directory: /f/sub"});
  CHECK(changed(fixture, copy({"file"}, "/x"), base) == Lines{"error: cannot copy to non-directory: /x"});
  CHECK(changed(fixture, copy({"file"}, "/g"), base) == Lines{"d g 755", "f g/a 644 2"});
  CHECK(changed(fixture, copy({"file/a"}, "/g/"), base) == Lines{"d g 755", "f g/a 644 2"});
}

TEST_CASE("the destination's links are followed inside the root, dangling ones too") {
  StepFixture fixture;
  fixture.context().file("a", "x\n");
  fixture.context().file("src/s", "y\n");
  const State base = fixture.shell(
      "mkdir real etc; ln -s /real abs; ln -s real rel; ln -s /dangling/here dang; ln -s ../../../etc up; echo t > target; ln -s "
      "/target l; ln -s l1 l2; ln -s l2 l1");
  CHECK(changed(fixture, copy({"a"}, "/abs/"), base) == Lines{"d real 755", "f real/a 644 2"});
  CHECK(changed(fixture, copy({"a"}, "/rel/b"), base) == Lines{"d real 755", "f real/b 644 2"});
  CHECK(changed(fixture, copy({"a"}, "/dang/c"), base) ==
        Lines{"d dangling 755", "d dangling/here 755", "f dangling/here/c 644 2"});
  CHECK(changed(fixture, copy({"src"}, "/dang"), base) ==
        Lines{"d dangling 755", "d dangling/here 755", "f dangling/here/s 644 2"});
  CHECK(changed(fixture, copy({"a"}, "/up/up"), base) == Lines{"d etc 755", "f etc/up 644 2"});
  CHECK(changed(fixture, copy({"a"}, "/l"), base) == Lines{"f target 644 2"});
  CHECK(changed(fixture, copy({"a"}, "/l1/x"), base)[0].find("too many") != std::string::npos);
}

TEST_CASE("several sources: the later ones win") {
  StepFixture fixture;
  MemoryTree& context = fixture.context();
  context.file("a", "1\n");
  context.file("b", "2\n");
  context.file("d/a", "3\n");
  context.file("d/c", "4\n");
  CHECK(changed(fixture, copy({"a", "b", "d"}, "/x/")) == Lines{"d x 755", "f x/a 644 2", "f x/b 644 2", "f x/c 644 2"});
  CHECK(fixture.content(must(fixture.run(copy({"a", "d"}, "/x/"))).state, "x/a") == "3\n");
  CHECK(fixture.content(must(fixture.run(copy({"d", "a"}, "/x/"))).state, "x/a") == "1\n");
  CHECK(fixture.content(must(fixture.run(copy({"a", "b"}, "/x"))).state, "x") == "2\n");
  CHECK(fixture.content(must(fixture.run(copy({"?"}, "/x/"))).state, "x/c") == "4\n");
  CHECK(changed(fixture, copy({"a", "d"}, "/x")) == Lines{"error: cannot copy to non-directory: /x"});
  CHECK(changed(fixture, copy({"none*"}, "/x/")).empty());
}

TEST_CASE("owners: the context's files are root's, a stage's keep theirs, --chown changes all that is made") {
  StepFixture fixture;
  fixture.context().file("d/s/y", "y\n");
  const State stage =
      fixture.shell("mkdir -p d/sub; echo x > d/sub/f; ln -s f d/sub/l; chown -R -h 1000:50 d; chmod 2750 d/sub; chmod 700 d");
  CHECK(changed(fixture, {.from = kStage, .sources = {"/d"}, .destination = "/out"}, {}, stage) ==
        Lines{"d out 755", "d out/sub 2750 1000:50", "f out/sub/f 644 1000:50 2", "l out/sub/l 1000:50 -> f"});
  CHECK(changed(fixture, {.from = kStage, .sources = {"d/sub/f"}, .destination = "/one"}, {}, stage) ==
        Lines{"f one 644 1000:50 2"});
  CHECK(changed(fixture, {.from = kStage, .sources = {"/"}, .destination = "/"}, {}, stage) ==
        Lines{"d d 700 1000:50", "d d/sub 2750 1000:50", "f d/sub/f 644 1000:50 2", "l d/sub/l 1000:50 -> f"});
  CHECK(changed(fixture, {.from = kStage, .sources = {"/d"}, .destination = "/n/f", .chown = "7:8"}, {}, stage) ==
        Lines{"d n 755 7:8", "d n/f 755 7:8", "d n/f/sub 2750 7:8", "f n/f/sub/f 644 7:8 2", "l n/f/sub/l 7:8 -> f"});
  const State users = fixture.shell("mkdir etc; echo app:x:1000:1001::/:/bin/sh > etc/passwd");
  CHECK(changed(fixture, {.sources = {"d/s/y"}, .destination = "/y", .chown = "app"}, users) == Lines{"f y 644 1000:1001 2"});
  CHECK(fixture.output.text.empty());
  CHECK(changed(fixture, {.sources = {"d/s/y"}, .destination = "/y", .chown = "nosuch"}, users) == Lines{"f y 644 2"});
  CHECK(fixture.output.text == "--chown=nosuch: the stage has no user \"nosuch\"; it is left out\n");
  CHECK(changed(fixture, {.sources = {"d/s/y"}, .destination = "/y", .chown = "app"})[0].starts_with(
      "error: --chown: looking up \"app\""));
}

TEST_CASE("--chmod changes files and folders, never links; an octal one also the folders on the way") {
  StepFixture fixture;
  MemoryTree& context = fixture.context();
  context.file("a", "x\n");
  context.folder("d/s", 0700);
  context.file("d/s/y", "y\n", 06711);
  context.soft_link("d/s/l", "y");
  CHECK(changed(fixture, {.sources = {"a"}, .destination = "/new/a", .chmod = "0640"}) == Lines{"d new 640", "f new/a 640 2"});
  CHECK(changed(fixture, {.sources = {"d"}, .destination = "/d", .chmod = "4755"}) ==
        Lines{"d d 755", "d d/s 4755", "l d/s/l -> y", "f d/s/y 4755 2"});
  CHECK(changed(fixture, {.sources = {"d"}, .destination = "/d", .chmod = "u=rwX,go=rX"}) ==
        Lines{"d d 755", "d d/s 755", "l d/s/l -> y", "f d/s/y 755 2"});
  CHECK(changed(fixture, {.sources = {"d"}, .destination = "/srv/d", .chown = "1:2", .chmod = "750"}) ==
        Lines{"d srv 750 1:2", "d srv/d 750 1:2", "d srv/d/s 750 1:2", "l srv/d/s/l 1:2 -> y", "f srv/d/s/y 750 1:2 2"});
  CHECK(changed(fixture, {.sources = {"a"}, .destination = "/a", .chmod = "9999"})[0].starts_with(
      "error: invalid chmod parameter: '9999'"));
}

TEST_CASE("hard links, devices, fifos and attributes are kept") {
  StepFixture fixture;
  const State stage = fixture.shell(
      "mkdir -p d/s; echo y > d/y; ln d/y d/s/z; ln d/y d/a; echo y > d/b; mkfifo -m 640 d/p; mknod d/n c 1 3; setfattr -n "
      "user.mica -v value d/b");
  const auto ran = must(fixture.run(CopyOp{.from = kStage, .sources = {"/d"}, .destination = "/x"}, {}, stage));
  CHECK(fixture.layer(ran) == Lines{"d x 755", "f x/a 644 2", "f x/b 644 2", "c x/n 644 103", "p x/p 640", "d x/s 755",
                                    "f x/s/z 644 2 = x/a", "f x/y 644 2 = x/a"});
  CHECK(snapshot::unpack_xattrs(fixture.entry(ran.state, "x/b").xattrs) == std::vector<sys::Xattr>{{"user.mica", "value"}});
  // Of several sources each is on its own, as docker has it.
  CHECK(changed(fixture, {.from = kStage, .sources = {"/d/a", "/d/y"}, .destination = "/x/"}, {}, stage) ==
        Lines{"d x 755", "f x/a 644 2", "f x/y 644 2"});
}

TEST_CASE("a hard link made by one source is replaced by a file of the next") {
  StepFixture fixture;
  MemoryTree& context = fixture.context();
  context.file("d/a", "1\n").inode_group = 5;
  context.file("d/b", "1\n").inode_group = 5;
  context.file("e/b", "2\n");
  const auto ran = must(fixture.run(copy({"d", "e"}, "/x")));
  CHECK(fixture.layer(ran) == Lines{"d x 755", "f x/a 644 2", "f x/b 644 2"});
  CHECK(fixture.content(ran.state, "x/a") == "1\n");
  CHECK(fixture.content(ran.state, "x/b") == "2\n");
}

TEST_CASE("an empty file needs nothing to read from") {
  StepFixture fixture;
  Node& socket = fixture.context().file("d/socket", "", 0755);
  socket.source_dir = "/nowhere";
  socket.inode_group = 3;
  fixture.context().file("d/other", "", 0755).inode_group = 3;
  CHECK(changed(fixture, copy({"d"}, "/x")) == Lines{"d x 755", "f x/other 755 0", "f x/socket 755 0 = x/other"});
}

TEST_CASE("--parents and --exclude keep implied folders") {
  StepFixture fixture;
  MemoryTree& context = fixture.context();
  context.folder("x", 0750);
  context.file("x/a.txt", "1");
  context.file("x/s/c.txt", "3");
  context.file("y/b.txt", "2");
  CHECK(changed(fixture, {.sources = {"x/a.txt", "y/b.txt"}, .destination = "/p/", .parents = true}) ==
        Lines{"d p 755", "d p/x 750", "f p/x/a.txt 644 1", "d p/y 755", "f p/y/b.txt 644 1"});
  CHECK(changed(fixture, {.sources = {"x/./s/c.txt"}, .destination = "/q/", .parents = true}) ==
        Lines{"d q 755", "d q/s 755", "f q/s/c.txt 644 1"});
  const CopyOp keep{.sources = {"."}, .destination = "/d", .chmod = "700", .excludes = {"*", "!x/s/c.txt"}};
  CHECK(changed(fixture, keep) == Lines{"d d 700", "d d/x 700", "d d/x/s 700", "f d/x/s/c.txt 700 1"});
  // A folder that is there and only comes along gets the source's mode and nothing else.
  const State base = fixture.shell("mkdir -p d/x; chown 7 d/x; chmod 700 d/x");
  CHECK(changed(fixture, keep, base) == Lines{"d d 755", "d d/x 750 7:0", "d d/x/s 700", "f d/x/s/c.txt 700 1"});
}

TEST_CASE("heredocs come after the files, with mode 0644 and the time of the build") {
  StepFixture fixture;
  fixture.context().file("a", "from file\n");
  const std::int64_t before = now().ns;
  const auto ran =
      must(fixture.run(CopyOp{.sources = {"a"}, .files = {{"b", "from heredoc\n"}, {"a", "over"}}, .destination = "/d/"}));
  CHECK(fixture.layer(ran) == Lines{"d d 755", "f d/a 644 4", "f d/b 644 13"});
  CHECK(fixture.entry(ran.state, "d/b").mtime_ns >= before);
  CHECK(changed(fixture,
                {.files = {{"one", "1\n"}, {"two.txt", "2\n"}}, .destination = "/d/", .chown = "1000:50", .chmod = "700"}) ==
        Lines{"d d 700 1000:50", "f d/one 700 1000:50 2", "f d/two.txt 700 1000:50 2"});
  const State base = fixture.shell("mkdir -p etc/f");
  CHECK(changed(fixture, {.files = {{"EOF", ""}}, .destination = "/etc/conf"}, base) == Lines{"d etc 755", "f etc/conf 644 0"});
  CHECK(changed(fixture, {.files = {{"motd", "hello\n"}}, .destination = "/etc"}, base) ==
        Lines{"d etc 755", "f etc/motd 644 6"});
  CHECK(changed(fixture, {.files = {{"f", ""}}, .destination = "/etc/"}, base) ==
        Lines{"error: cannot replace to directory /etc/f with file"});
}

TEST_CASE("--link makes the same layer whatever is below, and follows no links") {
  StepFixture fixture;
  fixture.context().file("a", "x");
  const CopyOp op{.sources = {"a"}, .destination = "/l/a", .link = true};
  const State one = fixture.shell("mkdir real; ln -s real l"), two = fixture.shell("mkdir -m 700 l");
  const auto on_one = must(fixture.run(op, one));
  CHECK_FALSE(fixture.needs_parent);
  const auto on_two = must(fixture.run(op, two));
  CHECK(fixture.layer(on_one) == Lines{"d l 755", "f l/a 644 1"});
  CHECK(fixture.layer(on_two) == fixture.layer(on_one));
  CHECK(on_one.layer.content_id == on_two.layer.content_id);
  CHECK(strong_key(on_one.parts) == strong_key(on_two.parts));
  CopyOp with_mode = op;
  with_mode.chmod = "600";
  CHECK(changed(fixture, with_mode, one) == Lines{"d real 755", "f real/a 600 1"});
  CHECK(fixture.needs_parent);
}

TEST_CASE("the key covers recipe and content, the weak key the recipe alone") {
  StepFixture fixture;
  const auto key = [&](CopyOp op, const State& parent = {}) { return must(fixture.run(std::move(op), parent)).parts; };
  fixture.context().file("d/f", "1");
  const Parts first = key(copy({"d"}, "/x"));
  CHECK(strong_key(first) == strong_key(key(copy({"d"}, "/x"))));
  for (const CopyOp& other :
       {copy({"d"}, "/y"), copy({"./d"}, "/x"), CopyOp{.sources = {"d"}, .destination = "/x", .chown = "1"},
        CopyOp{.sources = {"d"}, .destination = "/x", .chmod = "600"},
        CopyOp{.sources = {"d"}, .destination = "/x", .excludes = {"z"}},
        CopyOp{.add = true, .sources = {"d"}, .destination = "/x"}, CopyOp{.sources = {"d"}, .destination = "/x", .link = true}})
    CHECK(weak_key(key(other)) != weak_key(first));
  fixture.context().file("d/f", "2");
  const Parts edited = key(copy({"d"}, "/x"));
  CHECK(weak_key(edited) == weak_key(first));
  CHECK(strong_key(edited) != strong_key(first));
  CHECK(strong_key(key({.files = {{"a", "1"}}, .destination = "/x"})) !=
        strong_key(key({.files = {{"a", "2"}}, .destination = "/x"})));
  const State app = fixture.shell("mkdir etc; echo app:x:1:1::/: > etc/passwd"),
              moved = fixture.shell("mkdir etc; echo app:x:2:2::/: > etc/passwd");
  const CopyOp chown{.sources = {"d"}, .destination = "/x", .chown = "app", .link = true};
  CHECK(strong_key(key(chown, app)) != strong_key(key(chown, moved)));
}

TEST_CASE("unchanged files are linked from the earlier layer, each inode once") {
  StepFixture fixture;
  const auto fill = [](MemoryTree& tree, const char* changing) {
    tree.file("d/same", "same");
    tree.file("d/changing", changing);
    tree.file("d/touched", "touched");
    tree.file("d/mode", "mode");
    tree.file("d/h1", "linked").inode_group = 9;
    tree.file("d/h2", "linked").inode_group = 9;
  };
  fill(fixture.context(), "1");
  const auto first = must(fixture.run(copy({"d"}, "/x")));
  MemoryTree& again = fixture.new_context();
  fill(again, "2");
  again.file("d/touched", "touched").mtime_ns = 5;
  again.file("d/mode", "mode", 0755);
  again.file("d/h1", "linked");
  again.file("d/h2", "linked");
  const auto second = must(fixture.run(copy({"d"}, "/x"), {}, {}, Record{.layer = first.layer.id}));
  const auto inode = [&](const StepFixture::Ran& ran, const std::string& path) {
    struct stat status {};
    REQUIRE(::stat((fixture.store.layers.directory(ran.layer.id) + "/" + path).c_str(), &status) == 0);
    return status.st_ino;
  };
  CHECK(inode(second, "x/same") == inode(first, "x/same"));
  for (const char* path : {"x/changing", "x/touched", "x/mode"}) CHECK(inode(second, path) != inode(first, path));
  CHECK(fixture.content(second.state, "x/changing") == "2");
  CHECK(inode(first, "x/h1") == inode(first, "x/h2"));
  CHECK(inode(second, "x/h1") == inode(first, "x/h1"));
  CHECK(inode(second, "x/h2") != inode(second, "x/h1"));
  CHECK(must(fixture.run(copy({"d"}, "/x"), {}, {}, Record{.layer = "0123456789abcdef"})).layer.content_id ==
        second.layer.content_id);
}

TEST_CASE("with SOURCE_DATE_EPOCH nothing in the layer is later, and earlier times stay") {
  StepFixture fixture;
  fixture.session.clamp_ns = 1'000;
  fixture.context().file("d/old", "1").mtime_ns = 5;
  fixture.context().file("d/new", "2");
  const State base = fixture.shell("mkdir there");
  const auto ran = must(fixture.run(CopyOp{.sources = {"d"}, .files = {{"h", "x"}}, .destination = "/there/made"}, base));
  const auto listing = must(fixture.store.layers.listing(ran.layer.id));
  CHECK(lines_of(listing) ==
        Lines{"d there 755", "d there/made 755", "f there/made/h 644 1", "f there/made/new 644 1", "f there/made/old 644 1"});
  for (std::size_t i = 0; i < listing.size(); ++i)
    CHECK(listing[i].mtime_ns == (listing[i].path == "there/made/old" ? 5 : 1'000));
}

TEST_CASE("errors name the place that was looked in") {
  StepFixture fixture;
  fixture.context().file("server.js");
  CHECK(changed(fixture, copy({"server.jss"}, "/d/")) == Lines{R"(error: "/server.jss": not found in the build context)"});
  CHECK(changed(fixture, {.from = kStage, .sources = {"/x"}, .destination = "/"}, {}, fixture.shell("touch y")) ==
        Lines{R"(error: "/x": not found in stage main)"});
  fixture.context().file("d/.wh.x");
  CHECK(changed(fixture, copy({"d"}, "/d/")) == Lines{R"(error: "/d/.wh.x" cannot be kept in an image layer)"});
  CHECK(changed(fixture, copy({"https://example.com/x"}, "/x"))[0].starts_with("error: source can't be a URL for COPY"));
  CHECK(changed(fixture,
                {.add = true, .sources = {"server.js"}, .destination = "/", .checksum = "sha256:" + std::string(64, 'a')}) ==
        Lines{"error: checksum requires HTTP(S) or Git sources"});
}
