/// WWW-Authenticate: what a server wants to see before it answers (RFC 9110, 11.6.1).
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mica::registry {

struct Challenge {
  std::string scheme;                                              ///< lower case: "bearer"
  std::vector<std::pair<std::string, std::string>> parameters;     ///< names in lower case, values without quotes
  /// First one of that name, or "".
  std::string parameter(std::string_view name) const;
  bool operator==(const Challenge&) const = default;
};

/// All challenges of one header value. Several in one value, quoted commas, odd blanks, a token68 and unknown schemes are all allowed;
/// what cannot be read is passed over.
std::vector<Challenge> parse_challenges(std::string_view value);

/// The one to answer: the first Bearer that says its realm, else the first Basic; nullptr: none that we can.
const Challenge* preferred(const std::vector<Challenge>& challenges);

}  // namespace mica::registry
