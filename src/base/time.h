/// Points in time as mica keeps them: nanoseconds since the epoch, UTC, which reaches from 1677 to 2262. Times outside become
/// the nearest end; the lower end prints as year 1, the "no time" of images made by Go programs.
#pragma once
#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/error.h"

namespace mica {
struct Timestamp {
  std::int64_t ns = 0;
  auto operator<=>(const Timestamp&) const = default;
  std::int64_t seconds() const { return ns / 1'000'000'000 - (ns % 1'000'000'000 < 0); }
  int nanos() const { return static_cast<int>((ns % 1'000'000'000 + 1'000'000'000) % 1'000'000'000); }
  static Timestamp from_seconds(std::int64_t seconds) { return {seconds * 1'000'000'000}; }
  static constexpr Timestamp least() { return {std::numeric_limits<std::int64_t>::min()}; }
};
Timestamp now();
/// Nanoseconds of the monotonic clock, for durations.
std::int64_t monotonic_ns();
/// RFC 3339 in UTC as Go prints it: fraction without trailing zeros, none when zero: "2026-03-01T12:00:00.5Z".
std::string rfc3339(Timestamp time);
std::string rfc3339_nanos(Timestamp time);   ///< always with nine digits of a second
/// Any RFC 3339 time with offset. Errors: invalid_argument.
Result<Timestamp> parse_rfc3339(std::string_view text);
/// "2026-03-01 12:00:00 +0000 UTC", as Docker's CreatedAt column.
std::string docker_time(Timestamp time);
}  // namespace mica
