// Patterns are lists of pieces between stars. A star cannot cross a line end, so in which line each piece lies is fixed by the
// pieces before it; hence the earliest place of each piece gives the shortest match, the latest place of the last one the
// longest, and no backtracking is needed. What regexp calls non-greedy and greedy are just these two.
#include "dockerfile/shell_pattern.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/format.h"
#include "base/utf8.h"
#include "dockerfile/unicode.h"

namespace mica::dockerfile {
namespace {

using Text = std::u32string;
using TextView = std::u32string_view;

constexpr char32_t kAnyCharacter = 0x110000;  // a '?' among the characters of a piece
constexpr char32_t kStrayByte = 0x110100;     // plus the byte: what is not UTF-8 survives the way there and back
constexpr std::size_t kMaxSteps = std::size_t{1} << 26;

Text decode(std::string_view text) {
  Text out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    out += point.length == 0 ? kStrayByte + static_cast<unsigned char>(text[0]) : point.value;
    text.remove_prefix(std::max(point.length, 1));
  }
  return out;
}

std::string encode(TextView text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    if (c >= kStrayByte)
      out += static_cast<char>(c - kStrayByte);
    else
      append_utf8(out, c);
  }
  return out;
}

struct Match {
  std::size_t from = 0, to = 0;
};

class Pattern {
 public:
  static Result<Pattern> compile(TextView text) {
    Pattern pattern;
    pattern.pieces_.emplace_back();
    for (std::size_t i = 0; i < text.size(); ++i) {
      char32_t c = text[i];
      if (c == '*') {
        if (!pattern.pieces_.back().empty() || pattern.pieces_.size() == 1) pattern.pieces_.emplace_back();
        continue;
      }
      if (c == '?') c = kAnyCharacter;
      if (c == '\\') {
        if (i + 1 == text.size()) return bad(text, U"\ufffd");
        c = text[++i];
        if (std::u32string_view(U"*?\\}/").find(c) == std::u32string_view::npos) return bad(text, {&c, 1});
      }
      pattern.pieces_.back() += c;
    }
    return pattern;
  }

  /// The match that begins at `from` exactly. nullopt: none.
  Result<std::optional<Match>> match_at(TextView value, std::size_t from, bool longest) {
    const Text& first = pieces_.front();
    if (!fits(first, value, from)) return within_budget(std::nullopt);
    std::size_t at = from + first.size();
    if (pieces_.size() == 1) return within_budget(Match{from, at});
    for (std::size_t i = 1; i + 1 < pieces_.size(); ++i) {
      const auto found = find_in_line(pieces_[i], value, at);
      if (!found) return within_budget(std::nullopt);
      at = *found + pieces_[i].size();
    }
    const Text& last = pieces_.back();
    const auto found = longest ? find_last_in_line(last, value, at) : find_in_line(last, value, at);
    if (!found) return within_budget(std::nullopt);
    return within_budget(Match{from, *found + last.size()});
  }

  /// The leftmost match from `from` on, of the longest kind.
  Result<std::optional<Match>> find(TextView value, std::size_t from) {
    const Text& first = pieces_.front();
    while (true) {
      while (from + first.size() <= value.size() && steps_ <= kMaxSteps && !fits(first, value, from)) ++from;
      if (from + first.size() > value.size()) return within_budget(std::nullopt);
      const auto found = TRY(match_at(value, from, true));
      if (found) return found;
      // What follows the first piece is not there; a later start in the same line would see even less of it.
      const std::size_t line_end = value.find(U'\n', from);
      if (line_end == TextView::npos) return within_budget(std::nullopt);
      from = line_end + 1;
    }
  }

 private:
  static std::unexpected<Error> bad(TextView pattern, TextView escaped) {
    return failf(Errc::invalid_argument, "invalid pattern ({}) in substitution: invalid escape '\\{}'", encode(pattern),
                 encode(escaped));
  }

  template <class T>
  Result<std::optional<Match>> within_budget(T match) const {
    if (steps_ > kMaxSteps) return fail(Errc::resource_exhausted, "the pattern of a substitution and its value are too long");
    return std::optional<Match>(match);
  }

