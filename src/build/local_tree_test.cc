#include "build/local_tree.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "base/time.h"
#include "build/records.h"
#include "support/layer_fixture.h"

using namespace mica;
using namespace mica::build;
using namespace mica::testing;
using snapshot::Type;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

db::Database open_memory() {
  static const std::string sql(kSchemaSql);
  static const std::string_view migrations[] = {sql};
  return must(db::Database::open(":memory:", {migrations}));
}

/// A folder on disk, and trees of it as one build after the other would make them.
struct Disk {
  sys::TempDir dir = must(sys::TempDir::create("/tmp", "mica-context"));
  Guarded<db::Database> database{open_memory()};
  task::Pool pool{2};
  std::vector<std::string> patterns;
  bool with_pool = true, with_memory = true;

  std::string at(const std::string& path) const { return dir.path() + "/" + path; }
  void folder(const std::string& path, int mode = 0755) {
    must(sys::make_directories(at(path)));
    REQUIRE(::chmod(at(path).c_str(), mode) == 0);
  }
  void file(const std::string& path, const std::string& content = "x", int mode = 0644) {
    if (path.find('/') != path.npos) must(sys::make_directories(at(dir_name(path))));
    must(sys::write_file(at(path), content));
    REQUIRE(::chmod(at(path).c_str(), mode) == 0);
  }
  void set_mtime(const std::string& path, std::int64_t ns) {
    const auto root = must(sys::open(dir.path(), O_PATH | O_DIRECTORY));
    must(sys::set_times_at(root, path, ns));
  }
  std::unique_ptr<SourceTree> tree() {
    return must(make_local_tree(dir.path(), patterns,
                                {.database = with_memory ? &database : nullptr, .pool = with_pool ? &pool : nullptr},
                                "the build context"));
  }
  std::int64_t rows() {
    auto locked = database.lock();
    auto row = must(locked->prepare("SELECT count(*) FROM file_hash"));
    must(row.step());
    return row.integer(0);
  }
  /// Lets the clock go on until a file written now counts as settled.
  static void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(30)); }
};

