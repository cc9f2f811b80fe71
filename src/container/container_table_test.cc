#include "container/container_table.h"

#include <doctest/doctest.h>

#include "base/text.h"

using namespace mica;
using namespace mica::container;

namespace {

Guarded<db::Database> open_database() {
  static const std::string_view migrations[] = {kContainerSchemaSql};
  return Guarded<db::Database>(db::Database::open(":memory:", {migrations}).value());
}

Row row_named(const std::string& name, char digit, std::int64_t created = 1) {
  return {.id = std::string(64, digit), .name = name, .image_id = "sha256:1", .image = "app:1", .command = "sh", .layers = {"0123456789abcdef", "fedcba9876543210"}, .created = {created},
          .labels = {{"a", "1"}, {"b", "x=y"}}, .state = {}, .definition = "{}"};
}

}  // namespace

TEST_CASE("a row comes back as it went in") {
  auto database = open_database();
  ContainerTable table(database);
  Row row = row_named("web", 'a');
  row.state = {.status = Status::running, .pid = 7, .pid_start = 9, .exit_code = 3, .error = "why", .oom_killed = true, .stopped_by_user = true, .started = Timestamp{5},
               .finished = std::nullopt, .restart_count = 2, .health = "{}", .network = "{\"x\":1}", .ports = "80/tcp", .boot = "b"};
  REQUIRE(table.insert(row));
  const auto found = table.find(row.id);
  REQUIRE(found);
  REQUIRE(*found);
  CHECK((*found)->layers == row.layers);
  CHECK((*found)->labels == row.labels);
  CHECK((*found)->definition == "{}");
  CHECK((*found)->state.status == Status::running);
  CHECK((*found)->state.pid == 7);
  CHECK((*found)->state.oom_killed);
  CHECK((*found)->state.started == Timestamp{5});
  CHECK_FALSE((*found)->state.finished);
  CHECK((*found)->state.network == "{\"x\":1}");
  State state = row.state;
  state.status = Status::exited;
  state.finished = Timestamp{8};
  REQUIRE(table.set_state(row.id, state));
  CHECK(table.find(row.id).value()->state.finished == Timestamp{8});
  REQUIRE(table.remove(row.id));
  CHECK_FALSE(table.find(row.id).value());
}

TEST_CASE("a container is found by id, by name, and by the beginning of its id when that is clear") {
  auto database = open_database();
  ContainerTable table(database);
  Row first = row_named("web", 'a'), second = row_named("db", 'b'), third = row_named("aaaa", 'c');
  second.id[1] = '1';
  Row fourth = row_named("other", 'b');
  for (const auto* row : {&first, &second, &third, &fourth}) REQUIRE(table.insert(*row));
  CHECK(table.resolve("web")->name == "web");
  CHECK(table.resolve("/web")->name == "web");
  CHECK(table.resolve(std::string(64, 'a'))->name == "web");
  CHECK(table.resolve("aaa")->name == "web");
  CHECK(table.resolve("aaaa")->name == "aaaa");   // the name comes before the id
  CHECK(table.resolve("b1")->name == "db");
  CHECK(table.resolve("b").error().code() == Errc::conflict);
  const auto missing = table.resolve("wbe");
  CHECK(missing.error().code() == Errc::not_found);
  CHECK(missing.error().message() == "No such container: wbe");
  CHECK(missing.error().hint() == "did you mean web?");
}

TEST_CASE("a name belongs to one container") {
  auto database = open_database();
  ContainerTable table(database);
  REQUIRE(table.insert(row_named("web", 'a')));
  REQUIRE(table.insert(row_named("db", 'b')));
  const auto again = table.insert(row_named("web", 'c'));
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == Errc::conflict);
  CHECK(again.error().message().find(std::string(64, 'a')) != std::string::npos);
  CHECK(table.rename(std::string(64, 'b'), "web").error().code() == Errc::conflict);
  REQUIRE(table.rename(std::string(64, 'b'), "cache"));
  CHECK(table.resolve("cache")->id == std::string(64, 'b'));
}

TEST_CASE("the list has the newest first") {
  auto database = open_database();
  ContainerTable table(database);
  REQUIRE(table.insert(row_named("old", 'a', 1)));
  REQUIRE(table.insert(row_named("new", 'b', 2)));
  const auto list = table.list();
  REQUIRE(list);
  CHECK(list->at(0).name == "new");
  CHECK(list->at(1).definition.empty());
  CHECK(table.list(true)->at(1).definition == "{}");
}
