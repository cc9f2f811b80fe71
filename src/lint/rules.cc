#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "lint/rule.h"

namespace mica::lint {
namespace {

std::vector<const Rule*> collect() {
  std::vector<const Rule*> all;
  for (const auto table : {base_rules(), package_rules(), layer_rules(), instruction_rules(), shell_rules(), stage_rules(),
                           user_rules(), label_rules(), style_rules()})
    for (const Rule& rule : table) all.push_back(&rule);
  std::ranges::sort(all, {}, &Rule::id);
  return all;
}

const std::vector<const Rule*>& all_rules() {
  static const std::vector<const Rule*> all = collect();
  return all;
}

std::unordered_map<std::string, const Rule*> index_names() {
  std::unordered_map<std::string, const Rule*> names;
  for (const Rule* rule : all_rules()) {
    names.emplace(to_lower(rule->id), rule);
    for (const std::string_view alias : split_blanks(rule->aliases)) names.emplace(to_lower(alias), rule);
  }
  return names;
}

}  // namespace

std::span<const Rule* const> rules() { return all_rules(); }

const Rule* find_rule(std::string_view name) {
  static const std::unordered_map<std::string, const Rule*> names = index_names();
  const auto found = names.find(to_lower(name));
  return found == names.end() ? nullptr : found->second;
}

}  // namespace mica::lint
