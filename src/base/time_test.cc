#include "base/time.h"

#include <doctest/doctest.h>

using namespace mica;

TEST_CASE("times are printed and read back") {
  struct Case { std::int64_t ns; std::string_view text; };
  for (const auto& [ns, text] : std::initializer_list<Case>{
           {0, "1970-01-01T00:00:00Z"}, {-1, "1969-12-31T23:59:59.999999999Z"}, {1'772'366'400'500'000'000, "2026-03-01T12:00:00.5Z"},
           {951'782'400'000'000'000, "2000-02-29T00:00:00Z"}, {-5'835'456'000'000'000'000, "1785-01-30T00:00:00Z"},
           {INT64_MIN, "0001-01-01T00:00:00Z"}, {INT64_MAX, "2262-04-11T23:47:16.854775807Z"}}) {
    CHECK(rfc3339({ns}) == text);
    CHECK_MESSAGE(parse_rfc3339(text) == Timestamp{ns}, text);
  }
}

TEST_CASE("every day of four centuries survives printing") {
  for (std::int64_t day = -100'000; day < 100'000; day += 13) {
    const Timestamp time = Timestamp::from_seconds(day * 86400 + 1);
    REQUIRE(parse_rfc3339(rfc3339(time)) == time);
  }
}

TEST_CASE("offsets count and bad times are refused") {
  CHECK(parse_rfc3339("2026-03-01T14:30:00+02:30") == Timestamp::from_seconds(1'772'366'400));
  CHECK(parse_rfc3339("2026-03-01t10:00:00.0000000009-02:00") == Timestamp::from_seconds(1'772'366'400));
  for (const std::string_view bad :
       {"", "2026-03-01", "2026-03-01 12:00:00Z", "2026-02-29T12:00:00Z", "2026-13-01T12:00:00Z", "2026-03-01T24:00:00Z",
        "2026-03-01T12:00:60Z", "2026-03-01T12:00:00", "2026-03-01T12:00:00.Z", "2026-03-01T12:00:00Zx", "-026-03-01T12:00:00Z"})
    CHECK_MESSAGE(!parse_rfc3339(bad), bad);
}

TEST_CASE("docker's form has a zone and no fraction") {
  CHECK(docker_time({1'772'366'400'500'000'000}) == "2026-03-01 12:00:00 +0000 UTC");
}

TEST_CASE("seconds round down and nanos are never negative") {
  CHECK(Timestamp{-1}.seconds() == -1);
  CHECK(Timestamp{-1}.nanos() == 999'999'999);
  CHECK(Timestamp{1'500'000'000}.seconds() == 1);
  CHECK(Timestamp{INT64_MIN}.nanos() >= 0);
  CHECK(now().ns > 1'700'000'000'000'000'000);
  const std::int64_t earlier = monotonic_ns();
  CHECK(earlier <= monotonic_ns());
}
