#include <doctest/doctest.h>

#include "base/text.h"

using namespace mica;

TEST_CASE("sizes are read as docker reads them") {
  struct Case { std::string_view text; std::int64_t bytes; };
  for (const auto& [text, bytes] : std::initializer_list<Case>{
           {"0", 0}, {"32", 32}, {"32b", 32}, {"32B", 32}, {"32k", 32768}, {"32KB", 32768}, {"32kib", 32768}, {"32 mB", 32 << 20},
           {"1.5GB", 3LL << 29}, {"512m", 512 << 20}, {"2Ti", 0}, {"1p", 1LL << 50}, {".5k", 512}, {"32.3", 32}, {"+1k", 1024}}) {
    const auto size = parse_size(text);
    if (text == "2Ti") CHECK_FALSE(size);
    else CHECK_MESSAGE(size == bytes, text);
  }
  for (const std::string_view bad : {"", "hello", "-32", " 32 ", "32mm", "32 kbx", "32bb", "32e", "16p16", "1e30k", "9223372036854775808", "infk"}) {
    const auto size = parse_size(bad);
    REQUIRE_MESSAGE(!size, bad);
    CHECK(size.error().code() == Errc::invalid_argument);
  }
}

TEST_CASE("durations are read as Go reads them") {
  struct Case { std::string_view text; std::int64_t ns; };
  for (const auto& [text, ns] : std::initializer_list<Case>{
           {"0", 0}, {"5s", 5'000'000'000}, {"1h30m", 5'400'000'000'000}, {"-1.5h", -5'400'000'000'000}, {".5s", 500'000'000},
           {"5.s", 5'000'000'000}, {"250ms", 250'000'000}, {"1us", 1000}, {"1µs", 1000}, {"1μs", 1000}, {"+12ns", 12},
           {"0.3333333333333333333h", 1'200'000'000'000 - 1}, {"9223372036854775807ns", INT64_MAX}})
    CHECK_MESSAGE(parse_duration(text) == ns, text);
  for (const std::string_view bad : {"", "3", "-", "s", ".", "-.", ".s", "+.s", "1d", "1s 2m", "9223372036854775808ns", "3000000h"})
    CHECK_MESSAGE(!parse_duration(bad), bad);
}

TEST_CASE("sizes are printed with three digits in powers of a thousand") {
  struct Case { std::int64_t bytes; std::string_view expected; };
  for (const auto& [bytes, expected] : std::initializer_list<Case>{
           {0, "0B"}, {999, "999B"}, {1000, "1kB"}, {7'800'000, "7.8MB"}, {7'804'999, "7.8MB"}, {164'000'000, "164MB"},
           {1'024'000'000, "1.02GB"}, {77'700, "77.7kB"}, {999'999, "1e+03kB"}, {3'420'000'000'000, "3.42TB"}, {INT64_MAX, "9.22EB"}})
    CHECK(human_size(bytes) == expected);
}

TEST_CASE("ages are printed as docker prints them") {
  constexpr std::int64_t kMinute = 60, kHour = 3600, kDay = 86400;
  struct Case { std::int64_t seconds; std::string_view expected; };
  for (const auto& [seconds, expected] : std::initializer_list<Case>{
           {-5, "Less than a second"}, {0, "Less than a second"}, {1, "1 second"}, {45, "45 seconds"}, {60, "About a minute"},
           {119, "About a minute"}, {2 * kMinute, "2 minutes"}, {59 * kMinute + 59, "59 minutes"}, {kHour, "About an hour"},
           {89 * kMinute, "About an hour"}, {90 * kMinute, "2 hours"}, {47 * kHour, "47 hours"}, {47 * kHour + 1800, "2 days"},
           {3 * kDay, "3 days"}, {14 * kDay, "2 weeks"}, {59 * kDay, "8 weeks"}, {60 * kDay, "2 months"}, {729 * kDay, "24 months"},
           {730 * kDay, "2 years"}, {3650 * kDay, "10 years"}})
    CHECK(human_duration(seconds) == expected);
}
