#include "build/file_hashes.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/time.h"
#include "build/records.h"
#include "support/layer_fixture.h"

using namespace mica;
using namespace mica::build;
using namespace mica::testing;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000, kDay = 86'400 * kSecond;

struct Memory {
  Guarded<db::Database> database;
  FileHashes hashes{database};

  Memory() : database(open(":memory:")) {}
  static db::Database open(const std::string& path) {
    static const std::string sql(kSchemaSql);
    static const std::string_view migrations[] = {sql};
    return must(db::Database::open(path, {migrations}));
  }
  std::int64_t number(const std::string& query) {
    auto locked = database.lock();
    auto row = must(locked->prepare(query));
    REQUIRE(must(row.step()));
    return row.integer(0);
  }
  std::string bytes() {
    auto locked = database.lock();
    auto row = must(locked->prepare("SELECT files FROM file_hash"));
    REQUIRE(must(row.step()));
    return row.text(0);
  }
  void set_bytes(const std::string& bytes) {
    auto locked = database.lock();
    auto row = must(locked->prepare("UPDATE file_hash SET files = ?"));
    must(row.bind_blob(bytes).run());
  }
};

RememberedFile file(std::string name, std::uint64_t inode) {
  return {.name = std::move(name), .stamp = {inode, inode * 3, -5, kSecond + 1}, .digest = sha256("content"), .xattrs = {}};
}

}  // namespace

