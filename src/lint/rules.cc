#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "lint/rule.h"

namespace mica::lint {
namespace {

std::vector<const Rule*> collect() {
  std::vector<const Rule*> all;
  for (const auto table : {base_rules(), package_rules(), layer_rules(), instruction_rules(), shell_rules(), stage_rules(),
                           user_rules(), label_rules(), style_rules(), measured_rules()})
    for (const Rule& rule : table) all.push_back(&rule);
  std::ranges::sort(all, {}, &Rule::id);
  return all;
}

const std::vector<const Rule*>& all_rules() {
  static const std::vector<const Rule*> all = collect();
  return all;
}

using Names = std::unordered_map<std::string, std::vector<const Rule*>>;

Names index_names() {
  Names names;
  for (const Rule* rule : all_rules()) {
    names[to_lower(rule->id)].push_back(rule);
    for (const std::string_view alias : split_blanks(rule->aliases)) names[to_lower(alias)].push_back(rule);
  }
  return names;
}

/// "StageNameCasing", as opposed to "DL3000" and "unused-stage".
bool is_buildkit_name(std::string_view name) {
  return name[0] >= 'A' && name[0] <= 'Z' && std::ranges::any_of(name, [](char c) { return c >= 'a' && c <= 'z'; });
}

}  // namespace

std::span<const Rule* const> rules() { return all_rules(); }

std::span<const Rule* const> rules_named(std::string_view name) {
  static const Names names = index_names();
  const auto found = names.find(to_lower(name));
  if (found == names.end()) return {};
  return found->second;
}

const Rule* find_rule(std::string_view name) {
  const auto found = rules_named(name);
  return found.empty() ? nullptr : found.front();
}

const Rule& rule_of(std::string_view id) {
  const Rule* rule = find_rule(id);
  MICA_ASSERT(rule, "rules are asked for by ids of the tables");
  return *rule;
}

bool is_build_check(const Rule& rule) {
  return is_buildkit_name(rule.id) || std::ranges::any_of(split_blanks(rule.aliases), is_buildkit_name);
}

}  // namespace mica::lint
