/// Text in styles, as the terminal browser draws it: a frame is a list of lines of equal width. No terminal is needed to make or to test one.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace mica::cli {

struct Style {
  enum class Colour { none, green, yellow, red, blue, cyan } colour = Colour::none;
  bool bold = false, dim = false, reverse = false;
  bool operator==(const Style&) const = default;
};
struct Span {
  std::string text;                ///< harmless: made by shown_name() or by us
  Style style;
};
using Line = std::vector<Span>;

/// What the terminal can show.
struct Glyphs {
  bool utf8 = true;
  std::string_view dash() const { return utf8 ? "─" : "-"; }
  std::string_view bar() const { return utf8 ? "│" : "|"; }
  std::string_view branch() const { return utf8 ? "├── " : "|-- "; }
  std::string_view last_branch() const { return utf8 ? "└── " : "`-- "; }
  std::string_view closed_branch() const { return utf8 ? "├─⊕ " : "|-+ "; }
  std::string_view last_closed_branch() const { return utf8 ? "└─⊕ " : "`-+ "; }
  std::string_view stem() const { return utf8 ? "│   " : "|   "; }
  std::string_view more() const { return utf8 ? "…" : "~"; }
  std::string_view arrow() const { return utf8 ? "→" : "->"; }
};

/// A name as it can be shown anywhere: control characters, those that turn the direction of text, and bytes that are no UTF-8 as escapes ("\n", "\x1b", "\u202e").
/// Without UTF-8 all but ASCII.
std::string shown_name(std::string_view name, const Glyphs& glyphs);

int width_of(const Line& line);
/// Cuts and fills up to exactly `width` columns; what is cut ends in glyphs.more(). Blanks get the style `fill`.
Line fit(Line line, int width, const Glyphs& glyphs, Style fill = {});
/// Breaks at blanks where there are some. At most `most` lines, the last one cut.
std::vector<std::string> wrap(std::string_view text, int width, int most, const Glyphs& glyphs);

std::string plain_text(const Line& line);
/// With escape sequences; without colours only bold, dim and reverse.
std::string ansi_text(const Line& line, bool colour);

}  // namespace mica::cli
