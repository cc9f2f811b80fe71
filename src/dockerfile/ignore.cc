#include "dockerfile/ignore.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/path_regex.h"
#include "dockerfile/unicode.h"

namespace mica::dockerfile {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kMaxPatternBytes = 65535;

std::unexpected<Error> lone_bang() { return fail(Errc::invalid_argument, "illegal exclusion pattern: \"!\""); }

/// What a pattern is, by what stands in it: the plain kinds are compared as text, as Docker does.
struct Translated {
  enum class Kind { exact, prefix, suffix, regex } kind = Kind::exact;
  std::string regex;
};

Translated translate(std::string_view pattern) {
  using Kind = Translated::Kind;
  Translated out;
  for (std::size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    const bool first = at == 0;
    if (c == '*' && pattern.substr(at).starts_with("**")) {
      at += 2;
      if (at < pattern.size() && pattern[at] == '/') ++at;
      if (at < pattern.size()) {
        out.regex += "(.*/)?";
        out.kind = Kind::regex;
      } else if (out.kind == Kind::exact) {
        out.kind = Kind::prefix;
      } else {
        out.regex += ".*";
        out.kind = Kind::regex;
      }
      if (first) out.kind = Kind::suffix;
      continue;
    }
    ++at;
    if (c == '*' || c == '?') {
      out.regex += c == '*' ? "[^/]*" : "[^/]";
      out.kind = Kind::regex;
    } else if (std::string_view(".+()|{}$").find(c) != std::string_view::npos) {
      out.regex += '\\';
      out.regex += c;
    } else if (c == '\\') {
      out.regex += c;
      if (at == pattern.size()) continue;
      const int length = first_char(pattern.substr(at)).length;
      out.regex += pattern.substr(at, length);
      at += length;
      out.kind = Kind::regex;
    } else {
      out.regex += c;
      if (c == '[' || c == ']') out.kind = Kind::regex;
    }
  }
  return out;
}

}  // namespace

struct PatternMatcher::Pattern {
  std::string text;
  bool negated = false;
  Translated::Kind kind = Translated::Kind::exact;
  PathRegex regex;
  std::string starts_with, ends_with;  // regex: what every match has, so that most paths are decided without it

  bool matches(std::string_view path) const {
    const std::string_view pattern = text;
    switch (kind) {
      case Translated::Kind::exact:
        return path == pattern;
      case Translated::Kind::prefix:
        return path.starts_with(pattern.substr(0, pattern.size() - 2));
      case Translated::Kind::suffix: {
        const std::string_view suffix = pattern.substr(2);
        return path.ends_with(suffix) || (suffix.starts_with('/') && path == suffix.substr(1));
      }
      case Translated::Kind::regex:
        break;
    }
    return path.starts_with(starts_with) && path.ends_with(ends_with) && regex.matches(path);
  }

  /// Whether a path that begins with `prefix` (which ends with '/') may match.
  bool may_match_below(std::string_view prefix) const {
    const std::string_view pattern = text;
    switch (kind) {
      case Translated::Kind::exact:
        return pattern.starts_with(prefix);
      case Translated::Kind::prefix: {
        const std::string_view start = pattern.substr(0, pattern.size() - 2);
        return start.starts_with(prefix) || prefix.starts_with(start);
      }
      case Translated::Kind::suffix:
        return true;
      case Translated::Kind::regex:
        break;
    }
    return regex.may_match_below(prefix);
  }
};

PatternMatcher::PatternMatcher() = default;
PatternMatcher::PatternMatcher(PatternMatcher&&) noexcept = default;
PatternMatcher& PatternMatcher::operator=(PatternMatcher&&) noexcept = default;
PatternMatcher::PatternMatcher(const PatternMatcher&) = default;
PatternMatcher::~PatternMatcher() = default;

Result<std::vector<std::string>> read_ignore_file(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> patterns;
  int number = 0;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    ++number;
    if (line.size() > kMaxPatternBytes)
      return fail(Error(Errc::invalid_argument, format("pattern longer than {} bytes", kMaxPatternBytes)).at({.line = number}));
    if (line.starts_with('#')) continue;
    line = trim_space(line);
    if (line.empty()) continue;
    const bool negated = line.starts_with('!');
    if (negated) line = trim_space(line.substr(1));
    if (line.empty()) return fail(std::move(lone_bang().error()).at({.line = number}));
    std::string pattern = clean_path(line);
    if (pattern.size() > 1 && pattern[0] == '/') pattern.erase(0, 1);
    patterns.push_back(negated ? "!" + pattern : std::move(pattern));
  }
  return patterns;
}

Result<PatternMatcher> PatternMatcher::compile(const std::vector<std::string>& patterns) {
  PatternMatcher matcher;
  for (const std::string& written : patterns) {
    const std::string_view trimmed = trim_space(written);
    if (trimmed.empty()) continue;
    Pattern pattern{.text = clean_path(trimmed)};
    pattern.negated = pattern.text.starts_with('!');
    if (pattern.negated) pattern.text.erase(0, 1);
    if (pattern.text.empty()) return lone_bang();
    TRY(match_path(pattern.text, "."));  // for its errors
    const Translated translated = translate(pattern.text);
    pattern.kind = translated.kind;
    if (pattern.kind == Translated::Kind::regex) {
      auto regex = PathRegex::compile(translated.regex);
      if (!regex) return failf(Errc::invalid_argument, "syntax error in pattern {}", quoted(pattern.text));
      pattern.regex = std::move(*regex);
      // Only letters that stand for themselves outside of any bracket.
      constexpr std::string_view kSpecial = "*?[]\\^";
      const std::string_view plain = pattern.text;
      pattern.starts_with = plain.substr(0, plain.find_first_of(kSpecial));
      if (plain.find_first_of("[]\\^") == std::string_view::npos)
        pattern.ends_with = plain.substr(plain.find_last_of(kSpecial) + 1);
      // "**/x" takes x without the slash, too.
      if (pattern.ends_with.starts_with('/')) pattern.ends_with.erase(0, 1);
    }
    matcher.negation_ = matcher.negation_ || pattern.negated;
    matcher.patterns_.push_back(std::move(pattern));
  }
  return matcher;
}

bool PatternMatcher::empty() const { return patterns_.empty(); }
bool PatternMatcher::has_negation() const { return negation_; }

bool PatternMatcher::matches(std::string_view path) const {
  State parent, own;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
    matches(path.substr(0, slash), parent, own);
    std::swap(parent, own);
  }
  return matches(path, parent, own);
}

bool PatternMatcher::matches(std::string_view path, const State& parent, State& own) const {
  own.matched.assign(patterns_.size(), false);
  bool matched = false;
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const Pattern& pattern = patterns_[i];
    bool match = i < parent.matched.size() && parent.matched[i];
    if (!match) {
      // A pattern that cannot change the verdict is not asked, and counts as one that did not match this folder. Docker's walk
      // does so, and it shows: after "a", "!a/x", "a" the file a/x stays in.
      if (pattern.negated != matched) continue;
      match = pattern.matches(path);
    }
    own.matched[i] = match;
    if (match) matched = !pattern.negated;
  }
  return matched;
}

bool PatternMatcher::can_skip_below(std::string_view path) const {
  if (!negation_) return true;
  const std::string prefix = std::string(path) + "/";
  return std::ranges::none_of(patterns_,
                              [&](const Pattern& pattern) { return pattern.negated && pattern.may_match_below(prefix); });
}

}  // namespace mica::dockerfile
