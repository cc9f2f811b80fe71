// Cuts the way of an image into the store short at every point, and looks at what is left.
#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/format.h"
#include "store/blob_store.h"
#include "store/image_table.h"
#include "store/workspace.h"
#include "sys/fd.h"

using namespace mica;

namespace {

constexpr const char* kRoot = "MICA_STORE_FAULT_ROOT";
constexpr std::string_view kConfig = "the config";
constexpr int kMorePointsThanThereAre = 200;

Result<db::Database> open_database(const std::string& root) {
  static const std::string sql = "CREATE TABLE layer (id TEXT PRIMARY KEY); INSERT INTO layer VALUES ('one');" + std::string(store::kLeaseSchemaSql) +
                                 std::string(store::kSchemaSql) + std::string(store::kPlatformsSchemaSql);
  static const std::string_view migrations[] = {sql};
  return db::Database::open(root + "/mica.db", db::Schema{migrations});
}

Result<> add_image(const std::string& root) {
  auto opened = TRY(open_database(root));
  Guarded<db::Database> database(std::move(opened));
  auto workspace = TRY(store::Workspace::create(root));
  TRY(workspace.lease(database, {"one"}));
  store::BlobStore blobs(root, workspace.path());
  auto ingest = TRY(blobs.begin());
  TRY(ingest->write(std::span(reinterpret_cast<const unsigned char*>("layer"), 5)));
  TRY(ingest->commit());
  const auto config = TRY(blobs.put(kConfig));
  store::ImageTable images(database);
  const auto name = TRY(oci::Reference::parse("app"));
  TRY(images.put({.id = {config}, .layers = {"one"}}, {name}));
  return workspace.release(database);
}

/// This program again, running only the test below, with a fault to come. Returns its wait status.
int run_with(const std::string& root, const std::string& fault) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv(kRoot, root.c_str(), 1);
    ::setenv("MICA_FAULT", fault.c_str(), 1);
    ::execl("/proc/self/exe", "store_test", "--test-case=adds an image*", "--no-skip", "--minimal", "--out=/dev/null", nullptr);
    ::_exit(99);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

/// Whether the image is there; in any case all that is there must be whole.
bool check_store(const std::string& root) {
  auto opened = open_database(root);
  REQUIRE(opened);
  Guarded<db::Database> database(std::move(*opened));
  CHECK(database.lock()->integrity_check()->empty());
  CHECK(store::Workspace::sweep_dead(root, database).has_value());
  CHECK(store::Workspace::live_tokens(root)->empty());
  if (const auto ingest = sys::open(root + "/ingest", 0)) CHECK(sys::list_names(*ingest)->empty());
  {
    auto connection = database.lock();
    auto leases = connection->prepare("SELECT count(*) FROM lease");
    REQUIRE(*leases->step());
    CHECK(leases->integer(0) == 0);
  }
  const store::BlobStore blobs(root, "");
  const auto digests = blobs.list();
  REQUIRE(digests);
  for (const auto& digest : *digests) CHECK(blobs.read(digest).has_value());
  store::ImageTable images(database);
  const auto image = images.resolve("app");
  if (!image) {
    CHECK(image.error().code() == Errc::not_found);
    CHECK(images.list()->empty());
    return false;
  }
  const auto config = blobs.read(image->id.digest);
  REQUIRE(config);
  CHECK(*config == kConfig);
  return true;
}

}  // namespace

TEST_CASE("adds an image to the folder in the environment" * doctest::skip()) {
  const char* root = ::getenv(kRoot);
  REQUIRE(root);
  REQUIRE(add_image(root));
}

TEST_CASE("wherever a process is killed or the disk is full, the store is whole and the next try works") {
  for (const char* fault : {"kill", "enospc"}) {
    CAPTURE(fault);
    int point = 1, without = 0, with = 0;
    for (; point < kMorePointsThanThereAre; ++point) {
      CAPTURE(point);
      auto folder = sys::TempDir::create("/tmp", "store_fault");
      REQUIRE(folder);
      const int status = run_with(folder->path(), format("{}:{}", fault, point));
      if (status == 0) break;
      CHECK((WIFSIGNALED(status) || WEXITSTATUS(status) == 1));
      ++(check_store(folder->path()) ? with : without);
      CHECK(run_with(folder->path(), "") == 0);
      CHECK(check_store(folder->path()));
    }
    CHECK(point < kMorePointsThanThereAre);
    CHECK(without > 0);
    // After the commit nothing fails any more, but the process can still be killed.
    CHECK((with > 0) == (std::string_view(fault) == "kill"));
  }
}
