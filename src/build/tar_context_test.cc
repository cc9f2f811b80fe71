#include "build/tar_context.h"

#include <doctest/doctest.h>
#include <sys/sysmacros.h>

#include "build/context_tree.h"
#include "stream/compression.h"
#include "support/layer_fixture.h"

using namespace mica;
using namespace mica::build;
using namespace mica::testing;
using archive::EntryType;
using snapshot::Type;

namespace {

constexpr std::int64_t kTime = 1'500'000'000'000'000'000;

struct Unpacked {
  sys::TempDir dir = must(sys::TempDir::create("/tmp", "mica-tar-context"));
  Result<std::unique_ptr<SourceTree>> read(std::string bytes, task::Cancel cancel = {}) {
    stream::MemorySource source(std::move(bytes));
    return read_tar_context(source, dir.path(), "the build context", std::move(cancel));
  }
  std::unique_ptr<SourceTree> tree(std::vector<TarItem> items) { return must(read(tar(std::move(items)))); }
  Error error(std::vector<TarItem> items) {
    auto tree = read(tar(std::move(items)));
    REQUIRE(!tree);
    return tree.error();
  }
};

TarItem item(EntryType type, std::string path, std::string link = "") {
  return {{.type = type, .path = std::move(path), .link = std::move(link), .mtime_ns = kTime}, ""};
}

/// One line an entry: type, path, mode, owner, size or target.
Lines all(SourceTree& tree, const std::string& folder = "") {
  Lines lines;
  for (const Node& node : must(tree.children(folder))) {
    std::string line = format("{} {} {:o}", "fdlcbp"[static_cast<int>(node.type)], node.path, node.mode);
    if (node.uid || node.gid) line += format(" {}:{}", node.uid, node.gid);
    if (node.type == Type::file) line += format(" {}", node.size);
    if (!node.link.empty()) line += " -> " + node.link;
    lines.push_back(std::move(line));
    for (std::string& inner : all(tree, node.path)) lines.push_back(std::move(inner));
  }
  return lines;
}

std::string content(SourceTree& tree, const std::string& path) {
  return must(read_tree_file(tree, path, 1 << 20)).value_or("(none)");
}
Node find(SourceTree& tree, const std::string& path) { return must(tree.find(path)).value(); }

std::string compressed(const std::string& bytes, stream::Compression kind) {
  stream::MemorySink sink;
  const auto encoder = must(stream::compress(sink, kind));
  must(encoder->write({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()}));
  must(encoder->finish());
  return sink.take();
}

}  // namespace

TEST_CASE("an archive's entries are what it says, owners too") {
  Unpacked unpacked;
  TarItem file = tar_file("./d/f", "content", 04750);
  file.entry.uid = 7;
  file.entry.gid = 8;
  file.entry.mtime_ns = kTime + 5;
  file.entry.xattrs = {{"security.selinux", "host"}, {"user.a", "b"}};
  TarItem device = item(EntryType::char_device, "null");
  device.entry.device_major = 1;
  device.entry.device_minor = 3;
  const auto tree =
      unpacked.tree({item(EntryType::directory, "./"), tar_folder("d", 0700), file, item(EntryType::symlink, "d/l", "../nowhere"),
                     item(EntryType::fifo, "p"), device, tar_file("empty")});
  CHECK(all(*tree) == Lines{"d d 700", "f d/f 4750 7:8 7", "l d/l 777 -> ../nowhere", "f empty 644 0", "c null 644", "p p 644"});
  const Node node = find(*tree, "d/f");
  CHECK(node.mtime_ns == kTime + 5);
  CHECK(node.digest == sha256("content"));
  CHECK(node.xattrs == snapshot::pack_xattrs({{"user.a", "b"}}));
  CHECK(content(*tree, "d/f") == "content");
  CHECK(content(*tree, "empty").empty());
  CHECK(find(*tree, "null").device == makedev(1, 3));
  CHECK(find(*tree, "").mtime_ns == kTime);
  CHECK(!tree->is_local_context());
  CHECK(!must(tree->find("d/none")));
  CHECK(must(tree->children("d/f")).empty());
}

