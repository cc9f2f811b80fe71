#include "container/events.h"

#include <doctest/doctest.h>

#include "base/format.h"
#include "sys/fd.h"

using namespace mica;
using namespace mica::container;

TEST_CASE("what was recorded is read again, in Docker's form") {
  const auto root = sys::TempDir::create("/tmp", "events").value();
  record_event(root.path(), {.type = "container", .action = "start", .id = "abc", .attributes = {{"image", "app"}, {"name", "web"}}, .time = {5'000'000'001}});
  record_event(root.path(), {.type = "volume", .action = "create", .id = "v", .attributes = {}, .time = {7'000'000'000}});
  std::string got;
  REQUIRE(read_events(root.path(), Timestamp{0}, Timestamp{6'000'000'000}, [&](const json::Value& event) -> Result<> {
    got += json::write(event);
    return {};
  }));
  CHECK(got == R"({"status":"start","id":"abc","from":"app","Type":"container","Action":"start","Actor":{"ID":"abc","Attributes":{"image":"app","name":"web"}},"scope":"local","time":5,"timeNano":5000000001})");
  int count = 0;
  REQUIRE(read_events(root.path(), Timestamp{0}, Timestamp{8'000'000'000}, [&](const json::Value&) -> Result<> {
    ++count;
    return {};
  }));
  CHECK(count == 2);
}