/// All that shows, as paths; folders with a slash.
Lines all(SourceTree& tree, const std::string& folder = "") {
  Lines lines;
  for (const Node& node : must(tree.children(folder))) {
    const auto found = must(tree.find(node.path));
    REQUIRE(found);
    CHECK(found->type == node.type);
    lines.push_back(node.path + (node.type == Type::directory ? "/" : ""));
    if (node.type != Type::directory) continue;
    for (std::string& line : all(tree, node.path)) lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<Node> files_below(SourceTree& tree, const std::string& folder = "") {
  std::vector<Node> files;
  for (Node& node : must(tree.children(folder))) {
    if (node.type == Type::file)
      files.push_back(std::move(node));
    else if (node.type == Type::directory)
      for (Node& inner : files_below(tree, node.path)) files.push_back(std::move(inner));
  }
  return files;
}

Result<> hash(SourceTree& tree, std::vector<Node>& files) {
  std::vector<Node*> pointers;
  for (Node& node : files) pointers.push_back(&node);
  return tree.hash(pointers, {});
}

Node find(SourceTree& tree, const std::string& path) {
  const auto node = must(tree.find(path));
  REQUIRE_MESSAGE(node, path);
  return *node;
}

/// Files are read as somebody without root's rights. Only on this thread, so trees must have no pool.
struct AsNobody {
  AsNobody() { ::setfsuid(65534); }
  ~AsNobody() { ::setfsuid(0); }
};

bool is_root() {
  if (::geteuid() == 0) return true;
  MESSAGE("skipped: needs root");
  return false;
}

}  // namespace

TEST_CASE("a folder's entries are what is on disk, owned by root") {
  Disk disk;
  disk.file("b", "12", 04751);
  disk.folder("a", 0700);
  disk.file("a/x");
  disk.file("a-b");
  REQUIRE(::symlink("../b", disk.at("a/link").c_str()) == 0);
  disk.set_mtime("b", 1'500'000'000 * kSecond + 7);
  if (::geteuid() == 0) {
    REQUIRE(::lchown(disk.at("b").c_str(), 5, 6) == 0);
    REQUIRE(::chmod(disk.at("b").c_str(), 04751) == 0);  // a new owner takes setuid away
  }
  const auto tree = disk.tree();
  CHECK(all(*tree) == Lines{"a/", "a/link", "a/x", "a-b", "b"});
  const Node b = find(*tree, "b");
  CHECK(b.type == Type::file);
  CHECK(b.mode == 04751);
  CHECK(b.uid == 0);
  CHECK(b.gid == 0);
  CHECK(b.size == 2);
  CHECK(b.mtime_ns == 1'500'000'000 * kSecond + 7);
  CHECK(b.inode_group == 0);
  CHECK(b.source_dir == disk.dir.path());
  CHECK(b.source_path == "b");
  CHECK(find(*tree, "a").mode == 0700);
  CHECK(find(*tree, "a/link").link == "../b");
  CHECK(find(*tree, "").type == Type::directory);
  for (const char* missing : {"c", "a/c", "b/c", "a/link/c", "nowhere/deep/down"}) CHECK(!must(tree->find(missing)));
  CHECK(!must(tree->find(std::string("b\0c", 3))));
  CHECK(!must(tree->find(std::string(300, 'n'))));
  for (const char* none : {"b", "a/link", "nowhere"}) CHECK(must(tree->children(none)).empty());
  CHECK(must(tree->resolve("a/link")) == "b");
  CHECK(tree->is_local_context());
  CHECK(tree->name() == "the build context");
}

TEST_CASE("the folder may be a link, and relative") {
  Disk disk;
  disk.file("real/a");
  REQUIRE(::symlink("real", disk.at("link").c_str()) == 0);
  const auto tree = must(make_local_tree(disk.at("link"), {}, {}, "c"));
  CHECK(all(*tree) == Lines{"a"});
  CHECK(find(*tree, "a").source_dir == disk.at("real"));
  CHECK(make_local_tree(disk.at("none"), {}, {}, "c").error().code() == Errc::not_found);
  CHECK(make_local_tree(disk.at("real/a"), {}, {}, "c").error().os_number() == ENOTDIR);
  CHECK(make_local_tree(disk.at("real"), {"a["}, {}, "c").error().code() == Errc::invalid_argument);
}

TEST_CASE("ignore rules hide, and what a later rule takes back in brings its folders") {
  struct Row {
    std::vector<std::string> patterns;
    Lines shown;
  };
  const std::vector<Row> rows = {
      {{}, {".git/", ".git/HEAD", "a/", "a/b/", "a/b/deep", "a/b/keep", "a/x.log", "e/", "log", "x.log"}},
      {{"a"}, {".git/", ".git/HEAD", "e/", "log", "x.log"}},
      {{"**/*.log", ".git"}, {"a/", "a/b/", "a/b/deep", "a/b/keep", "e/", "log"}},
      {{"a", "!a/b/keep"}, {".git/", ".git/HEAD", "a/", "a/b/", "a/b/keep", "e/", "log", "x.log"}},
      {{"*", "!a/b"}, {"a/", "a/b/", "a/b/deep", "a/b/keep"}},
      {{"*", "!**/keep"}, {"a/", "a/b/", "a/b/keep"}},
      {{"*", "!e"}, {"e/"}},
      {{"*", "!a/nothing"}, {}},
      {{"a", "!a/b", "a/b/deep"}, {".git/", ".git/HEAD", "a/", "a/b/", "a/b/keep", "e/", "log", "x.log"}},
      {{"**"}, {}},
  };
  for (const Row& row : rows) {
    CAPTURE(join(row.patterns, " "));
    Disk disk;
    for (const char* path : {".git/HEAD", "a/b/deep", "a/b/keep", "a/x.log", "log", "x.log"}) disk.file(path);
    disk.folder("e");
    disk.patterns = row.patterns;
    CHECK(all(*disk.tree()) == row.shown);
    // The same when single paths are asked for first, and when everything was expected.
    const auto asked = disk.tree();
    for (const char* path : {".git", ".git/HEAD", "a", "a/b", "a/b/deep", "a/b/keep", "a/x.log", "e", "log", "x.log"}) {
      CAPTURE(path);
      const bool shown = std::ranges::any_of(
          row.shown, [&](const std::string& line) { return line == path || line == std::string(path) + "/"; });
      CHECK(must(asked->find(path)).has_value() == shown);
      CHECK(asked->hidden_by(path).empty() == (shown || row.patterns.empty()));
    }
    CHECK(all(*asked) == row.shown);
    const auto expected = disk.tree();
    expected->expect_all_below("");
    CHECK(all(*expected) == row.shown);
  }
}

TEST_CASE("the rule that hides an entry is named") {
  Disk disk;
  disk.file("a/b/c");
  disk.file("d");
  disk.patterns = {"*", "!a", "!d", "**/c", "a/b", "!x"};
  const auto tree = disk.tree();
  CHECK(tree->hidden_by("a/b/c") == "a/b");
  CHECK(tree->hidden_by("a/b") == "a/b");
  CHECK(tree->hidden_by("a") == "");
  CHECK(tree->hidden_by("d") == "");
  CHECK(tree->hidden_by("missing") == "");
  CHECK(tree->hidden_by("a/b/missing") == "");
  CHECK(tree->hidden_by("") == "");
}

TEST_CASE("nothing is read that nobody asks for, nor below an excluded folder") {
  if (!is_root()) return;
  Disk disk;
  disk.with_pool = false;
  disk.file("open/f");
  disk.folder("closed", 0);
  disk.file("hidden/f");
  disk.folder("hidden", 0);
  disk.patterns = {"hidden"};
  REQUIRE(::chmod(disk.dir.path().c_str(), 0755) == 0);
  const AsNobody nobody;
  const auto tree = disk.tree();
  CHECK(find(*tree, "open/f").size == 1);
  tree->expect_all_below("");
  CHECK(must(tree->children("")).size() == 2);
  CHECK(must(tree->children("open")).size() == 1);
  const auto closed = tree->children("closed");
  REQUIRE(!closed);
  CHECK(closed.error().code() == Errc::permission_denied);
  CHECK(closed.error().text() == "listing the folder \"closed\": opening \"closed\": Permission denied");
  CHECK(closed.error().hint() == "if the build does not need it, list closed in .dockerignore");
  CHECK(tree->find("closed/f").error().hint() == "if the build does not need it, list closed/f in .dockerignore");
}

TEST_CASE("a file that may not be read is named, with the way out") {
  if (!is_root()) return;
  Disk disk;
  disk.with_pool = false;
  disk.file("d/secret", "s", 0600);
  REQUIRE(::chmod(disk.dir.path().c_str(), 0755) == 0);
  const AsNobody nobody;
  const auto tree = disk.tree();
  std::vector<Node> files = files_below(*tree);
  const auto hashed = hash(*tree, files);
  REQUIRE(!hashed);
  CHECK(hashed.error().code() == Errc::permission_denied);
  CHECK(hashed.error().text() == "reading \"d/secret\": opening \"secret\": Permission denied");
  CHECK(hashed.error().hint() == "if the build does not need it, list d/secret in .dockerignore");
}

TEST_CASE("sockets are empty files; fifos and devices are what they are") {
  Disk disk;
  const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", disk.at("socket").c_str());
  REQUIRE(::bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  ::close(server);
  REQUIRE(::chmod(disk.at("socket").c_str(), 0751) == 0);
  REQUIRE(::mkfifo(disk.at("fifo").c_str(), 0640) == 0);
  const bool devices = ::geteuid() == 0 && ::mknod(disk.at("null").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0;
  const auto tree = disk.tree();
  const Node socket = find(*tree, "socket");
  CHECK(socket.type == Type::file);
  CHECK(socket.mode == 0751);
  CHECK(socket.size == 0);
  CHECK(socket.digest == sha256(""));
  CHECK(socket.source_path.empty());
  CHECK(find(*tree, "fifo").type == Type::fifo);
  CHECK(find(*tree, "fifo").mode == 0640);
  if (devices) {
    CHECK(find(*tree, "null").type == Type::char_device);
    CHECK(find(*tree, "null").device == makedev(1, 3));
  }
  std::vector<Node> files = files_below(*tree);
  REQUIRE(files.size() == 1);
  must(hash(*tree, files));
  CHECK(files[0].identity() == socket.identity());
}

TEST_CASE("names are bytes, and links may go in circles") {
  Disk disk;
  const std::string odd = "\xff\xfe\n\"";
  disk.file(odd + "/" + odd, "odd");
  REQUIRE(::symlink("loop", disk.at("loop").c_str()) == 0);
  REQUIRE(::symlink("..", disk.at(odd + "/up").c_str()) == 0);
  const auto tree = disk.tree();
  tree->expect_all_below("");
  CHECK(all(*tree) == Lines{"loop", odd + "/", odd + "/up", odd + "/" + odd});
  std::vector<Node> files = files_below(*tree);
  must(hash(*tree, files));
  CHECK(files.at(0).digest == sha256("odd"));
  CHECK(tree->resolve("loop").error().code() == Errc::invalid_argument);
}

TEST_CASE("hard links to one inode share a group") {
  Disk disk;
  disk.file("a/one");
  disk.file("two");
  disk.file("alone");
  REQUIRE(::link(disk.at("a/one").c_str(), disk.at("b").c_str()) == 0);
  REQUIRE(::link(disk.at("two").c_str(), disk.at("two-again").c_str()) == 0);
  const auto tree = disk.tree();
  const auto group = [&](const char* path) { return find(*tree, path).inode_group; };
  CHECK(group("a/one") != 0);
  CHECK(group("a/one") == group("b"));
  CHECK(group("two") == group("two-again"));
  CHECK(group("two") != group("b"));
  CHECK(group("alone") == 0);
}

TEST_CASE("extended attributes are read, and remembered with the file") {
  Disk disk;
  disk.file("a");
  disk.folder("d");
  const auto root = must(sys::open(disk.dir.path(), O_PATH | O_DIRECTORY));
  if (!sys::set_xattr_at(root, "a", {"user.mica", "value"})) {
    MESSAGE("skipped: the file system has no user attributes");
    return;
  }
  must(sys::set_xattr_at(root, "d", {"user.folder", "f"}));
  const std::string a = snapshot::pack_xattrs({{"user.mica", "value"}}), d = snapshot::pack_xattrs({{"user.folder", "f"}});
  Disk::settle();
  for (int build = 0; build < 2; ++build) {  // from disk, then from memory
    const auto tree = disk.tree();
    CHECK(find(*tree, "a").xattrs == a);
    CHECK(find(*tree, "d").xattrs == d);
    std::vector<Node> files = files_below(*tree);
    CHECK(files.at(0).digest.has_value() == (build == 1));
    must(hash(*tree, files));
    CHECK(files.at(0).xattrs == a);
  }
  must(sys::set_xattr_at(root, "a", {"user.mica", "other"}));
  CHECK(find(*disk.tree(), "a").xattrs == snapshot::pack_xattrs({{"user.mica", "other"}}));
}

TEST_CASE("every file is hashed, with a pool or without") {
  for (const bool with_pool : {true, false}) {
    Disk disk;
    disk.with_pool = with_pool;
    for (int i = 0; i < 300; ++i) disk.file(format("d{}/f{}", i % 7, i), format("content {}", i));
    disk.file("large", std::string(3'000'001, 'l'));
    disk.file("empty", "");
    const auto tree = disk.tree();
    tree->expect_all_below("");
    std::vector<Node> files = files_below(*tree);
    REQUIRE(files.size() == 302);
    must(hash(*tree, files));
    for (const Node& node : files) CHECK(node.digest == sha256(must(sys::read_file(disk.at(node.path)))));
    // Later looks know it.
    CHECK(find(*tree, "large").digest == sha256(std::string(3'000'001, 'l')));
  }
}

TEST_CASE("what was hashed is remembered, and only what changed is read again") {
  Disk disk;
  for (const char* path : {"a", "b", "d/c", "d/e"}) disk.file(path, path);
  Disk::settle();
  std::vector<Node> files = files_below(*disk.tree());
  must(hash(*disk.tree(), files));
  CHECK(disk.rows() == 2);

  disk.file("d/c", "changed");
  must(sys::remove_file(disk.at("b")));
  disk.file("new", "new");
  const auto tree = disk.tree();
  std::map<std::string, bool> known;
  files = files_below(*tree);
  for (const Node& node : files) known[node.path] = node.digest.has_value();
  CHECK(known == std::map<std::string, bool>{{"a", true}, {"d/c", false}, {"d/e", true}, {"new", false}});
  must(hash(*tree, files));
  for (const Node& node : files) CHECK(node.digest == sha256(must(sys::read_file(disk.at(node.path)))));
}

TEST_CASE("an edit that keeps size and mtime is noticed") {
  Disk disk;
  disk.file("a", "one");
  disk.set_mtime("a", kSecond + 1);
  Disk::settle();
  std::vector<Node> files = files_below(*disk.tree());
  must(hash(*disk.tree(), files));
  REQUIRE(find(*disk.tree(), "a").digest == sha256("one"));
  disk.file("a", "two");
  disk.set_mtime("a", kSecond + 1);
  CHECK(!find(*disk.tree(), "a").digest);
}

TEST_CASE("a file that was just written is not believed next time") {
  Disk disk;
  disk.file("old", "old");
  Disk::settle();
  disk.file("young", "young");
  std::vector<Node> files = files_below(*disk.tree());
  must(hash(*disk.tree(), files));
  const auto tree = disk.tree();
  CHECK(find(*tree, "old").digest);
  CHECK(!find(*tree, "young").digest);
}

TEST_CASE("looking at single files keeps what is remembered of their neighbours") {
  Disk disk;
  for (const char* path : {"d/a", "d/b", "d/c"}) disk.file(path, path);
  Disk::settle();
  std::vector<Node> files = files_below(*disk.tree());
  must(hash(*disk.tree(), files));
  disk.file("d/b", "other");
  Disk::settle();
  const auto tree = disk.tree();
  files = {find(*tree, "d/b")};
  REQUIRE(!files[0].digest);
  must(hash(*tree, files));
  for (const Node& node : files_below(*disk.tree())) CHECK(node.digest);
  // Nor does a rule that hides some of them lose it.
  disk.file("d/c", "third");
  Disk::settle();
  disk.patterns = {"d/a"};
  files = files_below(*disk.tree());
  must(hash(*disk.tree(), files));
  disk.patterns.clear();
  for (const Node& node : files_below(*disk.tree())) CHECK(node.digest);
}

TEST_CASE("a build in which nothing changed writes nothing") {
  Disk disk;
  disk.file("d/a");
  Disk::settle();
  std::vector<Node> files = files_below(*disk.tree());
  must(hash(*disk.tree(), files));
  must(disk.database.lock()->execute("PRAGMA query_only = ON"));
  files = files_below(*disk.tree());
  CHECK(files.at(0).digest);
  must(hash(*disk.tree(), files));
}

TEST_CASE("a memory that cannot be written is no failure of the build") {
  Disk disk;
  disk.file("d/a");
  Disk::settle();
  must(disk.database.lock()->execute("PRAGMA query_only = ON"));
  std::vector<Node> files = files_below(*disk.tree());
  must(hash(*disk.tree(), files));
  CHECK(files.at(0).digest);
  CHECK(disk.rows() == 0);
}

TEST_CASE("a file that changed after the walk is taken as it is now") {
  Disk disk;
  disk.file("a", "before");
  const auto tree = disk.tree();
  std::vector<Node> files = files_below(*tree);
  disk.file("a", "and after", 0600);
  must(hash(*tree, files));
  CHECK(files[0].digest == sha256("and after"));
  CHECK(files[0].size == 9);
  CHECK(files[0].mode == 0600);
  CHECK(find(*tree, "a").size == 9);
}

TEST_CASE("a file that vanished or became something else is an error") {
  Disk disk;
  disk.file("a/gone");
  disk.file("fifo");
  disk.file("link");
  const auto tree = disk.tree();
  std::vector<Node> gone = {find(*tree, "a/gone")}, fifo = {find(*tree, "fifo")}, link = {find(*tree, "link")};
  must(sys::remove_tree(disk.at("a")));
  must(sys::remove_file(disk.at("fifo")));
  must(sys::remove_file(disk.at("link")));
  REQUIRE(::mkfifo(disk.at("fifo").c_str(), 0600) == 0);
  REQUIRE(::symlink("/etc/passwd", disk.at("link").c_str()) == 0);
  CHECK(hash(*tree, gone).error().code() == Errc::not_found);
  CHECK(hash(*tree, fifo).error().code() == Errc::conflict);
  CHECK(hash(*tree, link).error().os_number() == ELOOP);
}

TEST_CASE("a file that keeps changing while it is read is an error, not a wrong digest") {
  Disk disk;
  disk.file("a");
  REQUIRE(::truncate(disk.at("a").c_str(), 64 << 20) == 0);  // hashing it takes many ticks of the clock
  const auto tree = disk.tree();
  std::vector<Node> files = files_below(*tree);
  std::atomic<bool> writes = false, stop = false;
  std::thread writer([&] {
    const auto fd = must(sys::open(disk.at("a"), O_WRONLY));
    for (char c = 'b'; !stop; c = c == 'z' ? 'b' : static_cast<char>(c + 1)) writes = ::pwrite(fd.get(), &c, 1, 0) == 1;
  });
  while (!writes) std::this_thread::yield();
  const auto hashed = hash(*tree, files);
  stop = true;
  writer.join();
  REQUIRE(!hashed);
  CHECK(hashed.error().code() == Errc::conflict);
  CHECK(hashed.error().text() == "reading \"a\": it changed while it was read");
}

TEST_CASE("hashing stops when it is told to") {
  Disk disk;
  disk.file("a");
  const auto tree = disk.tree();
  Node node = find(*tree, "a");
  Node* nodes[] = {&node};
  const auto cancel = task::Cancel::create();
  cancel.stop();
  CHECK(tree->hash(nodes, cancel).error().code() == Errc::cancelled);
}

TEST_CASE("paths longer than the kernel takes at once are read") {
  Disk disk;
  const std::string name(200, 'n');
  auto fd = must(sys::open(disk.dir.path(), O_PATH | O_DIRECTORY));
  std::string path;
  for (int i = 0; i < 30; ++i) {
    REQUIRE(::mkdirat(fd.get(), name.c_str(), 0755) == 0);
    fd = must(sys::open_at(fd, name, O_PATH | O_DIRECTORY));
    path += (path.empty() ? "" : "/") + name;
  }
  must(sys::write_all(must(sys::open_at(fd, "f", O_CREAT | O_WRONLY)), "deep"));
  const auto tree = disk.tree();
  tree->expect_all_below("");
  std::vector<Node> files = files_below(*tree);
  REQUIRE(files.size() == 1);
  CHECK(files[0].path == path + "/f");
  must(hash(*tree, files));
  CHECK(files[0].digest == sha256("deep"));
}

TEST_CASE("a tree may be asked from many threads") {
  Disk disk;
  for (int i = 0; i < 400; ++i) disk.file(format("d{}/e{}/f{}", i % 5, i % 20, i), format("{}", i));
  disk.patterns = {"d1", "!d1/e1/f1", "**/f7"};
  const Lines expected = all(*disk.tree());
  for (int round = 0; round < 5; ++round) {
    const auto tree = disk.tree();
    std::vector<std::thread> threads;
    std::atomic<int> right = 0;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&, i] {
        if (i % 2) tree->expect_all_below("");
        std::vector<Node> files;
        std::vector<std::string> waiting = {""};
        while (!waiting.empty()) {
          const std::string folder = std::move(waiting.back());
          waiting.pop_back();
          auto nodes = tree->children(folder);
          if (!nodes) return;
          for (Node& node : *nodes)
            if (node.type == Type::directory)
              waiting.push_back(node.path);
            else
              files.push_back(std::move(node));
        }
        if (!hash(*tree, files)) return;
        right += std::ranges::all_of(
            files, [](const Node& node) { return node.digest == sha256(node.path.substr(node.path.rfind('f') + 1)); });
      });
    for (auto& thread : threads) thread.join();
    CHECK(right == 4);
    CHECK(all(*tree) == expected);
  }
}
