#include "cli/progress_text.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "base/format.h"
#include "base/text.h"
#include "base/utf8.h"

namespace mica::cli {
namespace {

constexpr std::size_t kMaxLineBytes = 4 << 10;   // of a kept line; beyond it only the start is of use to a reader
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

struct Range {
  std::uint32_t first, last;
};
// Blocks of wide characters (East Asian Width W and F, emoji), coarse: a wrong guess moves a time by a column.
constexpr Range kWide[] = {{0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x2614, 0x2615},   {0x26a1, 0x26a1},
                           {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},   {0x274c, 0x274c},   {0x2753, 0x2755},
                           {0x2795, 0x2797},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},
                           {0xa960, 0xa97c},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},
                           {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f7e0, 0x1f7eb}, {0x1f900, 0x1f9ff},
                           {0x1fa70, 0x1faff}, {0x20000, 0x3fffd}};
constexpr Range kNoWidth[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},   {0x64b, 0x65f},
                              {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x2064},
                              {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef}};

bool within(std::span<const Range> ranges, std::uint32_t value) {
  const auto found = std::upper_bound(ranges.begin(), ranges.end(), value, [](std::uint32_t v, const Range& range) { return v < range.first; });
  return found != ranges.begin() && value <= std::prev(found)->last;
}

int columns_of(std::uint32_t value) { return value < 0x300 ? 1 : within(kNoWidth, value) ? 0 : within(kWide, value) ? 2 : 1; }

/// Bytes of the escape sequence at the start of `text` (ECMA-48: CSI, strings such as OSC, and short ones).
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2) return text.size();
  if (text[1] == '[') {
    std::size_t at = 2;
    while (at < text.size() && text[at] >= 0x20 && text[at] <= 0x3f) ++at;
    return std::min(at + 1, text.size());
  }
  if (std::string_view("]P^_X").find(text[1]) != std::string_view::npos) {
    for (std::size_t at = 2; at < text.size(); ++at) {
      if (text[at] == '\a') return at + 1;
      if (text[at] == '\x1b') return at + 1 < text.size() && text[at + 1] == '\\' ? at + 2 : at;
    }
    return text.size();
  }
  std::size_t at = 1;
  while (at < text.size() && text[at] >= 0x20 && text[at] <= 0x2f) ++at;
  return std::min(at + 1, text.size());
}

bool is_colour(std::string_view sequence) { return sequence.starts_with("\x1b[") && sequence.ends_with('m'); }

std::string cleaned(std::string_view text, bool pass_through) {
  std::string out;
  out.reserve(text.size());
  int column = 0;
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text[0]);
    if (byte == 0x1b) {
      const std::size_t length = escape_length(text);
      if (pass_through && is_colour(text.substr(0, length))) out += text.substr(0, length);
      text.remove_prefix(length);
      continue;
    }
    if (byte < 0x20 || byte == 0x7f) {
      if (pass_through && (byte == '\t' || byte == '\n' || byte == '\r')) {
        out += text[0];
      } else if (byte == '\t') {
        const int blanks = 8 - column % 8;
        out.append(static_cast<std::size_t>(blanks), ' ');
        column += blanks;
      }
      text.remove_prefix(1);
      continue;
    }
    const CodePoint point = first_code_point(text);
    if (point.length == 0) {
      out += kReplacement;
      ++column;
      text.remove_prefix(1);
      continue;
    }
    // C1 controls are escape sequences of one character.
    if (point.value < 0x80 || point.value >= 0xa0) {
      out += text.substr(0, static_cast<std::size_t>(point.length));
      column += columns_of(point.value);
    }
    text.remove_prefix(static_cast<std::size_t>(point.length));
  }
  return out;
}

}  // namespace

std::string shown_seconds(std::int64_t ns) { return format("{:.1f}s", static_cast<double>(ns) / 1e9); }

std::string shown_stamp(std::int64_t ns) {
  const double seconds = static_cast<double>(ns) / 1e9;
  return format("{:.{}f}", seconds, seconds < 10 ? 3 : seconds < 100 ? 2 : 1);
}

std::string shown_bytes(std::int64_t bytes) {
  if (bytes < 1000) return format("{}B", bytes);
  double value = static_cast<double>(bytes);
  int unit = 0;
  for (; value >= 999.995 && unit < 5; ++unit) value /= 1000;
  return format("{:.2f}{}B", value, " kMGTP"[unit]);
}

std::string shown_moving(std::string_view what, std::int64_t done, std::int64_t total) {
  std::string text(what);
  if (done == 0 && total == 0) return text;
  if (!what.starts_with("sha256:")) text += ":";
  text += " " + shown_bytes(done);
  if (total > done) text += " / " + shown_bytes(total);
  return text;
}

std::string plain_line(std::string_view text) { return cleaned(text, false); }
std::string harmless(std::string_view text) { return cleaned(text, true); }

int columns(std::string_view text) {
  int count = 0;
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    count += point.length == 0 ? 1 : columns_of(point.value);
    text.remove_prefix(static_cast<std::size_t>(std::max(point.length, 1)));
  }
  return count;
}

std::string cut_to(std::string_view text, int width) {
  if (columns(text) <= width) return std::string(text);
  std::size_t end = 0;
  for (int used = 0; end < text.size();) {
    const CodePoint point = first_code_point(text.substr(end));
    used += point.length == 0 ? 1 : columns_of(point.value);
    if (used > width - 1) break;
    end += static_cast<std::size_t>(std::max(point.length, 1));
  }
  return width < 1 ? std::string() : std::string(text.substr(0, end)) + "…";
}

void Tail::add(std::string_view bytes, const std::string& stamp) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (!open_) {
      if (lines_.size() == most_) {
        lines_.pop_front();
        cut_ = true;
      }
      lines_.push_back({stamp, {}});
    }
    std::string& line = lines_.back().text;
    for (std::string_view piece = bytes.substr(0, end); !piece.empty();) {
      // What follows a return replaces the line, unless it is the end of a line in the style of DOS.
      const std::size_t next = std::min(piece.find('\r'), piece.size() - 1) + 1;
      if (line.ends_with('\r') && piece[0] != '\r') line.clear();
      line += piece.substr(0, std::min(next, kMaxLineBytes - std::min(line.size(), kMaxLineBytes)));
      piece.remove_prefix(next);
    }
    open_ = end == bytes.npos;
    if (open_) return;
    while (line.ends_with('\r')) line.pop_back();
    bytes.remove_prefix(end + 1);
  }
}

std::string failure_block(std::string_view title, const Tail& tail, bool terminal) {
  std::string text = format("------\n > {}:\n", title);
  for (const Tail::Line& line : tail.lines()) text += (line.stamp.empty() ? "" : line.stamp + " ") + line.text + "\n";
  text += "------\n";
  return terminal ? harmless(text) : text;
}

}  // namespace mica::cli
