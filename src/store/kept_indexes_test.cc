#include "store/kept_indexes.h"

#include <doctest/doctest.h>

#include "store/image_table.h"

using namespace mica;

namespace {
oci::ImageId id_of(std::string_view text) { return {oci::Digest::of(text)}; }
oci::Reference named(const std::string& text) { return *oci::Reference::parse(text); }
}  // namespace

TEST_CASE("a pushed index counts as long as its tag names an image of it") {
  static const std::string_view kSchema[] = {store::kSchemaSql, store::kPlatformsSchemaSql, store::kKeptIndexSchemaSql};
  auto opened = db::Database::open(":memory:", {kSchema});
  REQUIRE(opened);
  Guarded<db::Database> database(std::move(*opened));
  store::ImageTable images(database);
  store::KeptIndexes indexes(database);
  const oci::Digest index = oci::Digest::of("index");
  oci::Reference by_index = named("app");
  by_index.tag.clear();
  by_index.digest = index;
  REQUIRE(images.put({.id = id_of("a")}, {named("app:1"), named("app:2"), by_index}));
  REQUIRE(indexes.put(named("app:1"), index));
  CHECK(*indexes.find(named("app:1")) == index);
  CHECK_FALSE(*indexes.find(named("app:2")));
  CHECK(*indexes.of_repository(named("app")) == std::vector{index});
  CHECK(indexes.of_repository(named("other"))->empty());
  CHECK(*indexes.list() == std::vector{index});
  REQUIRE(indexes.drop_stale());
  CHECK(indexes.list()->size() == 1);

  // Another image under the tag.
  REQUIRE(images.put({.id = id_of("b")}, {named("app:1")}));
  CHECK_FALSE(*indexes.find(named("app:1")));
  CHECK(indexes.list()->empty());
  REQUIRE(images.tag(id_of("a"), named("app:1")));
  CHECK(*indexes.find(named("app:1")) == index);
  REQUIRE(images.remove(id_of("a")));
  REQUIRE(indexes.drop_stale());
  REQUIRE(images.put({.id = id_of("a")}, {named("app:1"), by_index}));
  CHECK_FALSE(*indexes.find(named("app:1")));

  REQUIRE(indexes.put(named("app:1"), index));
  REQUIRE(indexes.remove(named("app:1")));
  CHECK_FALSE(*indexes.find(named("app:1")));
}
