#include "json/json.h"

#include "base/text.h"

namespace mica::json {

const Value* Value::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  for (const Member& member : as_object())
    if (member.first == key) return &member.second;
  return nullptr;
}

Value* Value::find(std::string_view key) { return const_cast<Value*>(std::as_const(*this).find(key)); }

const Value* Value::find_ignoring_case(std::string_view key) const {
  if (const Value* exact = find(key)) return exact;
  if (!is_object()) return nullptr;
  for (const Member& member : as_object())
    if (equals_ignoring_case(member.first, key)) return &member.second;
  return nullptr;
}

Value& Value::set(std::string_view key, Value value) {
  if (is_null()) data_ = Object{};
  MICA_ASSERT(is_object(), "set() needs an object or null");
  if (Value* old = find(key)) return *old = std::move(value);
  return as_object().emplace_back(std::string(key), std::move(value)).second;
}

bool Value::erase(std::string_view key) {
  if (!is_object()) return false;
  return std::erase_if(as_object(), [&](const Member& member) { return member.first == key; }) > 0;
}

void Value::push(Value value) {
  if (is_null()) data_ = Array{};
  MICA_ASSERT(is_array(), "push() needs an array or null");
  as_array().push_back(std::move(value));
}

std::string Value::string_or(std::string_view key, std::string_view fallback) const {
  const Value* value = find(key);
  return value && value->is_string() ? value->as_string() : std::string(fallback);
}

std::int64_t Value::int_or(std::string_view key, std::int64_t fallback) const {
  const Value* value = find(key);
  return value && value->is_int() ? value->as_int() : fallback;
}

bool Value::bool_or(std::string_view key, bool fallback) const {
  const Value* value = find(key);
  return value && value->is_bool() ? value->as_bool() : fallback;
}

std::vector<std::string> Value::strings(std::string_view key) const {
  std::vector<std::string> result;
  const Value* value = find(key);
  if (!value || !value->is_array()) return result;
  for (const Value& item : value->as_array())
    if (item.is_string()) result.push_back(item.as_string());
  return result;
}

Value from(const std::vector<std::string>& strings) { return Value(Array(strings.begin(), strings.end())); }

}  // namespace mica::json
