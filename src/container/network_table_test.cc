#include "container/network_table.h"

#include <doctest/doctest.h>

using namespace mica;
using namespace mica::container;

namespace {

Guarded<db::Database> open_database() {
  static const std::string_view migrations[] = {kNetworkSchemaSql};
  return Guarded<db::Database>(db::Database::open(":memory:", {migrations}).value());
}

NetworkRow network(const std::string& name, const std::string& id) { return {.id = id + std::string(64 - id.size(), '0'), .name = name, .created = {7}}; }

}  // namespace

TEST_CASE("a network comes back as it went in") {
  auto database = open_database();
  NetworkTable table(database);
  auto row = network("front", "a1");
  row.internal = row.attachable = row.ipv6 = true;
  row.subnets = {{"10.9.0.0/24", "10.9.0.254", "10.9.0.128/25", {{"router", "10.9.0.200"}}, false}, {"fd09::/64", "fd09::1", "", {}, true}};
  row.options = {{"com.docker.network.driver.mtu", "1400"}};
  row.labels = {{"a", "b"}};
  row.interface = "br-a1";
  REQUIRE(table.insert(row));
  CHECK(table.resolve("front").value() == row);
  REQUIRE(table.remove(row.id));
  CHECK(table.resolve("front").error().code() == Errc::not_found);
}

TEST_CASE("bridge, host and none are always there") {
  auto database = open_database();
  NetworkTable table(database);
  REQUIRE(table.insert(network("app", "a1")));
  const auto list = table.list().value();
  REQUIRE(list.size() == 4);
  CHECK(list[0].name == "app");
  CHECK(list[1].name == "bridge");
  CHECK(list[2].name == "host");
  CHECK(list[3].name == "none");
  CHECK(list[3].driver == "null");
  CHECK(is_default_bridge(list[1]));
  CHECK_FALSE(is_default_bridge(list[0]));
  CHECK(table.resolve(list[1].id)->name == "bridge");
  CHECK(table.insert(network("bridge", "b")).error().code() == Errc::conflict);
}

TEST_CASE("a network is found by name, by id, and by the beginning of its id when that is clear") {
  auto database = open_database();
  NetworkTable table(database);
  for (const auto& row : {network("front", "a1"), network("back", "a2"), network("a1", "c")}) REQUIRE(table.insert(row));
  CHECK(table.resolve("a1")->id.front() == 'c');   // the name comes first
  CHECK(table.resolve("a10")->name == "front");
  CHECK(table.resolve("a2")->name == "back");
  CHECK(table.resolve("a").error().message() == "network a is ambiguous (2 matches found based on ID prefix)");
  const auto missing = table.resolve("frnot");
  CHECK(missing.error().message() == "network frnot not found");
  CHECK(missing.error().hint() == "did you mean front?");
  CHECK(table.insert(network("front", "d")).error().message() == "network with name front already exists");
}
