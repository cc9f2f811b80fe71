// The store after its process died at each of its steps.
#include <doctest/doctest.h>
#include <fcntl.h>

#include <algorithm>
#include <cstdlib>

#include "base/format.h"
#include "snapshot/layer_store.h"
#include "support/layers.h"
#include "sys/process.h"

using namespace mica;
using namespace mica::snapshot;

namespace {

constexpr const char* kRoot = "MICA_TEST_CRASH_ROOT";
constexpr const char* kTestName = "a store is whole wherever its process was killed or the disk was full";

struct Store {
  explicit Store(const std::string& root) : root(root), database(open(root)), layers(root, root + "/ingest", database) {}
  static db::Database open(const std::string& root) {
    const std::string sql = std::string(kSchemaSql) + "CREATE TABLE lease (token TEXT, layer TEXT);";
    const std::string_view migrations[] = {sql};
    auto database = db::Database::open(root + "/mica.db", {migrations});
    REQUIRE(database.has_value());
    return std::move(*database);
  }
  std::string root;
  Guarded<db::Database> database;
  LayerStore layers;
};

Result<LayerInfo> add(Store& store, const std::string& content) {
  auto staged = TRY(store.layers.stage());
  TRY(sys::write_file(staged.fs() + "/f", content));
  return store.layers.commit(std::move(staged), Listing::build({testing::file("f", content)}), TreeView());
}

/// What is killed: two layers are made, one of them is swept.
Result<> work(Store& store) {
  const auto kept = TRY(add(store, "kept"));
  TRY(store.layers.make_durable());
  TRY(add(store, "not kept"));
  TRY(store.layers.sweep({kept.id}));
  return {};
}

void check_whole(const std::string& root) {
  Store store(root);
  const auto rows = store.layers.list();
  REQUIRE(rows.has_value());
  std::vector<LayerId> ids;
  for (const auto& layer : *rows) {
    ids.push_back(layer.id);
    const auto view = store.layers.view({layer.id});
    REQUIRE(view.has_value());
    CHECK(view->layers()[0].listing.verify().has_value());
    const auto content = view->read_file("f", 100);
    REQUIRE(content.has_value());
    CHECK(sha256(*content) == view->find("f")->entry.digest);
  }
  std::sort(ids.begin(), ids.end());
  REQUIRE(store.layers.sweep(ids));
  const auto folder = sys::open(root + "/layers", O_RDONLY | O_DIRECTORY);
  if (folder || !ids.empty()) CHECK(sys::list_names(*folder).value() == ids);
}

/// True when the process came to its end untouched.
bool run_with_fault(const std::string& root, const std::string& fault) {
  sys::Spawn spawn{.argv = {"/proc/self/exe", std::string("--test-case=") + kTestName}};
  spawn.env = {format("MICA_FAULT={}", fault), format("{}={}", kRoot, root)};
  const auto null = sys::open("/dev/null", O_WRONLY);
  spawn.stdout_fd = null->get();
  auto process = sys::Process::start(spawn);
  REQUIRE(process.has_value());
  const auto exit = process->wait();
  REQUIRE(exit.has_value());
  return exit->status == 0;
}

}  // namespace

TEST_CASE(kTestName) {
  if (const char* const root = std::getenv(kRoot)) {
    Store store(root);
    REQUIRE(work(store));
    return;
  }
  const auto dir = *sys::TempDir::create("/tmp", "mica-crash");
  for (const auto* kind : {"kill", "enospc"}) {
    int faults = 0;
    for (bool whole = false; !whole; ++faults) {
      REQUIRE(faults < 100);
      const std::string root = format("{}/{}{}", dir.path(), kind, faults);
      REQUIRE(sys::make_directories(root + "/ingest"));
      CAPTURE(root);
      { Store created(root); }
      whole = run_with_fault(root, format("{}:{}", kind, faults + 1));
      check_whole(root);
    }
    CHECK(faults > 6);
  }
}