TEST_CASE("folders that the archive does not list are root's, with the time of what is in them") {
  Unpacked unpacked;
  TarItem file = tar_file("a/b/f", "1");
  file.entry.uid = 5;
  file.entry.mtime_ns = kTime;
  const auto tree = unpacked.tree({file, tar_folder("a", 0711)});
  CHECK(all(*tree) == Lines{"d a 711", "d a/b 755", "f a/b/f 644 5:0 1"});
  CHECK(find(*tree, "a/b").mtime_ns == kTime);
}

TEST_CASE("the last entry of a name counts") {
  Unpacked unpacked;
  const auto tree =
      unpacked.tree({tar_file("f", "old"), tar_file("f", "new"), tar_file("d/x/in", "1"), tar_file("d/x", "file now"),
                     tar_file("g", "1"), tar_folder("g", 0700), tar_file("g/in", "2"), tar_folder("g", 0710)});
  CHECK(all(*tree) == Lines{"d d 755", "f d/x 644 8", "f f 644 3", "d g 710", "f g/in 644 1"});
  CHECK(content(*tree, "f") == "new");
  CHECK(content(*tree, "d/x") == "file now");
}

TEST_CASE("links on the way to a name are followed inside of the archive") {
  Unpacked unpacked;
  const auto tree =
      unpacked.tree({tar_folder("real"), item(EntryType::symlink, "up", "../../../real"),
                     item(EntryType::symlink, "abs", "/real/deep"), tar_file("up/f", "1"), tar_file("abs/g", "2"),
                     item(EntryType::symlink, "later", "real"), tar_file("later/h", "3"), tar_file("later", "no link any more")});
  CHECK(all(*tree) == Lines{"l abs 777 -> /real/deep", "f later 644 16", "d real 755", "d real/deep 755", "f real/deep/g 644 1",
                            "f real/f 644 1", "f real/h 644 1", "l up 777 -> ../../../real"});
  CHECK(unpacked.error({item(EntryType::symlink, "loop", "loop"), tar_file("loop/f")}).code() == Errc::invalid_argument);
}

TEST_CASE("a link that was replaced does not lead on") {
  Unpacked unpacked;
  const auto tree = unpacked.tree({tar_folder("a"), tar_folder("b"), item(EntryType::symlink, "l", "a"), tar_file("l/1"),
                                   item(EntryType::symlink, "l", "b"), tar_file("l/2")});
  CHECK(all(*tree) == Lines{"d a 755", "f a/1 644 0", "d b 755", "f b/2 644 0", "l l 777 -> b"});
}

TEST_CASE("nothing of an archive touches the disk but contents under numbers") {
  Unpacked unpacked;
  const auto tree = unpacked.tree(
      {item(EntryType::symlink, "t", "/tmp"), tar_file("t/mica-must-not-be-there", "x"), tar_file("a", "y", 04777)});
  CHECK(!sys::exists("/tmp/mica-must-not-be-there"));
  const Node node = find(*tree, "a");
  const auto folder = must(sys::open(node.source_dir, O_PATH | O_DIRECTORY));
  CHECK(must(sys::list_names(folder)) == std::vector<std::string>{"0", "1"});
  CHECK((must(sys::lstat_at(folder, node.source_path)).st_mode & 07777) == 0600);
}

TEST_CASE("contents go with the tree") {
  Unpacked unpacked;
  auto tree = unpacked.tree({tar_file("a", "x")});
  const std::string folder = find(*tree, "a").source_dir;
  CHECK(sys::exists(folder));
  tree.reset();
  CHECK(!sys::exists(folder));
}

