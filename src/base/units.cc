#include <charconv>
#include <cmath>
#include <limits>

#include "base/format.h"
#include "base/text.h"

namespace mica {

namespace {
constexpr double kTooBig = 9223372036854775808.0;  // 2^63

/// Nanoseconds of one unit of Go's durations; 0 when there is no such unit.
std::int64_t duration_unit(std::string_view unit) {
  if (unit == "ns") return 1;
  if (unit == "us" || unit == "\u00b5s" || unit == "\u03bcs") return 1'000;
  if (unit == "ms") return 1'000'000;
  if (unit == "s") return 1'000'000'000;
  if (unit == "m") return 60'000'000'000;
  if (unit == "h") return 3'600'000'000'000;
  return 0;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
}  // namespace

Result<std::int64_t> parse_size(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(Error(Errc::invalid_argument, format("invalid size {}: {}", quoted(text), why))
                    .with_hint("a size is a number and a unit of b, k, m, g, t or p, such as 512m or 1.5g"));
  };
  const std::size_t last = text.find_last_of("0123456789. ");
  if (last == std::string_view::npos) return bad("there is no number");
  std::string_view number = text.substr(0, text[last] == ' ' ? last : last + 1);
  const std::string unit = to_lower(text.substr(last + 1));
  if (number.starts_with('+')) number.remove_prefix(1);

  double size = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), size);
  if (error != std::errc() || end != number.data() + number.size() || !std::isfinite(size)) return bad("the number is not one");
  if (size < 0) return bad("it is negative");
  if (!unit.empty() && unit != "b") {
    const std::size_t power = std::string_view("kmgtp").find(unit[0]);
    const std::string_view rest = std::string_view(unit).substr(1);
    if (power == std::string_view::npos || !(rest.empty() || rest == "b" || rest == "ib")) return bad("unknown unit");
    size = std::ldexp(size, 10 * static_cast<int>(power + 1));
  }
  if (size >= kTooBig) return bad("it is too large");
  return static_cast<std::int64_t>(size);
}

Result<std::int64_t> parse_duration(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return fail(Error(Errc::invalid_argument, format("invalid duration {}: {}", quoted(text), why))
                    .with_hint("a duration is numbers with units ns, us, ms, s, m or h, such as 30s or 1h30m"));
  };
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return 0;
  if (rest.empty()) return bad("it is empty");

  __int128 total = 0;
  constexpr __int128 kMost = std::numeric_limits<std::int64_t>::max();
  while (!rest.empty()) {
    __int128 whole = 0, fraction = 0, scale = 1;
    std::size_t at = 0;
    bool digits = false;
    for (; at < rest.size() && is_digit(rest[at]); ++at, digits = true) {
      whole = whole * 10 + (rest[at] - '0');
      if (whole > kMost) return bad("it is too large");
    }
    if (at < rest.size() && rest[at] == '.') {
      for (++at; at < rest.size() && is_digit(rest[at]); ++at, digits = true) {
        if (scale > 1'000'000'000'000'000) continue;
        fraction = fraction * 10 + (rest[at] - '0');
        scale *= 10;
      }
    }
    if (!digits) return bad("a number is missing");
    rest.remove_prefix(at);
    std::size_t length = 0;
    while (length < rest.size() && rest[length] != '.' && !is_digit(rest[length])) ++length;
    if (length == 0) return bad("the unit is missing");
    const std::int64_t unit = duration_unit(rest.substr(0, length));
    if (unit == 0) return bad(format("unknown unit {}", quoted(rest.substr(0, length))));
    rest.remove_prefix(length);
    total += whole * unit + fraction * unit / scale;
    if (total > kMost) return bad("it is too large");
  }
  return static_cast<std::int64_t>(negative ? -total : total);
}

std::string human_size(std::int64_t bytes) {
  constexpr std::string_view kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  double size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1000 && unit + 1 < std::size(kUnits); ++unit) size /= 1000;
  return format("{:.3g}{}", size, kUnits[unit]);
}

std::string human_duration(std::int64_t seconds) {
  if (seconds < 1) return "Less than a second";
  if (seconds == 1) return "1 second";
  if (seconds < 60) return format("{} seconds", seconds);
  if (seconds < 120) return "About a minute";
  if (seconds < 3600) return format("{} minutes", seconds / 60);
  const std::int64_t hours = seconds / 3600 + (seconds % 3600 >= 1800);  // rounded
  if (hours == 1) return "About an hour";
  if (hours < 48) return format("{} hours", hours);
  if (hours < 24 * 7 * 2) return format("{} days", hours / 24);
  if (hours < 24 * 30 * 2) return format("{} weeks", hours / 24 / 7);
  if (hours < 24 * 365 * 2) return format("{} months", hours / 24 / 30);
  return format("{} years", seconds / 3600 / 24 / 365);
}

}  // namespace mica
