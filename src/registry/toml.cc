#include "registry/toml.h"

#include <algorithm>
#include <sstream>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "base/format.h"
#include "sys/fd.h"

namespace mica::registry {
namespace {

constexpr std::size_t kMaxFile = 4 << 20;

json::Value to_json(const toml::node& node);

json::Value to_json(const toml::table& table) {
  std::vector<std::pair<std::string_view, const toml::node*>> members;
  for (const auto& [key, node] : table) members.emplace_back(key.str(), &node);
  std::ranges::stable_sort(members, [](const auto& a, const auto& b) {
    const toml::source_position one = a.second->source().begin, other = b.second->source().begin;
    return one.line != other.line ? one.line < other.line : one.column < other.column;
  });
  json::Object object;
  for (const auto& [key, node] : members) object.emplace_back(std::string(key), to_json(*node));
  return object;
}

template <class Time>
json::Value text_of(const Time& time) {
  std::ostringstream out;
  out << time;
  return std::move(out).str();
}

json::Value to_json(const toml::node& node) {
  if (const auto* table = node.as_table()) return to_json(*table);
  if (const auto* array = node.as_array()) {
    json::Array items;
    for (const toml::node& item : *array) items.push_back(to_json(item));
    return items;
  }
  if (const auto* value = node.as_string()) return value->get();
  if (const auto* value = node.as_integer()) return value->get();
  if (const auto* value = node.as_floating_point()) return value->get();
  if (const auto* value = node.as_boolean()) return value->get();
  if (const auto* value = node.as_date()) return text_of(value->get());
  if (const auto* value = node.as_time()) return text_of(value->get());
  if (const auto* value = node.as_date_time()) return text_of(value->get());
  return nullptr;
}

}  // namespace

Result<json::Value> parse_toml(const std::string& file, std::string_view text) {
  const toml::parse_result parsed = toml::parse(text, file);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return failf(Errc::invalid_argument, "{}:{}:{}: {}", file, error.source().begin.line, error.source().begin.column, error.description());
  }
  return to_json(parsed.table());
}

Result<std::optional<json::Value>> read_toml(const std::string& file) {
  auto text = sys::read_file(file, kMaxFile);
  if (!text && (text.error().code() == Errc::not_found || text.error().os_number() == ENOTDIR)) return std::nullopt;
  if (!text) return fail(std::move(text.error()));
  auto value = TRY(parse_toml(file, *text));
  return value;
}

}  // namespace mica::registry
