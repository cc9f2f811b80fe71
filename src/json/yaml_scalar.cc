#include "json/yaml_scalar.h"

#include <charconv>
#include <limits>

namespace mica::json {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const auto word : words)
    if (text == word) return true;
  return false;
}

std::string without_underscores(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != '_') out += c;
  return out;
}

/// Go's strconv.ParseInt with base 0, after underscores are gone. Past 63 bits it becomes a double.
std::optional<Value> integer(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char kind = text[1] | 0x20;
    base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
    text.remove_prefix(base != 8 || kind == 'o' ? 2 : 1);
  }
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (text.empty() || stop != end) return std::nullopt;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (error == std::errc()) {
    if (number <= kMost) return Value(negative ? -static_cast<std::int64_t>(number) : static_cast<std::int64_t>(number));
    if (negative && number == kMost + 1) return Value(std::numeric_limits<std::int64_t>::min());
    return Value(negative ? -static_cast<double>(number) : static_cast<double>(number));
  }
  return std::nullopt;
}

/// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool looks_like_float(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - from;
  };
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
  const bool whole = digits() > 0;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0 && !whole) return false;
  } else if (!whole) {
    return false;
  }
  if (i < text.size() && (text[i] | 0x20) == 'e') {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

std::optional<Value> floating(std::string_view text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (is_one_of(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) return Value(kInfinity);
  if (is_one_of(text, {"-.inf", "-.Inf", "-.INF"})) return Value(-kInfinity);
  if (is_one_of(text, {".nan", ".NaN", ".NAN"})) return Value(std::numeric_limits<double>::quiet_NaN());
  if (!looks_like_float(text)) return std::nullopt;
  if (text[0] == '+') text.remove_prefix(1);
  double number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // Out of range: Go leaves such a scalar a string.
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return Value(number);
}

std::optional<Value> number(std::string_view text) {
  if (text.empty() || !(is_digit(text[0]) || is_one_of(text.substr(0, 1), {"+", "-", "."}))) return std::nullopt;
  const std::string digits = without_underscores(text);
  if (auto whole = integer(digits)) return whole;
  return floating(digits);
}

std::optional<Value> boolean(std::string_view text) {
  if (is_one_of(text, {"true", "True", "TRUE"})) return Value(true);
  if (is_one_of(text, {"false", "False", "FALSE"})) return Value(false);
  return std::nullopt;
}

bool is_null(std::string_view text) { return is_one_of(text, {"", "~", "null", "Null", "NULL"}); }

}  // namespace

Value plain_scalar(std::string_view text) {
  if (is_null(text)) return Value();
  if (auto value = boolean(text)) return std::move(*value);
  if (auto value = number(text)) return std::move(*value);
  return Value(text);
}

std::optional<Value> tagged_scalar(std::string_view tag, std::string_view text) {
  if (tag == "str") return Value(text);
  if (tag == "null") return is_null(text) ? std::optional(Value()) : std::nullopt;
  if (tag == "bool") return boolean(text);
  if (tag == "int" || tag == "float") {
    auto value = number(text);
    if (value && tag == "int" && !value->is_int()) return std::nullopt;
    if (value && tag == "float") return Value(value->as_double());
    return value;
  }
  return std::nullopt;
}

}  // namespace mica::json
