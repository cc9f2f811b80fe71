#include "build/plan_history.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"

namespace mica::build {
namespace {

std::string utf8_of(std::uint32_t rune) {
  std::string out;
  if (rune < 0x80) {
    out += static_cast<char>(rune);
  } else if (rune < 0x800) {
    out += static_cast<char>(0xc0 | (rune >> 6));
    out += static_cast<char>(0x80 | (rune & 0x3f));
  } else if (rune < 0x10000) {
    out += static_cast<char>(0xe0 | (rune >> 12));
    out += static_cast<char>(0x80 | ((rune >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (rune & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (rune >> 18));
    out += static_cast<char>(0x80 | ((rune >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((rune >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (rune & 0x3f));
  }
  return out;
}

/// Go's %q of a number: the character in single quotes.
std::string quoted_rune(std::int64_t number) {
  const bool is_rune = number >= 0 && number <= 0x10ffff && !(number >= 0xd800 && number <= 0xdfff);
  const std::uint32_t rune = is_rune ? static_cast<std::uint32_t>(number) : 0xfffd;
  if (rune == '\'') return "'\\''";
  if (rune == '"') return "'\"'";
  std::string text = quoted(utf8_of(rune));
  text.front() = text.back() = '\'';
  return text;
}

/// Fraction of a unit without trailing zeros: 1500 of 1000 is "1.5".
std::string decimal(std::int64_t value, std::int64_t unit) {
  std::string text = std::to_string(value / unit);
  std::int64_t rest = value % unit;
  if (rest == 0) return text;
  text += '.';
  for (std::int64_t digit = unit / 10; rest > 0; digit /= 10) {
    text += static_cast<char>('0' + rest / digit);
    rest %= digit;
  }
  return text;
}

}  // namespace

std::string history_pairs(const std::vector<dockerfile::KeyValue>& pairs) {
  std::string text;
  for (const dockerfile::KeyValue& pair : pairs) text += " " + pair.key + "=" + pair.value.value_or("");
  return text;
}

std::string history_words(std::span<const std::string> words) { return "[" + join(words, " ") + "]"; }

std::string history_quoted(std::span<const std::string> words) {
  std::string text = "[";
  for (const std::string& word : words) text += (text.size() > 1 ? " " : "") + quoted(word);
  return text + "]";
}

std::string history_healthcheck(const oci::Healthcheck& check) {
  std::string text = "&{" + history_quoted(check.test);
  for (const std::int64_t duration : {check.interval, check.timeout, check.start_period, check.start_interval})
    text += " " + quoted(go_duration(duration));
  return text + " " + quoted_rune(check.retries) + "}";
}

std::string go_duration(std::int64_t ns) {
  constexpr std::int64_t kSecond = 1'000'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute;
  if (ns == 0) return "0s";
  if (ns < 0) return "-" + go_duration(-ns);
  if (ns < 1000) return format("{}ns", ns);
  if (ns < 1'000'000) return decimal(ns, 1000) + "µs";
  if (ns < kSecond) return decimal(ns, 1'000'000) + "ms";
  std::string text;
  if (ns >= kHour) text += format("{}h", ns / kHour);
  if (ns >= kMinute) text += format("{}m", ns % kHour / kMinute);
  return text + decimal(ns % kMinute, kSecond) + "s";
}

bool is_signal(std::string_view text) {
  constexpr std::array<std::string_view, 36> kNames = {
      "ABRT", "ALRM", "BUS",  "CHLD", "CLD",  "CONT", "FPE",    "HUP",    "ILL",  "INT",  "IO",    "IOT",
      "KILL", "PIPE", "POLL", "PROF", "PWR",  "QUIT", "SEGV",   "STKFLT", "STOP", "SYS",  "TERM",  "TRAP",
      "TSTP", "TTIN", "TTOU", "URG",  "USR1", "USR2", "VTALRM", "WINCH",  "XCPU", "XFSZ", "RTMIN", "RTMAX"};
  std::string_view digits = text;
  if (digits.starts_with('+') || digits.starts_with('-')) digits.remove_prefix(1);
  if (!digits.empty() && digits.find_first_not_of("0123456789") == digits.npos) return parse_int(digits).value_or(0) != 0;
  const std::string upper = to_upper(text);
  std::string_view name = upper;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  if (std::ranges::find(kNames, name) != kNames.end()) return true;
  // RTMIN+1 to RTMIN+15 and RTMAX-1 to RTMAX-14 are names of their own.
  for (const auto& [base, last] : {std::pair{std::string_view("RTMIN+"), 15}, {std::string_view("RTMAX-"), 14}})
    if (name.starts_with(base)) {
      const auto number = parse_int(name.substr(base.size()));
      return number && *number >= 1 && *number <= last && name.substr(base.size()) == std::to_string(*number);
    }
  return false;
}

}  // namespace mica::build
