#include "runtime/devices.h"

#include <doctest/doctest.h>

#include "base/format.h"

using namespace mica;

TEST_CASE("--device takes HOST[:CONTAINER][:ACCESS]") {
  struct Row {
    const char* text;
    const char* expected;
  };
  for (const Row& row : {Row{"/dev/null", "/dev/null c1:3 rwm"}, Row{"/dev/null:/dev/x", "/dev/x c1:3 rwm"}, Row{"/dev/null:r", "/dev/null c1:3 r"},
                         Row{"/dev/null:/dev/x:rw", "/dev/x c1:3 rw"}, Row{"/dev/zero:/dev/zero:m", "/dev/zero c1:5 m"}}) {
    auto got = runtime::parse_device(row.text);
    CAPTURE(row.text);
    REQUIRE(got);
    REQUIRE(got->size() == 1);
    const auto& d = got->front();
    CHECK(format("{} {}{}:{} {}", d.path, d.type, d.major, d.minor, d.access) == row.expected);
  }
}

TEST_CASE("what is no device is refused") {
  for (const char* text : {"", ":", "/dev/null:relative", "/dev/null:/x:rx", "/dev/null:/x:rw:more", "/dev/null:/x:", "/etc/passwd"}) {
    auto got = runtime::parse_device(text);
    CAPTURE(text);
    REQUIRE_FALSE(got);
    CHECK(got.error().code() == Errc::invalid_argument);
  }
  auto gone = runtime::parse_device("/dev/no-such-device");
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code() == Errc::not_found);
}

TEST_CASE("the host's devices are without those a container has of its own") {
  auto got = runtime::host_devices();
  REQUIRE(got);
  bool null = false;
  for (const auto& device : *got) {
    null = null || device.path == "/dev/null";
    CHECK_FALSE(device.path.starts_with("/dev/pts/"));
    CHECK_FALSE(device.path.starts_with("/dev/shm/"));
    CHECK(device.path != "/dev/console");
  }
  CHECK(null);
}
