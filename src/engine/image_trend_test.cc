#include "engine/image_trend.h"

#include <doctest/doctest.h>

#include "base/format.h"
#include "sys/fd.h"

using namespace mica;
using engine::Engine;
using engine::TrendTable;

namespace {

struct Store {
  Store() : folder(std::move(*sys::TempDir::create("/tmp", "trend_test"))), engine(std::move(*Engine::open({.root = folder.path()}))) {}
  store::ImageRow image(int number, std::int64_t bytes) {
    store::ImageRow row{.id = {oci::Digest::of(format("config {}", number))}, .layers = {"1", "2"}, .bytes = bytes};
    REQUIRE(engine->images().put(row, {}));
    return row;
  }
  void name(int number, std::int64_t bytes, const std::string& reference = "app") {
    engine::remember_names(*engine, image(number, bytes), {*oci::Reference::parse(reference)});
  }
  std::vector<engine::TrendRow> rows(const std::string& reference = "app", bool all_tags = false) {
    return TrendTable(engine->database()).list(*oci::Reference::parse(reference, !all_tags), 0).value();
  }
  sys::TempDir folder;
  std::unique_ptr<Engine> engine;
};

engine::TrendRow sized(std::int64_t bytes) { return {.bytes = bytes}; }

}  // namespace

TEST_CASE("a name has a row for each change of its image") {
  Store store;
  for (const int number : {1, 1, 2, 2, 1}) store.name(number, number * 100);
  const auto rows = store.rows();
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].bytes == 100);
  CHECK(rows[1].bytes == 200);
  CHECK(rows[1].layers == 2);
  CHECK(rows[2].bytes == 100);
  CHECK(rows[0].image == rows[2].image);
  CHECK_FALSE(rows[0].build);
  CHECK_FALSE(rows[0].waste);
}

TEST_CASE("digests and images without a name leave no row") {
  Store store;
  const auto image = store.image(1, 5);
  auto reference = *oci::Reference::parse("app");
  reference.digest = image.id.digest;
  engine::remember_names(*store.engine, image, {reference});
  reference.tag.clear();
  engine::remember_names(*store.engine, image, {reference});
  CHECK(store.rows().empty());
}

TEST_CASE("the rows of a name are bounded, those of others stay") {
  Store store;
  store.name(0, 7, "other");
  for (int number = 1; number <= engine::kMostTrendRows + 5; ++number) store.name(number, number);
  const auto rows = store.rows();
  REQUIRE(rows.size() == engine::kMostTrendRows);
  CHECK(rows.front().bytes == engine::kMostTrendRows + 5);
  CHECK(rows.back().bytes == 6);
  CHECK(store.rows("other").size() == 1);
}

TEST_CASE("tags of a repository are told together") {
  Store store;
  store.name(1, 10, "app:1");
  store.name(2, 20, "app:2");
  store.name(3, 30, "application:2");
  const auto rows = store.rows("app", true);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].tag == "2");
  CHECK(rows[1].tag == "1");
}

TEST_CASE("what a build did is kept with the row that it made, once") {
  Store store;
  store.name(1, 10);
  build::BuildReport report{.dockerfile = "Dockerfile", .source = "FROM a\nMAINTAINER me\n", .tags = {"docker.io/library/app:latest"}, .duration_ns = 5};
  report.steps = {{.outcome = build::Outcome::done}, {.outcome = build::Outcome::done, .record = "x"}, {.outcome = build::Outcome::cached, .record = "y"}};
  const auto id = store.rows()[0].image;
  engine::remember_build(*store.engine, report, id, {});
  report.duration_ns = 99;
  engine::remember_build(*store.engine, report, id, {});
  const auto row = store.rows()[0];
  REQUIRE(row.build);
  CHECK(row.build->duration_ns == 5);
  CHECK(row.build->run == 1);
  CHECK(row.build->cached == 1);
  REQUIRE(row.findings);
  CHECK(row.findings->errors + row.findings->warnings > 0);
}

TEST_CASE("growth that is just allowed is allowed") {
  using analyze::Amount;
  CHECK_FALSE(engine::grew_beyond(sized(100), sized(110), Amount{.bytes = 10}));
  CHECK(engine::grew_beyond(sized(100), sized(111), Amount{.bytes = 10}));
  CHECK_FALSE(engine::grew_beyond(sized(100), sized(110), Amount{.share = 0.1}));
  CHECK(engine::grew_beyond(sized(100), sized(111), Amount{.share = 0.1}));
  CHECK_FALSE(engine::grew_beyond(sized(100), sized(100), Amount{}));
  CHECK_FALSE(engine::grew_beyond(sized(100), sized(50), Amount{}));
  CHECK(engine::grew_beyond(sized(0), sized(1), Amount{.share = 0.5}));
}

TEST_CASE("the newest is compared with the image before, or with what was asked for") {
  Store store;
  store.name(9, 900, "other");
  for (const int number : {1, 2, 3}) store.name(number, number * 100);
  const auto rows = store.rows();
  const auto against = [&](const std::string& text) { return engine::trend_baseline(*store.engine, rows, text); };
  CHECK((*against(""))->bytes == 200);
  CHECK((*against(rows[2].image.digest.hex().substr(0, 12)))->bytes == 100);
  CHECK((*against(rows[2].image.digest.str()))->bytes == 100);
  CHECK((*against("other"))->bytes == 900);
  CHECK((*against(rfc3339(rows[1].since)))->bytes == 200);
  CHECK_FALSE(*against("2001-01-01"));
  CHECK(against("nosuch:tag").error().code() == Errc::not_found);
  CHECK_FALSE(*engine::trend_baseline(*store.engine, {rows[0]}, ""));
}

TEST_CASE("names that a store has begin their history when the table comes") {
  Store store;
  auto image = store.image(1, 10);
  REQUIRE(store.engine->images().put(image, {*oci::Reference::parse("app")}));
  REQUIRE(store.engine->database().lock()->execute("DROP TABLE image_trend;" + std::string(engine::kTrendSchemaSql)));
  const auto rows = store.rows();
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].image == image.id);
  CHECK(rows[0].bytes == 10);
  CHECK(rows[0].layers == 2);
}
