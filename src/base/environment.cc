#include "base/environment.h"

#include <algorithm>

#include "base/format.h"

namespace mica {

namespace {

bool is_of(std::string_view entry, std::string_view name) { return entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name); }

}  // namespace

bool has_variable(const std::vector<std::string>& env, std::string_view name) {
  return std::any_of(env.begin(), env.end(), [&](const std::string& entry) { return is_of(entry, name); });
}

void set_variable(std::vector<std::string>& env, std::string_view name, std::string_view value) {
  const auto old = std::find_if(env.begin(), env.end(), [&](const std::string& entry) { return is_of(entry, name); });
  std::string entry = format("{}={}", name, value);
  if (old != env.end()) *old = std::move(entry);
  else env.push_back(std::move(entry));
}

void remove_variable(std::vector<std::string>& env, std::string_view name) {
  std::erase_if(env, [&](const std::string& entry) { return is_of(entry, name); });
}

}  // namespace mica