  bool fits(const Text& piece, TextView value, std::size_t at) {
    if (at + piece.size() > value.size()) return false;
    for (std::size_t i = 0; i < piece.size(); ++i) {
      ++steps_;
      if (piece[i] == kAnyCharacter ? value[at + i] == '\n' : piece[i] != value[at + i]) return false;
    }
    return true;
  }

  static std::size_t end_of_line(TextView value, std::size_t at) { return std::min(value.find(U'\n', at), value.size()); }

  std::optional<std::size_t> find_in_line(const Text& piece, TextView value, std::size_t at) {
    const std::size_t end = end_of_line(value, at);
    for (; at <= end && steps_ <= kMaxSteps; ++at)
      if (fits(piece, value, at)) return at;
    return std::nullopt;
  }

  std::optional<std::size_t> find_last_in_line(const Text& piece, TextView value, std::size_t at) {
    for (std::size_t from = end_of_line(value, at) + 1; from-- > at && steps_ <= kMaxSteps;)
      if (fits(piece, value, from)) return from;
    return std::nullopt;
  }

  std::vector<Text> pieces_;  // stars stand between them
  std::size_t steps_ = 0;
};

Text reversed(TextView text) { return {text.rbegin(), text.rend()}; }

/// Keeps each backslash before the character it escapes.
Text reversed_pattern(TextView text) {
  Text out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size())
      out += text[++i], out += U'\\';
    else
      out += text[i];
  }
  std::ranges::reverse(out);
  return out;
}

/// regexp's Expand for an expression without groups.
void append_template(std::string& out, std::string_view text, TextView match) {
  while (true) {
    const std::size_t dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == std::string_view::npos) return;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      out += '$';
      text.remove_prefix(1);
      continue;
    }
    const bool braced = text.starts_with('{');
    std::string_view rest = text.substr(braced);
    std::size_t length = 0;
    while (length < rest.size()) {
      const Char c = first_char(rest.substr(length));
      if (!is_letter(c.value) && !is_digit(c.value) && c.value != '_') break;
      length += c.length;
    }
    if (length == 0 || (braced && !rest.substr(length).starts_with('}'))) {
      out += '$';
      continue;
    }
    if (rest.substr(0, length) == "0") out += encode(match);
    text = rest.substr(length + braced);
  }
}

}  // namespace

Result<std::string> without_prefix(std::string_view pattern, std::string_view value, bool longest) {
  Pattern compiled = TRY(Pattern::compile(decode(pattern)));
  const Text text = decode(value);
  const auto found = TRY(compiled.match_at(text, 0, longest));
  return found ? encode(TextView(text).substr(found->to)) : std::string(value);
}

Result<std::string> without_suffix(std::string_view pattern, std::string_view value, bool longest) {
  Pattern compiled = TRY(Pattern::compile(reversed_pattern(decode(pattern))));
  const Text text = reversed(decode(value));
  const auto found = TRY(compiled.match_at(text, 0, longest));
  return found ? encode(reversed(TextView(text).substr(found->to))) : std::string(value);
}

Result<std::string> with_replacement(std::string_view pattern, std::string_view value, std::string_view replacement, bool all) {
  Pattern compiled = TRY(Pattern::compile(decode(pattern)));
  const Text text = decode(value);
  const TextView view = text;
  std::string out;
  std::size_t copied = 0;
  for (std::size_t from = 0; from <= text.size();) {
    const auto found = TRY(compiled.find(view, from));
    if (!found) break;
    out += encode(view.substr(copied, found->from - copied));
    if (!all) {
      out += replacement;
      copied = found->to;
      break;
    }
    // An empty match right after another match is not one.
    if (found->to > copied || found->from == 0)
      append_template(out, replacement, view.substr(found->from, found->to - found->from));
    copied = found->to;
    from = std::max(from + 1, found->to);
  }
  return out + encode(view.substr(copied));
}

}  // namespace mica::dockerfile
