#include "http/incoming.h"

#include "base/format.h"
#include "base/text.h"

namespace mica::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return failf(Errc::invalid_argument, "a percent sign without two hexadecimal digits in {}", quoted(text));
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    if (c == 0) return failf(Errc::invalid_argument, "a zero byte in {}", quoted(text));
    out += c;
  }
  return out;
}

std::int64_t number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return -1;
  return parse_int(text).value_or(INT64_MAX);
}

}  // namespace

std::string_view IncomingRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

std::optional<std::string_view> IncomingRequest::parameter(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return std::nullopt;
}

Result<> parse_target(std::string_view target, IncomingRequest& into) {
  if (!target.starts_with('/')) {
    const auto scheme = target.find("://");
    const auto path = scheme == target.npos ? scheme : target.find('/', scheme + 3);
    if (path == target.npos) return failf(Errc::invalid_argument, "no path in the request target {}", quoted(target));
    target.remove_prefix(path);
  }
  target = target.substr(0, target.find('#'));
  const auto question = target.find('?');
  into.path = TRY(decode(target.substr(0, question), false));
  into.query.clear();
  if (question == target.npos) return {};
  for (const auto part : split(target.substr(question + 1), '&')) {
    if (part.empty()) continue;
    const auto equals = part.find('=');
    auto key = TRY(decode(part.substr(0, equals), true));
    std::string value;
    if (equals != part.npos) value = TRY(decode(part.substr(equals + 1), true));
    into.query.emplace_back(std::move(key), std::move(value));
  }
  return {};
}

std::string encode_query(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || std::string_view("-._~/:").find(c) != std::string_view::npos;
    if (plain) out += c;
    else out += format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

ByteRange parse_range(std::string_view header, std::int64_t size) {
  ByteRange range{.length = size};
  const auto unit = split_once(trim(header), '=');
  if (!unit || !equals_ignoring_case(trim(unit->first), "bytes") || unit->second.find(',') != unit->second.npos) return range;
  const auto ends = split_once(trim(unit->second), '-');
  if (!ends) return range;
  const std::int64_t first = number(ends->first), last = number(ends->second);
  if (ends->first.empty()) {                      // the last so many bytes
    if (last < 0) return range;
    range.whole = false;
    range.satisfiable = last > 0 && size > 0;
    range.length = std::min(last, size);
    range.offset = size - range.length;
    return range;
  }
  if (first < 0 || (!ends->second.empty() && last < first)) return range;
  range.whole = false;
  range.satisfiable = first < size;
  range.offset = first;
  range.length = (ends->second.empty() ? size : std::min(last, size - 1) + 1) - first;
  return range;
}

}  // namespace mica::http
