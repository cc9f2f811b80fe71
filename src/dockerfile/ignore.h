/// Ignore files (.dockerignore) and the pattern language shared with --exclude and --parents (spec: dockerfile.md section 6).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace mica::dockerfile {

/// Lines of an ignore file, cleaned: comments, blanks and the BOM dropped, paths cleaned, leading '/' dropped, '!' kept in front.
/// Errors: invalid_argument (lone "!", line number in the position).
Result<std::vector<std::string>> read_ignore_file(std::string_view text);

/// Ordered patterns with negation; the last match decides; a match of any parent folder counts.
class PatternMatcher {
 public:
  /// Errors: invalid_argument (bad bracket syntax).
  static Result<PatternMatcher> compile(const std::vector<std::string>& patterns);
  PatternMatcher();
  PatternMatcher(PatternMatcher&&) noexcept;
  PatternMatcher& operator=(PatternMatcher&&) noexcept;
  PatternMatcher(const PatternMatcher&);
  ~PatternMatcher();

  bool empty() const;
  bool has_negation() const;
  /// True when `path` (relative, '/' separated, clean) is matched, its parents considered. Slow form for single questions.
  bool matches(std::string_view path) const;

  /// For walks: the state of a folder, handed to its children, so that each path is matched against each pattern once.
  struct State {
    std::vector<bool> matched;      ///< per pattern
  };
  bool matches(std::string_view path, const State& parent, State& own) const;
  /// True when no path below the excluded folder `path` can be re-included, so that a walk may skip it.
  bool can_skip_below(std::string_view path) const;

 private:
  struct Pattern;
  std::vector<Pattern> patterns_;
  bool negation_ = false;
};

/// Go's filepath.Match for one path segment or several ('*' and '?' stop at '/', [a-z], [^x], '\' escapes): COPY sources.
/// Errors: invalid_argument "syntax error in pattern".
Result<bool> match_path(std::string_view pattern, std::string_view path);
/// True when the text has unescaped '*', '?' or '['.
bool has_wildcard(std::string_view text);

}  // namespace mica::dockerfile
