#include "db/db.h"

#include <doctest/doctest.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/format.h"
#include "support/in_child.h"

using namespace mica;
using support::in_child;
using db::Database;
using db::Schema;

namespace {

constexpr std::string_view kOne[] = {"CREATE TABLE box (id INTEGER PRIMARY KEY, name TEXT UNIQUE, bytes BLOB)"};
constexpr std::string_view kThree[] = {kOne[0], "ALTER TABLE box ADD COLUMN size INTEGER; UPDATE box SET size = length(name)",
                                       "CREATE TABLE lid (box INTEGER NOT NULL REFERENCES box(id))"};
constexpr std::string_view kBroken[] = {kOne[0], "CREATE TABLE extra (x); INSERT INTO nowhere VALUES (1)"};
const Schema kFirst{kOne}, kThird{kThree};

/// A folder that vanishes with its files.
class Folder {
 public:
  Folder() { path_ = ::mkdtemp(path_.data()); }
  ~Folder() { (void)::system(format("rm -rf '{}'", path_).c_str()); }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/db_test-XXXXXX";
};

Result<std::int64_t> number(Database& database, std::string_view sql) {
  auto row = TRY(database.prepare(sql));
  if (!TRY(row.step())) return fail(Errc::not_found, "no row");
  return row.integer(0);
}

void write(const std::string& path, std::string_view bytes) { std::ofstream(path, std::ios::binary) << bytes; }

/// <sys/mount.h> would be the header of our own module.
bool mount(const char* source, const char* target, unsigned long flags) { return ::syscall(SYS_mount, source, target, nullptr, flags, nullptr) == 0; }

std::string code_of(const Result<Database>& result) { return result ? "open" : std::string(name(result.error().code())); }

}  // namespace

TEST_CASE("values come back as they went in") {
  auto database = Database::open(":memory:", kFirst);
  REQUIRE(database);
  auto insert = database->prepare("INSERT INTO box (id, name, bytes) VALUES (?, ?, ?)");
  REQUIRE(insert);
  CHECK(insert->bind(7).bind("seven").bind_blob(std::string_view("\0\xff\x80", 3)).run().has_value());
  CHECK(database->last_row_id() == 7);
  CHECK(insert->reset().bind(std::int64_t{1} << 60).bind("").bind_blob({}).run().has_value());
  CHECK(insert->reset().bind(9).bind(std::optional<std::string>()).bind_null().run().has_value());
  CHECK(database->changes() == 1);

  auto rows = database->prepare("SELECT id, name, bytes FROM box ORDER BY id");
  REQUIRE(rows);
  REQUIRE(*rows->step());
  CHECK(rows->integer(0) == 7);
  CHECK(rows->text(1) == "seven");
  CHECK(rows->text(2) == std::string("\0\xff\x80", 3));
  REQUIRE(*rows->step());
  CHECK(rows->is_null(1));
  CHECK(rows->text(1) == "");
  REQUIRE(*rows->step());
  CHECK(rows->integer(0) == std::int64_t{1} << 60);
  CHECK_FALSE(rows->is_null(1));
  CHECK_FALSE(rows->is_null(2));
  CHECK_FALSE(*rows->step());
  CHECK_FALSE(*rows->step());
  CHECK(*rows->reset().step());
}

TEST_CASE("mistakes of SQL and of constraints are errors with codes") {
  auto database = Database::open(":memory:", kThird);
  REQUIRE(database);
  CHECK(database->execute("INSERT INTO box (name) VALUES ('a')").has_value());
  CHECK(database->execute("INSERT INTO box (name) VALUES ('a')").error().code() == Errc::conflict);
  CHECK(database->execute("INSERT INTO lid VALUES (99)").error().code() == Errc::conflict);
  CHECK(database->prepare("SELECT nothing FROM nowhere").error().code() == Errc::internal);
  auto two = database->prepare("SELECT ?");
  REQUIRE(two);
  CHECK_FALSE(two->bind(1).bind(2).step().has_value());
  CHECK(*two->reset().bind(5).step());
}

TEST_CASE("a statement prepared again is new, also while its twin is in use") {
  auto database = Database::open(":memory:", kFirst);
  REQUIRE(database);
  constexpr std::string_view kSql = "SELECT ?";
  for (int round = 0; round < 3; ++round) {
    auto first = database->prepare(kSql);
    auto second = database->prepare(kSql);
    REQUIRE(first);
    REQUIRE(second);
    CHECK(*first->step());
    CHECK(first->is_null(0));
    CHECK(*second->bind(round).step());
    CHECK(second->integer(0) == round);
    db::Statement moved = std::move(*first);
    moved = std::move(*second);
    CHECK(moved.integer(0) == round);
  }
}

