#include "archive/pax.h"

#include <cstdint>

#include "base/format.h"
#include "base/text.h"

namespace mica::archive {
namespace {
constexpr std::int64_t kSecond = 1'000'000'000;

std::unexpected<Error> bad(std::string_view why) { return failf(Errc::corrupt, "bad PAX header: {}", why); }
}  // namespace

Result<PaxRecords> parse_pax(std::string_view bytes) {
  PaxRecords records;
  while (!bytes.empty()) {
    const auto space = bytes.find(' ');
    constexpr std::size_t kMostDigits = 10;
    if (space == bytes.npos || space == 0 || space > kMostDigits) return bad("a record has no length");
    const auto length = parse_int(bytes.substr(0, space));
    if (!length || *length <= static_cast<std::int64_t>(space) + 1 || static_cast<std::uint64_t>(*length) > bytes.size())
      return bad("a record's length does not fit");
    const std::string_view record = bytes.substr(space + 1, static_cast<std::size_t>(*length) - space - 1);
    bytes.remove_prefix(static_cast<std::size_t>(*length));
    if (!record.ends_with('\n')) return bad("a record does not end in a line break");
    const auto equals = record.find('=');
    if (equals == record.npos || equals == 0) return bad("a record has no key");
    const std::string_view key = record.substr(0, equals);
    const std::string_view value = record.substr(equals + 1, record.size() - equals - 2);
    const bool is_text = key == "path" || key == "linkpath" || key == "uname" || key == "gname" || key == "GNU.sparse.name";
    if (key.find('\0') != key.npos || (is_text && value.find('\0') != value.npos)) return bad("NUL byte in a record");
    records.emplace_back(key, value);
  }
  return records;
}

void append_pax(std::string& to, std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;  // blank, '=', line break
  std::size_t length = rest + std::to_string(rest).size();
  length = rest + std::to_string(length).size();
  to += std::to_string(length);
  to += ' ';
  to += key;
  to += '=';
  to += value;
  to += '\n';
}

Result<std::int64_t> parse_pax_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative);
  const std::string_view whole = digits.substr(0, digits.find('.'));
  const std::string_view fraction = whole.size() < digits.size() ? digits.substr(whole.size() + 1) : "";
  const auto is_number = [](std::string_view part) { return part.find_first_not_of("0123456789") == part.npos; };
  if (whole.empty() || !is_number(whole) || !is_number(fraction)) return bad(format("time {}", quoted(text.substr(0, 100))));
  std::int64_t ns = 0, unit = kSecond / 10;
  for (const char c : fraction.substr(0, 9)) {
    ns += (c - '0') * unit;
    unit /= 10;
  }
  constexpr std::int64_t kMostSeconds = INT64_MAX / kSecond - 1;
  const auto seconds = parse_int(whole);
  if (!seconds || *seconds > kMostSeconds) return negative ? INT64_MIN : INT64_MAX;
  ns += *seconds * kSecond;
  return negative ? -ns : ns;
}

std::string pax_time(std::int64_t ns) {
  const std::uint64_t size = ns < 0 ? ~static_cast<std::uint64_t>(ns) + 1 : static_cast<std::uint64_t>(ns);
  std::string result = format("{}{}.{:09}", ns < 0 ? "-" : "", size / kSecond, size % kSecond);
  while (result.ends_with('0')) result.pop_back();
  if (result.ends_with('.')) result.pop_back();
  return result;
}

}  // namespace mica::archive
