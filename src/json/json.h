/// JSON values, a limited parser over nlohmann::json's SAX interface, and a canonical writer.
///
/// Objects keep the order in which their members came (a config that is read and written again keeps unknown members where
/// they were). Numbers: integers stay 64-bit integers; anything else is a double. Duplicate members: the last one wins.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace mica::json {

class Value;
using Array = std::vector<Value>;
using Member = std::pair<std::string, Value>;
/// Members in order of appearance; look-ups are linear (objects are small) through Value::find.
using Object = std::vector<Member>;

class Value {
 public:
  Value() : data_(nullptr) {}
  Value(std::nullptr_t) : data_(nullptr) {}
  Value(bool b) : data_(b) {}
  Value(int n) : data_(std::int64_t{n}) {}
  Value(std::int64_t n) : data_(n) {}
  Value(std::uint64_t n) : data_(static_cast<std::int64_t>(n)) {}
  Value(double d) : data_(d) {}
  Value(const char* s) : data_(std::string(s)) {}
  Value(std::string s) : data_(std::move(s)) {}
  Value(std::string_view s) : data_(std::string(s)) {}
  Value(Array a) : data_(std::move(a)) {}
  Value(Object o) : data_(std::move(o)) {}
  static Value array() { return Value(Array{}); }
  static Value object() { return Value(Object{}); }

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_int() const { return std::holds_alternative<std::int64_t>(data_); }
  bool is_double() const { return std::holds_alternative<double>(data_); }
  bool is_number() const { return is_int() || is_double(); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_array() const { return std::holds_alternative<Array>(data_); }
  bool is_object() const { return std::holds_alternative<Object>(data_); }

  /// The typed content; the type must match (assertion).
  bool as_bool() const { return std::get<bool>(data_); }
  std::int64_t as_int() const { return std::get<std::int64_t>(data_); }
  double as_double() const { return is_int() ? static_cast<double>(as_int()) : std::get<double>(data_); }
  const std::string& as_string() const { return std::get<std::string>(data_); }
  const Array& as_array() const { return std::get<Array>(data_); }
  Array& as_array() { return std::get<Array>(data_); }
  const Object& as_object() const { return std::get<Object>(data_); }
  Object& as_object() { return std::get<Object>(data_); }

  /// Member of an object; nullptr when this is no object or has no such member.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  /// Member by case-insensitive name when no exact one exists (Go's decoder accepts both).
  const Value* find_ignoring_case(std::string_view key) const;
  /// Sets or replaces in place; turns null into an object. Returns the member.
  Value& set(std::string_view key, Value value);
  bool erase(std::string_view key);
  void push(Value value);  ///< turns null into an array
  /// Member content with a fallback when absent or of another type.
  std::string string_or(std::string_view key, std::string_view fallback = "") const;
  std::int64_t int_or(std::string_view key, std::int64_t fallback = 0) const;
  bool bool_or(std::string_view key, bool fallback = false) const;
  /// Strings of an array member; empty when absent or of another type.
  std::vector<std::string> strings(std::string_view key) const;

  bool operator==(const Value&) const = default;

 private:
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object> data_;
};

struct Limits {
  std::size_t bytes = 16 << 20;
  int depth = 200;
  std::size_t values = 2'000'000;
};
/// Parses one JSON document (RFC 8259). Errors: corrupt with line and column; resource_exhausted beyond `limits`.
Result<Value> parse(std::string_view text, const Limits& limits = {});

/// Compact, members in their order, UTF-8 as is, only what must be escaped is ("\u001f" style for controls, like Go without
/// HTML escaping); invalid UTF-8 becomes U+FFFD. The bytes are stable: they enter digests.
std::string write(const Value& value);
/// The same with '<', '>' and '&' as "\u003c" and so on: what Go's encoder does by default, and thus the bytes of image configs
/// written by Docker and BuildKit.
std::string write_for_html(const Value& value);
/// Indented by `indent` spaces, Docker's inspect style (4), with `[]` and `{}` for empty ones.
std::string write_pretty(const Value& value, int indent = 4);
/// Array of strings.
Value from(const std::vector<std::string>& strings);

}  // namespace mica::json
