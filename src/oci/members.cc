#include "oci/members.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"

namespace mica::oci {
namespace {
std::string_view kind(const json::Value& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return "a boolean";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a string";
  return value.is_array() ? "an array" : "an object";
}
}  // namespace

Result<MembersView> MembersView::of(const json::Value& value, std::string where, Case matching) {
  if (!value.is_object())
    return failf(Errc::corrupt, "{} is {}, not an object", where.empty() ? "document" : where, kind(value));
  return MembersView(value, std::move(where), matching);
}

std::string MembersView::path(std::string_view key) const {
  return where_.empty() ? std::string(key) : format("{}.{}", where_, key);
}

Error MembersView::wrong_type(std::string_view key, const json::Value& value, std::string_view wanted) const {
  return Error(Errc::corrupt, format("{} is {}, not {}", path(key), kind(value), wanted));
}

const json::Value* MembersView::find(std::string_view key) const {
  const json::Value* value = case_ == Case::exact ? value_.find(key) : value_.find_ignoring_case(key);
  return value && !value->is_null() ? value : nullptr;
}

Result<std::string> MembersView::text(std::string_view key) const {
  const json::Value* value = find(key);
  if (!value) return std::string();
  if (!value->is_string()) return fail(wrong_type(key, *value, "a string"));
  return value->as_string();
}

Result<std::int64_t> MembersView::integer(std::string_view key) const {
  const json::Value* value = find(key);
  if (!value) return 0;
  if (value->is_int()) return value->as_int();
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (value->is_double() && std::fabs(value->as_double()) <= kExact && std::trunc(value->as_double()) == value->as_double())
    return static_cast<std::int64_t>(value->as_double());
  return fail(wrong_type(key, *value, "an integer"));
}

Result<bool> MembersView::boolean(std::string_view key) const {
  const json::Value* value = find(key);
  if (!value) return false;
  if (!value->is_bool()) return fail(wrong_type(key, *value, "a boolean"));
  return value->as_bool();
}

Result<const json::Array*> MembersView::array(std::string_view key) const {
  const json::Value* value = find(key);
  if (!value) return nullptr;
  if (!value->is_array()) return fail(wrong_type(key, *value, "an array"));
  return &value->as_array();
}

Result<std::vector<std::string>> MembersView::texts(std::string_view key) const {
  const json::Array* items = TRY(array(key));
  std::vector<std::string> result;
  if (!items) return result;
  result.reserve(items->size());
  for (const json::Value& item : *items) {
    if (!item.is_string()) return fail(wrong_type(format("{}[{}]", key, result.size()), item, "a string"));
    result.push_back(item.as_string());
  }
  return result;
}

Result<std::vector<std::string>> MembersView::names(std::string_view key) const {
  const json::Value* value = find(key);
  std::vector<std::string> result;
  if (!value) return result;
  if (value->is_array()) {
    result = TRY(texts(key));
  } else if (value->is_object()) {
    for (const json::Member& member : value->as_object()) result.push_back(member.first);
  } else {
    return fail(wrong_type(key, *value, "an object"));
  }
  std::ranges::sort(result);
  result.erase(std::ranges::unique(result).begin(), result.end());
  return result;
}

Result<std::vector<std::pair<std::string, std::string>>> MembersView::pairs(std::string_view key) const {
  const json::Value* value = find(key);
  std::vector<std::pair<std::string, std::string>> result;
  if (!value) return result;
  if (!value->is_object()) return fail(wrong_type(key, *value, "an object"));
  for (const auto& [name, content] : value->as_object()) {
    if (!content.is_string() && !content.is_null())
      return fail(wrong_type(format("{}[{}]", key, quoted(name.substr(0, 100))), content, "a string"));
    result.emplace_back(name, content.is_null() ? "" : content.as_string());
  }
  std::ranges::sort(result);
  return result;
}

}  // namespace mica::oci
