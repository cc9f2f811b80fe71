#include "registry/scopes.h"

#include <algorithm>

#include "base/text.h"

namespace mica::registry {

void Scopes::add(std::string_view text) {
  for (const std::string_view one : split_blanks(text)) {
    const auto colon = one.rfind(':');
    if (colon == one.npos || colon == 0) continue;
    for (const std::string_view action : split(one.substr(colon + 1), ','))
      if (!action.empty()) actions_[std::string(one.substr(0, colon))].emplace(action);
  }
}

void Scopes::add(const Scopes& others) {
  for (const auto& [resource, actions] : others.actions_) actions_[resource].insert(actions.begin(), actions.end());
}

bool Scopes::covers(const Scopes& others) const {
  return std::ranges::all_of(others.actions_, [&](const auto& wanted) {
    const auto found = actions_.find(wanted.first);
    return found != actions_.end() && std::ranges::includes(found->second, wanted.second);
  });
}

std::string one_scope(std::string_view resource, const std::set<std::string, std::less<>>& actions) {
  std::string out(resource);
  char before = ':';
  for (const std::string& action : actions) {
    out += before;
    out += action;
    before = ',';
  }
  return out;
}

std::string Scopes::str() const {
  std::string out;
  for (const auto& [resource, actions] : actions_) {
    if (!out.empty()) out += ' ';
    out += one_scope(resource, actions);
  }
  return out;
}

}  // namespace mica::registry
