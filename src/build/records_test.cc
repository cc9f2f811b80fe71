#include "build/records.h"

#include <doctest/doctest.h>

#include "build/report.h"

using namespace mica;
using namespace mica::build;

namespace {

/// A database with this module's tables and a stand-in for the layer table that records are joined with.
struct Tables {
  Tables() {
    static const std::string sql = std::string(kSchemaSql) + "CREATE TABLE layer (id TEXT PRIMARY KEY);";
    static const std::string_view migrations[] = {sql};
    database.emplace(db::Database::open(":memory:", {migrations}).value());
    REQUIRE(database->lock()->execute("INSERT INTO layer VALUES ('l1'), ('l2')"));
  }
  std::optional<Guarded<db::Database>> database;
};

Record record(std::string strong, std::string weak, std::string place, std::string layer, std::int64_t created) {
  Record r{.weak = std::move(weak), .strong = std::move(strong), .place = std::move(place), .instruction = "RUN x", .layer = std::move(layer), .tree = "t",
           .bytes = 5, .duration_ns = 7, .created = {created}, .used = {created}};
  r.parts = oci::Digest::of("parts");
  return r;
}

}  // namespace

TEST_CASE("a record is found by its strong key as it was put") {
  Tables tables;
  Records records(*tables.database);
  Record put = record("s1", "w", "p", "l1", 10);
  put.id = records.put(put).value();
  const auto found = records.find("s1").value();
  REQUIRE(found);
  CHECK(found->id == put.id);
  CHECK(found->layer == "l1");
  CHECK(found->parts == put.parts);
  CHECK(found->log.empty());
  CHECK(found->duration_ns == 7);
  CHECK(!records.find("s2").value());
}

TEST_CASE("a record whose layer is gone is no hit") {
  Tables tables;
  Records records(*tables.database);
  REQUIRE(records.put(record("s1", "w", "p", "gone", 10)));
  CHECK(!records.find("s1").value());
}

TEST_CASE("a second record of a strong key replaces the first") {
  Tables tables;
  Records records(*tables.database);
  REQUIRE(records.put(record("s1", "w", "p", "l1", 10)));
  REQUIRE(records.put(record("s1", "w", "p", "l2", 20)));
  CHECK(records.list().value().size() == 1);
  CHECK(records.find("s1").value()->layer == "l2");
}

TEST_CASE("the nearest records are those of the recipe, then those of the place, newest first, each once") {
  Tables tables;
  Records records(*tables.database);
  REQUIRE(records.put(record("s1", "w", "p", "l1", 10)));
  REQUIRE(records.put(record("s2", "w", "q", "l1", 30)));
  REQUIRE(records.put(record("s3", "v", "p", "l1", 20)));
  REQUIRE(records.put(record("s4", "v", "q", "l1", 40)));
  std::vector<std::string> keys;
  const auto nearest = records.nearest("w", "p", 5).value();
  for (const auto& r : nearest) keys.push_back(r.strong);
  CHECK(keys == std::vector<std::string>{"s2", "s1", "s3"});
  CHECK(records.nearest("w", "p", 1).value().size() == 2);
}

TEST_CASE("what was removed says why and when, until it is put again") {
  Tables tables;
  Records records(*tables.database);
  const auto id = records.put(record("s1", "w", "p", "l1", 10)).value();
  REQUIRE(records.remove({id}, "prune"));
  CHECK(!records.find("s1").value());
  const auto eviction = records.eviction("s1").value();
  REQUIRE(eviction);
  CHECK(eviction->reason == "prune");
  CHECK(eviction->when.ns > 0);
  REQUIRE(records.put(record("s1", "w", "p", "l1", 20)));
  CHECK(!records.eviction("s1").value());
}

TEST_CASE("touching sets the time of use") {
  Tables tables;
  Records records(*tables.database);
  const auto id = records.put(record("s1", "w", "p", "l1", 10)).value();
  REQUIRE(records.touch({id}));
  CHECK(records.find("s1").value()->used.ns > 10);
  CHECK(records.touch({}));
}

TEST_CASE("reports are read back, by image and newest first, and old ones go") {
  Tables tables;
  Reports reports(*tables.database);
  BuildReport report{.image = "abc", .dockerfile = "Dockerfile", .context = "folder /x", .target = "t", .error = "e", .source = "FROM x\n", .tags = {"a:1"}, .started = {5}, .duration_ns = 6};
  report.steps.push_back({.number = 3, .title = "[1/2] RUN \"x\"", .text = "RUN \"x\"", .line = 4, .outcome = Outcome::failed, .reasons = {"r1", "r2"},
                          .started_ns = 7, .duration_ns = 8, .record = "s", .layer = "l", .log = oci::Digest::of("log")});
  for (int i = 0; i < 320; ++i) {
    report.image = i == 310 ? "wanted" : "abc";
    REQUIRE(reports.put(report));
  }
  const auto found = reports.of_image("wanted").value();
  REQUIRE(found);
  CHECK(found->tags == report.tags);
  REQUIRE(found->steps.size() == 1);
  CHECK(found->steps[0].outcome == Outcome::failed);
  CHECK(found->steps[0].reasons == report.steps[0].reasons);
  CHECK(found->steps[0].log == report.steps[0].log);
  CHECK(found->steps[0].line == 4);
  CHECK(found->steps[0].started_ns == 7);
  CHECK(found->source == report.source);
  CHECK(!reports.of_image("nope").value());
  const auto newest = reports.newest(1000).value();
  CHECK(newest.size() == 300);
  CHECK(newest[0].id > newest[1].id);
}
