#include "store/workspace.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "sys/fd.h"

using namespace mica;
using store::Workspace;

namespace {

struct Store {
  static Guarded<db::Database> open(const std::string& path) {
    static const std::string sql = "CREATE TABLE layer (id TEXT PRIMARY KEY); INSERT INTO layer VALUES ('one'), ('two');" + std::string(store::kLeaseSchemaSql);
    static const std::string_view kSchema[] = {sql};
    auto database = db::Database::open(path, db::Schema{kSchema});
    REQUIRE(database);
    return Guarded<db::Database>(std::move(*database));
  }
  static sys::TempDir make_folder() {
    auto folder = sys::TempDir::create("/tmp", "workspace_test");
    REQUIRE(folder);
    return std::move(*folder);
  }
  sys::TempDir folder = make_folder();
  std::string root = folder.path();
  Guarded<db::Database> database = open(root + "/mica.db");

  std::int64_t leases() {
    auto connection = database.lock();
    auto row = connection->prepare("SELECT count(*) FROM lease");
    REQUIRE(*row->step());
    return row->integer(0);
  }
};

Workspace make(const std::string& root) {
  auto workspace = Workspace::create(root);
  REQUIRE(workspace);
  return std::move(*workspace);
}

/// A process with a workspace that holds a file and a lease, until it is killed.
struct Other {
  explicit Other(const std::string& root) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid = ::fork();
    if (pid == 0) {
      auto workspace = Workspace::create(root);
      auto database = Store::open(root + "/mica.db");
      bool good = workspace && workspace->lease(database, {"one"}) && sys::make_directories(workspace->path() + "/a/b") &&
                  sys::write_file(workspace->path() + "/a/b/file", std::string(100'000, 'x'));
      const std::string token = good ? workspace->token() : "failed";
      (void)!::write(ends[1], token.data(), token.size());
      ::close(ends[1]);
      while (true) ::pause();
    }
    ::close(ends[1]);
    char buffer[100];
    for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) token.append(buffer, static_cast<std::size_t>(n));
    ::close(ends[0]);
    REQUIRE(token != "failed");
  }
  void kill() {
    if (pid < 0) return;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    pid = -1;
  }
  ~Other() { kill(); }
  std::string token;
  pid_t pid = -1;
};

}  // namespace

TEST_CASE("a workspace is a folder that goes with its object") {
  Store store;
  std::string path;
  {
    Workspace workspace = make(store.root);
    path = workspace.path();
    CHECK(path == store.root + "/ingest/" + workspace.token());
    CHECK(sys::write_file(path + "/file", "x").has_value());
    CHECK(*Workspace::live_tokens(store.root) == std::vector{workspace.token()});
    const Workspace moved = std::move(workspace);
    CHECK(sys::exists(moved.path() + "/file"));
  }
  CHECK_FALSE(sys::exists(path));
  CHECK(Workspace::live_tokens(store.root)->empty());
}

TEST_CASE("a store without ingest folder has no tokens") {
  Store store;
  CHECK(Workspace::live_tokens(store.root)->empty());
  CHECK(*Workspace::sweep_dead(store.root, store.database) == 0);
}

TEST_CASE("leases are for layers that exist, all of them or none") {
  Store store;
  Workspace workspace = make(store.root);
  CHECK(workspace.lease(store.database, {"one", "two", "one"}).has_value());
  CHECK(workspace.lease(store.database, {"two"}).has_value());
  CHECK(store.leases() == 2);
  CHECK(workspace.release(store.database).has_value());
  CHECK(store.leases() == 0);
  CHECK(workspace.release(store.database).has_value());
  const auto refused = workspace.lease(store.database, {"one", "gone"});
  CHECK(refused.error().code() == Errc::not_found);
  CHECK(refused.error().text() == "layer gone is not in the store any more");
  CHECK(store.leases() == 0);
}

TEST_CASE("the living keep their folder and leases, the dead do not") {
  Store store;
  Workspace own = make(store.root);
  REQUIRE(own.lease(store.database, {"two"}));
  Other living(store.root), dying(store.root);
  CHECK(store.leases() == 3);
  CHECK(Workspace::live_tokens(store.root)->size() == 3);
  CHECK(*Workspace::sweep_dead(store.root, store.database) == 0);
  CHECK(store.leases() == 3);

  dying.kill();
  const auto live = Workspace::live_tokens(store.root);
  CHECK(live->size() == 2);
  CHECK(std::ranges::find(*live, dying.token) == live->end());
  CHECK(std::ranges::find(*live, living.token) != live->end());
  CHECK(sys::exists(store.root + "/ingest/" + dying.token + "/a/b/file"));
  CHECK(*Workspace::sweep_dead(store.root, store.database) >= 100'000);
  CHECK_FALSE(sys::exists(store.root + "/ingest/" + dying.token));
  CHECK(sys::exists(store.root + "/ingest/" + living.token + "/a/b/file"));
  CHECK(store.leases() == 2);
}

TEST_CASE("leases are swept also when the folder is gone, and folders without lock file") {
  Store store;
  REQUIRE(store.database.lock()->execute("INSERT INTO lease VALUES ('feed', 'one')"));
  REQUIRE(sys::make_directories(store.root + "/ingest/beef/x"));
  REQUIRE(sys::write_file(store.root + "/ingest/stray", "no folder"));
  CHECK(Workspace::live_tokens(store.root)->empty());
  CHECK(Workspace::sweep_dead(store.root, store.database).has_value());
  CHECK(store.leases() == 0);
  CHECK_FALSE(sys::exists(store.root + "/ingest/beef"));
}

TEST_CASE("no process loses its new workspace to a sweeper") {
  Store store;
  const pid_t sweeper = ::fork();
  if (sweeper == 0) {
    auto database = Store::open(store.root + "/mica.db");
    while (true) (void)Workspace::sweep_dead(store.root, database);
  }
  int lost = 0;
  for (int i = 0; i < 300; ++i) {
    Workspace workspace = make(store.root);
    if (!sys::write_file(workspace.path() + "/file", "x") || !sys::exists(workspace.path() + "/lock")) ++lost;
    if (!workspace.lease(store.database, {"one"})) ++lost;
    if (i % 50 == 0) ::usleep(2000);
    if (!sys::exists(workspace.path() + "/file")) ++lost;
    if (store.leases() != 1) ++lost;
    if (!workspace.release(store.database)) ++lost;
  }
  ::kill(sweeper, SIGKILL);
  ::waitpid(sweeper, nullptr, 0);
  CHECK(lost == 0);
}
