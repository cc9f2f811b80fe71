/// What a token is asked for: "repository:team/app:pull,push" (distribution, token scope grammar).
#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace mica::registry {

class Scopes {
 public:
  Scopes() = default;
  /// Several, separated by blanks; the last colon ends the resource, which may hold a host with a port.
  explicit Scopes(std::string_view text) { add(text); }
  void add(std::string_view text);
  void add(const Scopes& others);
  bool covers(const Scopes& others) const;
  bool empty() const { return actions_.empty(); }
  /// Sorted, so that equal sets are equal text; separated by blanks.
  std::string str() const;
  /// One entry each.
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> const& by_resource() const { return actions_; }
  bool operator==(const Scopes&) const = default;

 private:
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> actions_;
};

/// "repository:PATH:pull" or "...:pull,push".
std::string one_scope(std::string_view resource, const std::set<std::string, std::less<>>& actions);

}  // namespace mica::registry
