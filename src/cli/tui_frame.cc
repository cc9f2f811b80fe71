#include "cli/tui_frame.h"

#include <algorithm>

#include "base/format.h"
#include "base/utf8.h"
#include "cli/progress_text.h"

namespace mica::cli {
namespace {

bool is_harmful(std::uint32_t value) {
  if (value < 0x20 || (value >= 0x7f && value < 0xa0)) return true;
  // Marks and overrides of direction, line and paragraph separators, and what has no width at all.
  return (value >= 0x200b && value <= 0x200f) || (value >= 0x2028 && value <= 0x202e) || (value >= 0x2060 && value <= 0x206f) || value == 0xfeff || value == 0x61c;
}

std::string escaped(std::uint32_t value) {
  switch (value) {
    case '\n': return "\\n";
    case '\t': return "\\t";
    case '\r': return "\\r";
    default: return value < 0x80 ? format("\\x{:02x}", value) : value < 0x10000 ? format("\\u{:04x}", value) : format("\\U{:08x}", value);
  }
}

/// The longest beginning of at most `width` columns. Never cuts a combining character off what it stands on.
std::string_view head(std::string_view text, int width) {
  std::size_t end = 0;
  for (int used = 0; end < text.size();) {
    const CodePoint point = first_code_point(text.substr(end));
    const auto length = static_cast<std::size_t>(std::max(point.length, 1));
    used += columns(text.substr(end, length));
    if (used > width) break;
    end += length;
  }
  return text.substr(0, end);
}

int colour_code(Style::Colour colour) {
  switch (colour) {
    case Style::Colour::red: return 31;
    case Style::Colour::green: return 32;
    case Style::Colour::yellow: return 33;
    case Style::Colour::blue: return 34;
    case Style::Colour::cyan: return 36;
    case Style::Colour::none: break;
  }
  return 0;
}

}  // namespace

std::string shown_name(std::string_view name, const Glyphs& glyphs) {
  std::string out;
  while (!name.empty()) {
    const CodePoint point = first_code_point(name);
    if (point.length == 0) out += format("\\x{:02x}", static_cast<unsigned char>(name[0]));
    else if (is_harmful(point.value) || (!glyphs.utf8 && point.value >= 0x80)) out += escaped(point.value);
    else out += name.substr(0, static_cast<std::size_t>(point.length));
    name.remove_prefix(static_cast<std::size_t>(std::max(point.length, 1)));
  }
  return out;
}

int width_of(const Line& line) {
  int width = 0;
  for (const Span& span : line) width += columns(span.text);
  return width;
}

Line fit(Line line, int width, const Glyphs& glyphs, Style fill) {
  int total = width_of(line);
  if (total > width) {
    const int mark = columns(glyphs.more());
    Line cut;
    int left = std::max(width - mark, 0);
    Style style = fill;
    for (Span& span : line) {
      const int needs = columns(span.text);
      if (needs > left) span.text = head(span.text, left);
      left -= columns(span.text);
      style = span.style;
      const bool is_cut = columns(span.text) < needs;
      if (!span.text.empty()) cut.push_back(std::move(span));
      if (is_cut) break;
    }
    if (width >= mark) cut.push_back({std::string(glyphs.more()), style});
    line = std::move(cut);
    total = width_of(line);
  }
  if (total < width) line.push_back({std::string(static_cast<std::size_t>(width - total), ' '), fill});
  return line;
}

std::vector<std::string> wrap(std::string_view text, int width, int most, const Glyphs& glyphs) {
  std::vector<std::string> lines;
  width = std::max(width, 1);
  while (!text.empty() && static_cast<int>(lines.size()) < most) {
    if (static_cast<int>(lines.size()) == most - 1 || columns(text) <= width) {
      lines.push_back(columns(text) <= width ? std::string(text) : plain_text(fit({{std::string(text), {}}}, width, glyphs)));
      break;
    }
    std::string_view part = head(text, width);
    if (part.empty()) part = text.substr(0, static_cast<std::size_t>(std::max(first_code_point(text).length, 1)));
    if (const std::size_t blank = part.rfind(' '); blank != part.npos && blank > 0 && text[part.size()] != ' ') part = part.substr(0, blank);
    lines.emplace_back(part);
    text.remove_prefix(part.size());
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  return lines;
}

std::string plain_text(const Line& line) {
  std::string text;
  for (const Span& span : line) text += span.text;
  return text;
}

std::string ansi_text(const Line& line, bool colour) {
  std::string text;
  for (const Span& span : line) {
    std::string codes;
    if (span.style.bold) codes += ";1";
    if (span.style.dim) codes += ";2";
    if (span.style.reverse) codes += ";7";
    if (colour && span.style.colour != Style::Colour::none) codes += format(";{}", colour_code(span.style.colour));
    text += codes.empty() ? span.text : format("\x1b[{}m{}\x1b[0m", codes.substr(1), span.text);
  }
  return text;
}

}  // namespace mica::cli