TEST_CASE("statements may outlive the database object") {
  auto statement = [] {
    auto database = Database::open(":memory:", kFirst);
    return database->prepare("SELECT 42");
  }();
  REQUIRE(statement);
  CHECK(*statement->step());
  CHECK(statement->integer(0) == 42);
}

TEST_CASE("a transaction that is not committed leaves nothing") {
  auto database = Database::open(":memory:", kFirst);
  REQUIRE(database);
  {
    auto transaction = database->begin();
    REQUIRE(transaction);
    CHECK(database->execute("INSERT INTO box (name) VALUES ('a')").has_value());
  }
  CHECK(*number(*database, "SELECT count(*) FROM box") == 0);
  auto transaction = database->begin();
  REQUIRE(transaction);
  CHECK(database->execute("INSERT INTO box (name) VALUES ('a')").has_value());
  CHECK(std::move(*transaction).commit().has_value());
  CHECK(*number(*database, "SELECT count(*) FROM box") == 1);
}

TEST_CASE("an older schema is brought up to date and keeps its rows") {
  Folder folder;
  const std::string path = folder / "x.db";
  {
    auto old = Database::open(path, kFirst);
    REQUIRE(old);
    REQUIRE(old->execute("INSERT INTO box (name) VALUES ('four')"));
  }
  auto database = Database::open(path, kThird);
  REQUIRE(database);
  CHECK(*number(*database, "SELECT size FROM box") == 4);
  CHECK(*number(*database, "PRAGMA user_version") == 3);
  CHECK(*number(*database, "SELECT count(*) FROM lid") == 0);
}

TEST_CASE("a migration that fails changes nothing") {
  Folder folder;
  const std::string path = folder / "x.db";
  REQUIRE(Database::open(path, kFirst));
  auto failed = Database::open(path, Schema{kBroken});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().text().find("from version 1 to 2") != std::string::npos);
  auto database = Database::open(path, kFirst);
  REQUIRE(database);
  CHECK(*number(*database, "SELECT count(*) FROM sqlite_master WHERE name = 'extra'") == 0);
}

TEST_CASE("a newer schema is refused with both versions") {
  Folder folder;
  const std::string path = folder / "x.db";
  REQUIRE(Database::open(path, kThird));
  for (const auto& refused : {Database::open(path, kFirst), Database::open_read_only(path, kFirst)}) {
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::unsupported);
    CHECK(refused.error().text().find("version 3") != std::string::npos);
    CHECK(refused.error().text().find("version 1") != std::string::npos);
  }
  CHECK(Database::open(path, kThird).has_value());
}

TEST_CASE("what is no database of ours is refused") {
  Folder folder;
  write(folder / "text", std::string(8192, 'x'));
  write(folder / "short", "hello");
  write(folder / "empty", "");
  {
    auto damaged = Database::open(folder / "damaged", kFirst);
    REQUIRE(damaged);
  }
  {
    std::fstream file(folder / "damaged", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file << std::string(3000, '\xee');
  }
  ::mkdir((folder / "folder").c_str(), 0700);
  REQUIRE(::system(format("python3 -c \"import sqlite3; c = sqlite3.connect('{}'); c.execute('CREATE TABLE t (x)'); c.commit()\"", folder / "other").c_str()) == 0);
  struct Row {
    std::string_view file, code;
  };
  for (const Row& row : {Row{"text", "corrupt"}, Row{"short", "corrupt"}, Row{"damaged", "corrupt"}, Row{"other", "corrupt"}, Row{"empty", "open"},
                         Row{"missing/x.db", "not_found"}}) {
    CAPTURE(row.file);
    const auto opened = Database::open(folder / row.file, kFirst);
    CHECK(code_of(opened) == row.code);
    if (!opened && row.code == "corrupt") CHECK_FALSE(opened.error().hint().empty());
  }
  CHECK_FALSE(Database::open(folder / "folder", kFirst).has_value());
}

TEST_CASE("an integrity check tells what is wrong") {
  Folder folder;
  const std::string path = folder / "x.db";
  {
    auto database = Database::open(path, kThird);
    REQUIRE(database);
    REQUIRE(database->execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
                              "INSERT INTO box (name, bytes) SELECT 'name ' || i, randomblob(50) FROM n"));
    CHECK(database->integrity_check()->empty());
    REQUIRE(database->execute("PRAGMA foreign_keys=OFF; INSERT INTO lid VALUES (12345)"));
    const auto messages = database->integrity_check();
    REQUIRE(messages);
    REQUIRE(messages->size() == 1);
    CHECK(messages->at(0) == "a row of table lid refers to a row of box that is missing");
  }
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 * 12);
    file << std::string(4096 * 3, '\x5a');
  }
  auto database = Database::open(path, kThird);
  REQUIRE(database);
  const auto messages = database->integrity_check();
  REQUIRE(messages);
  CHECK_FALSE(messages->empty());
}