TEST_CASE("files come back as they were saved") {
  Memory memory;
  std::vector<RememberedFile> files = {file("", 1), file("a", UINT64_MAX), file(std::string("b\xff\n", 3), 3),
                                       file(std::string(255, 'c'), 4)};
  files[1].xattrs = snapshot::pack_xattrs({{"user.a", std::string(70'000, 'v')}});
  const FolderId folder{UINT64_MAX, 7};
  must(memory.hashes.save({{folder, files}, {{1, 2}, {}}}));
  CHECK(must(memory.hashes.load(folder)) == files);
  CHECK(must(memory.hashes.load({1, 2})).empty());
  CHECK(must(memory.hashes.load({1, 3})).empty());
  must(memory.hashes.save({{folder, {files[2]}}}));
  CHECK(must(memory.hashes.load(folder)) == std::vector{files[2]});
}

TEST_CASE("a row that is damaged anywhere is as good as none") {
  Memory memory;
  must(memory.hashes.save({{{1, 2}, {file("a", 1), file("b", 2)}}}));
  const std::string good = memory.bytes();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    memory.set_bytes(bad);
    CHECK(must(memory.hashes.load({1, 2})).empty());
    memory.set_bytes(good.substr(0, i));
    CHECK(must(memory.hashes.load({1, 2})).empty());
  }
  memory.set_bytes(good + "x");
  CHECK(must(memory.hashes.load({1, 2})).empty());
  memory.set_bytes(good);
  CHECK(must(memory.hashes.load({1, 2})).size() == 2);
}

TEST_CASE("names that are out of order, and counts and lengths that do not fit, are damage under a right check too") {
  Memory memory;
  must(memory.hashes.save({{{1, 2}, {file("b", 1), file("a", 2)}}}));
  CHECK(must(memory.hashes.load({1, 2})).empty());
  must(memory.hashes.save({{{1, 2}, {file("a", 1)}}}));
  for (const std::size_t at : {std::size_t{4}, std::size_t{40 + 64}, std::size_t{40 + 66}}) {  // count, name_bytes, xattr_bytes
    std::string bytes = memory.bytes();
    bytes[at] = static_cast<char>(bytes[at] + 1);
    const auto check = sha256(std::string_view(bytes).substr(40));
    std::copy(check.begin(), check.end(), bytes.begin() + 8);
    memory.set_bytes(bytes);
    CHECK(must(memory.hashes.load({1, 2})).empty());
    bytes[at] = static_cast<char>(bytes[at] - 1);
    const auto right = sha256(std::string_view(bytes).substr(40));
    std::copy(right.begin(), right.end(), bytes.begin() + 8);
    memory.set_bytes(bytes);
  }
  CHECK(must(memory.hashes.load({1, 2})).size() == 1);
}

TEST_CASE("rows are marked as used once a day, and only when they were loaded") {
  Memory memory;
  must(memory.hashes.save({{{1, 1}, {file("a", 1)}}, {{1, 2}, {}}, {{1, 3}, {}}}));
  const std::int64_t hours = now().ns - kDay + 3600 * kSecond, days = now().ns - 3 * kDay;
  must(memory.database.lock()->execute(
      format("UPDATE file_hash SET used_ns = CASE folder WHEN 1 THEN {} ELSE {} END", hours, days)));
  must(memory.hashes.load({1, 1}));
  must(memory.hashes.load({1, 2}));
  must(memory.hashes.refresh());
  CHECK(memory.number("SELECT used_ns FROM file_hash WHERE folder = 1") == hours);
  CHECK(memory.number("SELECT used_ns FROM file_hash WHERE folder = 2") > now().ns - kDay);
  CHECK(memory.number("SELECT used_ns FROM file_hash WHERE folder = 3") == days);
}

TEST_CASE("folders that no build uses are forgotten") {
  Memory memory;
  must(memory.hashes.save({{{1, 1}, {file("a", 1)}}, {{1, 2}, {}}}));
  must(memory.database.lock()->execute(format("UPDATE file_hash SET used_ns = {} WHERE folder = 2", now().ns - 31 * kDay)));
  CHECK(must(memory.hashes.forget(30)) == 1);
  CHECK(must(memory.hashes.load({1, 1})).size() == 1);
  CHECK(memory.number("SELECT count(*) FROM file_hash") == 1);
}

TEST_CASE("a store that may only be read is read") {
  const auto folder = must(sys::TempDir::create("/tmp", "mica-hashes"));
  const std::string path = folder.path() + "/db";
  {
    Guarded<db::Database> database(Memory::open(path));
    must(FileHashes(database).save({{{1, 2}, {file("a", 1)}}}));
    must(database.lock()->execute("UPDATE file_hash SET used_ns = 0"));
  }
  static const std::string sql(kSchemaSql);
  static const std::string_view migrations[] = {sql};
  Guarded<db::Database> database(must(db::Database::open_read_only(path, {migrations})));
  FileHashes hashes(database);
  CHECK(must(hashes.load({1, 2})).size() == 1);
  must(hashes.refresh());
  must(hashes.save({{{1, 2}, {}}}));
  CHECK(must(hashes.load({1, 2})).size() == 1);
}

TEST_CASE("a file that may change within the clock's tick is not settled") {
  const std::int64_t opened = 1'700'000'000 * kSecond + 123'456'789;
  struct Row {
    std::int64_t mtime, ctime;
    bool settled;
  };
  for (const Row& row : {Row{opened - kSecond, opened - kSecond, true}, Row{opened - 21'000'000, opened - 21'000'000, true},
                         Row{opened - kSecond, opened - 10'000'000, false}, Row{opened - 10'000'000, opened - kSecond, false},
                         Row{opened, opened, false}, Row{opened - kSecond, opened + kSecond, false},
                         Row{INT64_MAX, opened - kSecond, false}, Row{INT64_MIN, opened - kSecond, true},
                         // A ctime of whole seconds: the file system may know no better.
                         Row{0, opened - 1'123'456'789, false}, Row{0, opened - 2'123'456'789, true},
                         Row{opened - kSecond, opened - 2'123'456'789, false}}) {
    CAPTURE(row.mtime - opened);
    CAPTURE(row.ctime - opened);
    CHECK(is_settled({1, 1, row.mtime, row.ctime}, opened) == row.settled);
  }
}
