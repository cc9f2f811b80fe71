#include "dockerfile/path_regex.h"

#include <algorithm>

#include "dockerfile/unicode.h"

namespace mica::dockerfile {
namespace {

constexpr char32_t kLast = 0x10ffff;
using Ranges = std::vector<std::pair<char32_t, char32_t>>;

Ranges sorted(Ranges ranges) {
  std::ranges::sort(ranges);
  Ranges out;
  for (const auto& [first, last] : ranges) {
    if (!out.empty() && first <= out.back().second + 1)
      out.back().second = std::max(out.back().second, last);
    else
      out.emplace_back(first, last);
  }
  return out;
}

Ranges negated(const Ranges& ranges) {
  Ranges out;
  char32_t from = 0;
  for (const auto& [first, last] : sorted(ranges)) {
    if (first > from) out.emplace_back(from, first - 1);
    from = last + 1;
  }
  if (from <= kLast) out.emplace_back(from, kLast);
  return out;
}

/// \d \s \w and their opposites; empty: another letter.
Ranges perl_class(char32_t letter) {
  const Ranges digits{{'0', '9'}}, blanks{{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}},
      words{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
  switch (letter) {
    case 'd':
      return digits;
    case 'D':
      return negated(digits);
    case 's':
      return blanks;
    case 'S':
      return negated(blanks);
    case 'w':
      return words;
    case 'W':
      return negated(words);
    default:
      return {};
  }
}

struct NamedClass {
  std::string_view name;
  Ranges ranges;
};
const Ranges* posix_class(std::string_view name) {
  static const NamedClass kClasses[] = {
      {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
      {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
      {"ascii", {{0, 0x7f}}},
      {"blank", {{'\t', '\t'}, {' ', ' '}}},
      {"cntrl", {{0, 0x1f}, {0x7f, 0x7f}}},
      {"digit", {{'0', '9'}}},
      {"graph", {{'!', '~'}}},
      {"lower", {{'a', 'z'}}},
      {"print", {{' ', '~'}}},
      {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
      {"space", {{'\t', '\r'}, {' ', ' '}}},
      {"upper", {{'A', 'Z'}}},
      {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
      {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
  };
  for (const NamedClass& known : kClasses)
    if (known.name == name) return &known.ranges;
  return nullptr;
}

std::unexpected<Error> bad_pattern() { return fail(Errc::invalid_argument, "syntax error in pattern"); }

}  // namespace

/// Strings the states together from front to back: the last one's `next` is open until the following atom is known.
class PathRegexParser {
 public:
  explicit PathRegexParser(std::string_view text) : text_(text) {}

  Result<PathRegex> run() {
    regex_.start_ = add({.kind = Kind::split});  // a plain jump, so that there is always an exit to patch
    exit_ = regex_.start_;
    while (!text_.empty()) {
      if (text_[0] != '(') {
        TRY(atom_and_repeat());
        continue;
      }
      text_.remove_prefix(1);  // only ever "(.*/)?"
      const std::uint32_t group = jump();
      while (!text_.empty() && text_[0] != ')') TRY(atom_and_repeat());
      if (text_.empty()) return bad_pattern();
      text_.remove_prefix(1);
      repeat(group);
    }
    regex_.states_[exit_].next = add({.kind = Kind::match});
    return std::move(regex_);
  }

 private:
  using Kind = PathRegex::State::Kind;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  std::uint32_t add(PathRegex::State state) {
    if (state.kind == Kind::split) state.other = kNone;
    regex_.states_.push_back(state);
    return static_cast<std::uint32_t>(regex_.states_.size() - 1);
  }
  /// Appends a state behind the open exit, and makes it the open exit.
  std::uint32_t append(PathRegex::State state) {
    const std::uint32_t index = add(state);
    regex_.states_[exit_].next = index;
    return exit_ = index;
  }
  std::uint32_t jump() { return append({.kind = Kind::split}); }

  Result<> atom_and_repeat() {
    const std::uint32_t first = jump();
    const char c = text_[0];
    if (c == '[') {
      Ranges ranges = TRY(character_class());
      append_set(std::move(ranges));
    } else if (c == '^') {
      text_.remove_prefix(1);
      append({.kind = Kind::begin});
    } else if (c == '.') {
      text_.remove_prefix(1);
      append_set({{0, '\n' - 1}, {'\n' + 1, kLast}});
    } else if (c == '*' || c == '?') {
      return bad_pattern();  // nothing to repeat
    } else if (c == '\\') {
      text_.remove_prefix(1);
      if (text_.empty()) return bad_pattern();
      Ranges ranges = perl_class(static_cast<unsigned char>(text_[0]));
      if (!ranges.empty()) {
        text_.remove_prefix(1);
        append_set(std::move(ranges));
      } else {
        const char32_t literal = TRY(escape());
        append_set({{literal, literal}});
      }
    } else {
      const Char literal = first_char(text_);
      text_.remove_prefix(literal.length);
      append_set({{literal.value, literal.value}});
    }
    repeat(first);
    return {};
  }

  void append_set(Ranges ranges) {
    regex_.sets_.push_back(sorted(std::move(ranges)));
    append({.kind = Kind::set, .set = static_cast<std::uint32_t>(regex_.sets_.size() - 1)});
  }

  /// Takes the "*" or "?" that may follow the atom that begins with the jump `first` and ends at the open exit.
  void repeat(std::uint32_t first) {
    if (text_.empty() || (text_[0] != '*' && text_[0] != '?')) return;
    const bool star = text_[0] == '*';
    text_.remove_prefix(1);
    const std::uint32_t after = add({.kind = Kind::split});
    regex_.states_[first].other = after;  // skips the atom
    regex_.states_[exit_].next = star ? first : after;
    exit_ = after;
  }

  /// The character after a backslash that is not a class.
  Result<char32_t> escape() {
    const Char c = first_char(text_);
    text_.remove_prefix(c.length);
    switch (c.value) {
      case 'a':
        return U'\a';
      case 'f':
        return U'\f';
      case 'n':
        return U'\n';
      case 'r':
        return U'\r';
      case 't':
        return U'\t';
      case 'v':
        return U'\v';
      default:
        break;
    }
    // Go knows a few more (\b, \x41, \pL); in a pattern of paths each is a mistake, and an error says so.
    if (c.value >= 0x80 || is_letter(c.value) || is_digit(c.value)) return bad_pattern();
    return c.value;
  }

  Result<char32_t> class_character() {
    if (text_.empty()) return bad_pattern();
    if (text_[0] == '\\') {
      text_.remove_prefix(1);
      if (text_.empty()) return bad_pattern();
      return escape();
    }
    const Char c = first_char(text_);
    text_.remove_prefix(c.length);
    return c.value;
  }

  Result<Ranges> character_class() {
    text_.remove_prefix(1);
    const bool negate = text_.starts_with('^');
    if (negate) text_.remove_prefix(1);
    Ranges ranges;
    for (bool first = true; text_.empty() || text_[0] != ']' || first; first = false) {
      if (text_.empty()) return bad_pattern();
      if (text_.starts_with("[:")) {
        if (const std::size_t end = text_.find(":]", 2); end != std::string_view::npos) {
          std::string_view name = text_.substr(2, end - 2);
          const bool opposite = name.starts_with('^');
          if (opposite) name.remove_prefix(1);
          const Ranges* known = posix_class(name);
          if (!known) return bad_pattern();
          const Ranges added = opposite ? negated(*known) : *known;
          ranges.insert(ranges.end(), added.begin(), added.end());
          text_.remove_prefix(end + 2);
          continue;
        }
      }
      if (text_.size() >= 2 && text_[0] == '\\') {
        const Ranges added = perl_class(static_cast<unsigned char>(text_[1]));
        if (!added.empty()) {
          ranges.insert(ranges.end(), added.begin(), added.end());
          text_.remove_prefix(2);
          continue;
        }
      }
      const char32_t low = TRY(class_character());
      char32_t high = low;
      if (text_.size() >= 2 && text_[0] == '-' && text_[1] != ']') {
        text_.remove_prefix(1);
        high = TRY(class_character());
        if (high < low) return bad_pattern();
      }
      ranges.emplace_back(low, high);
    }
    text_.remove_prefix(1);
    return negate ? negated(ranges) : ranges;
  }

  std::string_view text_;
  std::uint32_t exit_ = 0;
  PathRegex regex_;
};

Result<PathRegex> PathRegex::compile(std::string_view expression) { return PathRegexParser(expression).run(); }

bool PathRegex::accepts(const State& state, char32_t c) const {
  const Ranges& ranges = sets_[state.set];
  const auto found = std::ranges::lower_bound(ranges, c, {}, &std::pair<char32_t, char32_t>::second);
  return found != ranges.end() && found->first <= c;
}

/// All ways at once: `current` is the set of states that the text so far can have led to.
template <class Visit>
bool PathRegex::run(std::string_view text, const Visit& at_end) const {
  std::vector<std::uint32_t> current, following, todo;
  std::vector<std::uint32_t> seen(states_.size(), 0);
  std::uint32_t round = 0;
  const auto enter = [&](std::uint32_t state, bool at_begin, std::vector<std::uint32_t>& into) {
    todo.push_back(state);
    while (!todo.empty()) {
      const std::uint32_t at = todo.back();
      todo.pop_back();
      if (seen[at] == round) continue;
      seen[at] = round;
      const State& s = states_[at];
      if (s.kind == State::Kind::split) {
        todo.push_back(s.next);
        if (s.other != ~std::uint32_t{0}) todo.push_back(s.other);
      } else if (s.kind == State::Kind::begin) {
        if (at_begin) todo.push_back(s.next);
      } else {
        into.push_back(at);
      }
    }
  };
  ++round;
  enter(start_, true, current);
  while (!text.empty() && !current.empty()) {
    const Char c = first_char(text);
    text.remove_prefix(c.length);
    ++round;
    following.clear();
    for (const std::uint32_t at : current)
      if (states_[at].kind == State::Kind::set && accepts(states_[at], c.value)) enter(states_[at].next, false, following);
    current.swap(following);
  }
  return std::ranges::any_of(current, [&](std::uint32_t at) { return at_end(states_[at]); });
}

bool PathRegex::matches(std::string_view path) const {
  return run(path, [](const State& state) { return state.kind == State::Kind::match; });
}

bool PathRegex::may_match_below(std::string_view prefix) const {
  return run(prefix, [](const State& state) { return state.kind == State::Kind::set; });
}

}  // namespace mica::dockerfile
