#include "base/time.h"

#include <ctime>
#include <limits>
#include <optional>

#include "base/format.h"
#include "base/text.h"

namespace mica {

namespace {
struct Civil {
  std::int64_t year;
  int month, day, hour, minute, second;
};

bool is_leap(std::int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }
int days_in_month(std::int64_t year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDays[month - 1] + (month == 2 && is_leap(year));
}

// Both conversions count years from March, so that the leap day is the last of its year, in eras of 400 years (146097 days);
// 719468 days lie between 0000-03-01 and 1970-01-01.
std::int64_t days_since_epoch(std::int64_t year, int month, int day) {
  year -= month <= 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

Civil civil(std::int64_t seconds) {
  const std::int64_t day_second = (seconds % 86400 + 86400) % 86400;
  const std::int64_t days = (seconds - day_second) / 86400 + 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const std::int64_t day_of_era = days - era * 146097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int march_month = static_cast<int>((5 * day_of_year + 2) / 153);
  const int month = march_month < 10 ? march_month + 3 : march_month - 9;
  return {.year = year_of_era + era * 400 + (month <= 2),
          .month = month,
          .day = static_cast<int>(day_of_year - (153 * march_month + 2) / 5 + 1),
          .hour = static_cast<int>(day_second / 3600),
          .minute = static_cast<int>(day_second / 60 % 60),
          .second = static_cast<int>(day_second % 60)};
}

/// Exactly `count` digits taken off the front of `text`; nullopt when they are not there.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count || text[0] == '-') return std::nullopt;
  const std::optional<std::int64_t> value = parse_int(text.substr(0, count));
  if (!value) return std::nullopt;
  text.remove_prefix(count);
  return static_cast<int>(*value);
}
bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// The sum as nanoseconds, held within what a Timestamp can say.
Timestamp saturated(std::int64_t seconds, std::int64_t nanos) {
  constexpr __int128 kLeast = std::numeric_limits<std::int64_t>::min(), kMost = std::numeric_limits<std::int64_t>::max();
  const __int128 total = static_cast<__int128>(seconds) * 1'000'000'000 + nanos;
  return {static_cast<std::int64_t>(total < kLeast ? kLeast : total > kMost ? kMost : total)};
}

std::optional<Timestamp> read_rfc3339(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || *month < 1 || *month > 12 || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || *day < 1 || *day > days_in_month(*year, *month) || !take(text, "Tt")) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *second > 59) return std::nullopt;

  std::int64_t nanos = 0;
  if (take(text, ".")) {
    std::int64_t unit = 100'000'000;
    std::size_t digits = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits, unit /= 10)
      nanos += unit * (text[digits] - '0');
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
  }

  std::int64_t offset = 0;
  if (!take(text, "Zz")) {
    const std::int64_t sign = text.starts_with('-') ? -1 : 1;
    if (!take(text, "+-")) return std::nullopt;
    const auto offset_hours = take_digits(text, 2);
    if (!offset_hours || *offset_hours > 23 || !take(text, ":")) return std::nullopt;
    const auto offset_minutes = take_digits(text, 2);
    if (!offset_minutes || *offset_minutes > 59) return std::nullopt;
    offset = sign * (*offset_hours * 3600 + *offset_minutes * 60);
  }
  if (!text.empty()) return std::nullopt;
  const std::int64_t days = days_since_epoch(*year, *month, *day);
  return saturated(days * 86400 + *hour * 3600 + *minute * 60 + *second - offset, nanos);
}

std::int64_t clock_ns(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}
}  // namespace

Timestamp now() { return {clock_ns(CLOCK_REALTIME)}; }
std::int64_t monotonic_ns() { return clock_ns(CLOCK_MONOTONIC); }

std::string rfc3339(Timestamp time) {
  if (time == Timestamp::least()) return "0001-01-01T00:00:00Z";
  const Civil at = civil(time.seconds());
  std::string out = format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", at.year, at.month, at.day, at.hour, at.minute, at.second);
  if (time.nanos() != 0) out += trim_right(format(".{:09}", time.nanos()), "0");
  out += 'Z';
  return out;
}

std::string rfc3339_nanos(Timestamp time) {
  const Civil at = civil(time.seconds());
  return format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", at.year, at.month, at.day, at.hour, at.minute, at.second, time.nanos());
}

Result<Timestamp> parse_rfc3339(std::string_view text) {
  const std::optional<Timestamp> time = read_rfc3339(text);
  if (!time) return failf(Errc::invalid_argument, "invalid time {}: not of the form 2026-03-01T12:00:00Z", quoted(text));
  return *time;
}

std::string docker_time(Timestamp time) {
  if (time == Timestamp::least()) return "0001-01-01 00:00:00 +0000 UTC";
  const Civil at = civil(time.seconds());
  return format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} +0000 UTC", at.year, at.month, at.day, at.hour, at.minute, at.second);
}

}  // namespace mica