TEST_CASE("processes that create a database together all get it") {
  for (int round = 0; round < 10; ++round) {
    Folder folder;
    const std::string path = folder / "x.db";
    int go[2];
    REQUIRE(::pipe(go) == 0);
    std::vector<pid_t> children;
    for (int i = 0; i < 6; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::close(go[1]);
        char byte;
        (void)!::read(go[0], &byte, 1);
        auto database = Database::open(path, kThird);
        bool good = database && database->execute(format("INSERT INTO box (name) VALUES ('{}')", i));
        if (!good) std::fprintf(stderr, "%s\n", database ? "insert failed" : database.error().text().c_str());
        ::_exit(good ? 0 : 1);
      }
      children.push_back(child);
    }
    ::close(go[0]);
    ::close(go[1]);
    for (const pid_t child : children) {
      int status = -1;
      ::waitpid(child, &status, 0);
      CHECK(status == 0);
    }
    auto database = Database::open(path, kThird);
    REQUIRE(database);
    CHECK(*number(*database, "SELECT count(*) FROM box") == 6);
  }
}

TEST_CASE("a killed process loses nothing that it committed") {
  Folder folder;
  const std::string path = folder / "x.db";
  const auto died = in_child([&]() -> std::string {
    auto database = Database::open(path, kFirst);
    if (!database || !database->execute("INSERT INTO box (name) VALUES ('kept')")) return "failed";
    auto transaction = database->begin();
    if (!transaction || !database->execute("INSERT INTO box (name) VALUES ('lost')")) return "failed";
    ::kill(::getpid(), SIGKILL);
    return "alive";
  });
  REQUIRE(died == "died");
  REQUIRE(::access((path + "-wal").c_str(), F_OK) == 0);
  SUBCASE("as a writer finds it") {
    auto database = Database::open(path, kFirst);
    REQUIRE(database);
    CHECK(*number(*database, "SELECT count(*) FROM box WHERE name = 'kept'") == 1);
    CHECK(*number(*database, "SELECT count(*) FROM box") == 1);
  }
  SUBCASE("as a reader finds it") {
    auto database = Database::open_read_only(path, kFirst);
    REQUIRE(database);
    CHECK(*number(*database, "SELECT count(*) FROM box") == 1);
  }
}

TEST_CASE("a database opened for reading cannot be changed") {
  Folder folder;
  const std::string path = folder / "with ?, # and %.db";
  CHECK(code_of(Database::open_read_only(path, kFirst)) == "not_found");
  {
    auto database = Database::open(path, kFirst);
    REQUIRE(database);
    REQUIRE(database->execute("INSERT INTO box (name) VALUES ('a')"));
  }
  auto database = Database::open_read_only(path, kFirst);
  REQUIRE(database);
  CHECK(database->read_only());
  CHECK(*number(*database, "SELECT count(*) FROM box") == 1);
  CHECK(database->execute("DELETE FROM box").error().code() == Errc::permission_denied);
  CHECK(::access((path + "-shm").c_str(), F_OK) != 0);
  CHECK(code_of(Database::open_read_only(path, kThird)) == "unsupported");
}

TEST_CASE("on a read-only file system a database opens for reading only") {
  Folder folder;
  const std::string path = folder / "x.db";
  bool log_left = false;
  SUBCASE("after an orderly end") { REQUIRE(Database::open(path, kFirst)->execute("INSERT INTO box (name) VALUES ('a')")); }
  SUBCASE("after a kill") {
    log_left = true;
    in_child([&]() -> std::string {
      auto database = Database::open(path, kFirst);
      (void)database->execute("INSERT INTO box (name) VALUES ('a')");
      ::kill(::getpid(), SIGKILL);
      return "";
    });
  }
  CHECK((::access((path + "-wal").c_str(), F_OK) == 0) == log_left);
  const auto outcome = in_child([&]() -> std::string {
    const char* dir = folder.path().c_str();
    if (::unshare(CLONE_NEWNS) != 0 || !mount("", "/", MS_REC | MS_PRIVATE) || !mount(dir, dir, MS_BIND) ||
        !mount("", dir, MS_REMOUNT | MS_BIND | MS_RDONLY))
      return "no right to mount";
    auto refused = Database::open(path, kFirst);
    std::string text = code_of(refused) + ", " + code_of(Database::open(folder / "new.db", kFirst));
    auto database = Database::open_read_only(path, kFirst);
    if (!database) return text + ", " + database.error().text();
    const auto count = number(*database, "SELECT count(*) FROM box");
    return text + (count ? format(", {} rows", *count) : ", " + count.error().text());
  });
  if (outcome == "no right to mount") {
    MESSAGE("skipped: needs the right to mount");
    return;
  }
  CHECK(outcome == "permission_denied, permission_denied, 1 rows");
}