TEST_CASE("hard links share an inode, which has the owner and mode of the last entry") {
  Unpacked unpacked;
  TarItem link = item(EntryType::hard_link, "b", "./a");
  link.entry.mode = 0600;
  link.entry.uid = 9;
  const auto tree = unpacked.tree({tar_file("a", "same"), link, item(EntryType::symlink, "s", "x"),
                                   item(EntryType::hard_link, "t", "s"), tar_file("c", "same")});
  CHECK(all(*tree) == Lines{"f a 600 9:0 4", "f b 600 9:0 4", "f c 644 4", "l s 777 -> x", "l t 777 -> x"});
  CHECK(find(*tree, "a").inode_group == find(*tree, "b").inode_group);
  CHECK(find(*tree, "a").inode_group != 0);
  CHECK(find(*tree, "c").inode_group == 0);
  CHECK(content(*tree, "b") == "same");
  // The other name may have gone meanwhile.
  const auto replaced = unpacked.tree(
      {tar_file("a", "1"), item(EntryType::hard_link, "b", "a"), tar_file("a", "22"), item(EntryType::hard_link, "c", "b")});
  CHECK(content(*replaced, "a") == "22");
  CHECK(content(*replaced, "c") == "1");
  CHECK(find(*replaced, "a").inode_group == 0);
}

TEST_CASE("archives that cannot be right are refused") {
  Unpacked unpacked;
  for (const char* name : {"../x", "a/../../x", "..", "/../x", "./.."}) {
    CAPTURE(name);
    const Error error = unpacked.error({tar_file(name, "x")});
    CHECK(error.code() == Errc::corrupt);
    CHECK(error.text() == format("the archive's entry {}: its name climbs out of the archive", quoted(name)));
  }
  CHECK(unpacked.error({tar_file(std::string(256, 'n'))}).text().ends_with("a part of its name is too long"));
  CHECK(unpacked.error({item(EntryType::hard_link, "a", "missing")})
            .text()
            .ends_with("a hard link to \"missing\", which is not there as a file"));
  CHECK(unpacked.error({tar_folder("d"), item(EntryType::hard_link, "a", "d")}).code() == Errc::corrupt);
  CHECK(unpacked.error({item(EntryType::hard_link, "a", "/")}).code() == Errc::corrupt);
  CHECK(unpacked.error({tar_file("f"), tar_file("f/g")}).text().ends_with("\"f\" is no folder"));
  TarItem owner = tar_file("f");
  owner.entry.uid = 0xffffffff;
  CHECK(unpacked.error({owner}).text().ends_with("its owner 4294967295:0 is out of range"));
  const std::string whole = tar({tar_file("f", std::string(5000, 'x'))});
  CHECK(unpacked.read(whole.substr(0, 3000)).error().code() == Errc::corrupt);
  CHECK(unpacked.read(compressed(whole, stream::Compression::gzip).substr(0, 40)).error().code() == Errc::corrupt);
}

TEST_CASE("every compression that is known by its first bytes is read") {
  Unpacked unpacked;
  const std::string plain = tar({tar_file("f", "content")});
  for (const auto kind : {stream::Compression::none, stream::Compression::gzip, stream::Compression::zstd}) {
    const std::string bytes = kind == stream::Compression::none ? plain : compressed(plain, kind);
    CHECK(looks_like_archive(bytes));
    const auto tree = must(unpacked.read(bytes));
    CHECK(content(*tree, "f") == "content");
  }
  CHECK(all(*must(unpacked.read(tar({})))).empty());
}

TEST_CASE("text is no archive, nor is nothing") {
  for (const std::string& text :
       {std::string(), std::string("FROM scratch\n"), "FROM scratch\n" + std::string(2000, '#'), std::string(511, '\0')})
    CHECK(!looks_like_archive(text));
  CHECK(looks_like_archive(std::string(1024, '\0')));
}

TEST_CASE("unpacking stops when it is told to") {
  Unpacked unpacked;
  const auto cancel = task::Cancel::create();
  cancel.stop();
  CHECK(unpacked.read(tar({tar_file("f")}), cancel).error().code() == Errc::cancelled);
}

TEST_CASE("a file of a tree is read through its links") {
  Unpacked unpacked;
  const auto tree =
      unpacked.tree({tar_file("d/f", "text"), item(EntryType::symlink, "l", "d"), item(EntryType::symlink, "m", "/l/f")});
  CHECK(content(*tree, "m") == "text");
  CHECK(content(*tree, "l/f") == "text");
  CHECK(content(*tree, "d") == "(none)");
  CHECK(content(*tree, "x") == "(none)");
  CHECK(read_tree_file(*tree, "m", 3).error().code() == Errc::resource_exhausted);
}
