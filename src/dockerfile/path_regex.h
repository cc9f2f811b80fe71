/// The regular expressions that Docker makes of ignore patterns, and a matcher for them that takes time proportional to pattern times path.
///
/// A pattern is turned into the text of an expression piece by piece: "*" into [^/]*, "?" into [^/], "**" into (.*/)? or .*,
/// metacharacters get a backslash, brackets and backslashes are passed on. What a bracket holds is translated as well, so "[*]" is
/// *not* a star: [[^/]*]. Users' ignore files work against that, so mica forms the same text and reads it by the rules of Go's
/// regexp, as far as it can occur here: literals, classes, escapes, '.', '^', '*', '?' and that one group. Internal to the module.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace mica::dockerfile {

class PathRegex {
 public:
  /// Errors: invalid_argument "syntax error in pattern".
  static Result<PathRegex> compile(std::string_view expression);

  bool matches(std::string_view path) const;
  /// Whether some text that begins with `prefix` may match.
  bool may_match_below(std::string_view prefix) const;

 private:
  using Ranges = std::vector<std::pair<char32_t, char32_t>>;
  struct State {
    enum class Kind : std::uint8_t { set, split, begin, match } kind = Kind::match;
    std::uint32_t set = 0;         // index of the class
    std::uint32_t next = 0, other = 0;   // `other`: of a split
  };
  friend class PathRegexParser;
  bool accepts(const State& state, char32_t c) const;
  template <class Visit>
  bool run(std::string_view text, const Visit& at_end) const;

  std::vector<State> states_;
  std::vector<Ranges> sets_;       // sorted by the parser, negation already applied
  std::uint32_t start_ = 0;
};

}  // namespace mica::dockerfile
