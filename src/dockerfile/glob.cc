// Go's filepath.Match, to which COPY sources and the syntax of ignore patterns are held.
#include <algorithm>

#include "base/format.h"
#include "dockerfile/ignore.h"
#include "dockerfile/unicode.h"

namespace mica::dockerfile {
namespace {

std::unexpected<Error> bad_pattern(std::string_view pattern) {
  return failf(Errc::invalid_argument, "syntax error in pattern {}", quoted(pattern));
}

/// The part of a pattern up to the next star outside of brackets.
std::size_t chunk_length(std::string_view pattern) {
  bool in_brackets = false;
  std::size_t i = 0;
  for (; i < pattern.size(); ++i) {
    if (pattern[i] == '\\')
      ++i;
    else if (pattern[i] == '[')
      in_brackets = true;
    else if (pattern[i] == ']')
      in_brackets = false;
    else if (pattern[i] == '*' && !in_brackets)
      break;
  }
  return std::min(i, pattern.size());
}

/// Takes one character of a class, escaped perhaps; false when the class is malformed.
bool take_class_character(std::string_view& chunk, char32_t& c) {
  if (chunk.empty() || chunk[0] == '-' || chunk[0] == ']') return false;
  if (chunk[0] == '\\') chunk.remove_prefix(1);
  if (chunk.empty()) return false;
  const Char taken = first_char(chunk);
  if (taken.value == 0xfffd && taken.length == 1) return false;
  c = taken.value;
  chunk.remove_prefix(taken.length);
  return !chunk.empty();
}

enum class Fit { yes, no, malformed };

/// Takes the class at the start of `chunk` and tells whether `c` is in it.
Fit take_class(std::string_view& chunk, char32_t c) {
  chunk.remove_prefix(1);
  const bool negated = chunk.starts_with('^');
  if (negated) chunk.remove_prefix(1);
  bool in = false;
  for (bool first = true; first || !chunk.starts_with(']'); first = false) {
    char32_t low = 0;
    if (!take_class_character(chunk, low)) return Fit::malformed;
    char32_t high = low;
    if (chunk[0] == '-') {
      chunk.remove_prefix(1);
      if (!take_class_character(chunk, high)) return Fit::malformed;
    }
    in = in || (low <= c && c <= high);
  }
  chunk.remove_prefix(1);
  return in != negated ? Fit::yes : Fit::no;
}

/// Takes what a chunk (without stars) matches from the start of `name`. The whole chunk is read even when it does not fit: a
/// mistake in it is an error all the same.
Fit take_chunk(std::string_view chunk, std::string_view& name) {
  std::string_view rest = name;
  bool failed = false;
  while (!chunk.empty()) {
    failed = failed || rest.empty();
    const Char c = failed ? Char{} : first_char(rest);
    if (chunk[0] == '[') {
      const Fit fit = take_class(chunk, c.value);
      if (fit == Fit::malformed) return fit;
      failed = failed || fit == Fit::no;
      if (!failed) rest.remove_prefix(c.length);
      continue;
    }
    if (chunk[0] == '?') {
      failed = failed || c.value == '/';
      if (!failed) rest.remove_prefix(c.length);
    } else {
      if (chunk[0] == '\\') chunk.remove_prefix(1);
      if (chunk.empty()) return Fit::malformed;
      failed = failed || chunk[0] != rest[0];
      if (!failed) rest.remove_prefix(1);
    }
    chunk.remove_prefix(1);
  }
  if (failed) return Fit::no;
  name = rest;
  return Fit::yes;
}

}  // namespace

Result<bool> match_path(std::string_view pattern, std::string_view path) {
  const std::string_view whole = pattern;
  while (!pattern.empty()) {
    const bool star = pattern[0] == '*';
    pattern.remove_prefix(std::min(pattern.find_first_not_of('*'), pattern.size()));
    const std::string_view chunk = pattern.substr(0, chunk_length(pattern));
    pattern.remove_prefix(chunk.size());
    if (star && chunk.empty()) return path.find('/') == std::string_view::npos;

    // A star takes as little as possible; the last chunk must reach the end.
    Fit fit = Fit::no;
    for (std::size_t skipped = 0;; ++skipped) {
      std::string_view rest = path.substr(skipped);
      fit = take_chunk(chunk, rest);
      if (fit == Fit::yes && pattern.empty() && !rest.empty()) fit = Fit::no;
      if (fit == Fit::yes) path = rest;
      if (fit != Fit::no || !star || skipped >= path.size() || path[skipped] == '/') break;
    }
    if (fit == Fit::malformed) return bad_pattern(whole);
    if (fit == Fit::no) return false;  // Go does not look for mistakes in the chunks that are left
  }
  return path.empty();
}

bool has_wildcard(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (std::string_view("*?[").find(text[i]) != std::string_view::npos)
      return true;
  }
  return false;
}

}  // namespace mica::dockerfile
