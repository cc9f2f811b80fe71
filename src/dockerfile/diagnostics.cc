#include "dockerfile/diagnostics.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "base/utf8.h"
#include "dockerfile/parser.h"

namespace mica::dockerfile {
namespace {

constexpr int kContextLines = 2;
constexpr int kShownLines = 12;  // of a long range
constexpr std::size_t kShownWidth = 200;
constexpr std::size_t kShownErrors = 10;
constexpr std::size_t kMessageBytes = 500;  // words of the file are part of messages

std::vector<Diagnostic> in_line_order(std::vector<Diagnostic> list) {
  std::ranges::stable_sort(list, {}, [](const Diagnostic& d) { return d.where.line; });
  return list;
}

std::string shortened(std::string message) {
  if (message.size() <= kMessageBytes) return message;
  std::size_t end = kMessageBytes;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0) == 0x80) --end;
  message.resize(end);
  return message + "...";
}

/// A line as it may be shown: no control characters but tabs, nothing that is not UTF-8, not too long.
std::string printable(std::string_view line) {
  std::string out;
  while (!line.empty()) {
    if (out.size() >= kShownWidth) return out + "...";
    const CodePoint point = first_code_point(line);
    const bool control = (point.value < 0x20 && point.value != '\t') || (point.value >= 0x7f && point.value < 0xa0);
    if (point.length == 0 || control)
      out += point.length == 0 ? "\xef\xbf\xbd" : ".";
    else
      out += line.substr(0, point.length);
    line.remove_prefix(std::max(point.length, 1));
  }
  return out;
}

/// Blanks as wide as `text`, tabs kept.
std::string blank_copy(std::string_view text) {
  std::string out;
  for (const char c : text)
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) out += c == '\t' ? '\t' : ' ';
  return out;
}

}  // namespace

void Diagnostics::error(const Range& where, std::string message, std::string suggestion, std::string_view code) {
  if (full()) return;
  errors_.push_back({.level = Diagnostic::Level::error,
                     .code = std::string(code),
                     .message = shortened(std::move(message)),
                     .suggestion = std::move(suggestion),
                     .where = where});
}

void Diagnostics::warning(std::string_view code, const Range& where, std::string message) {
  if (warnings_.size() >= kMaxWarnings) return;
  warnings_.push_back(
      {.level = Diagnostic::Level::warning, .code = std::string(code), .message = shortened(std::move(message)), .where = where});
}

bool Diagnostics::full() const { return errors_.size() >= kMaxErrors; }

std::vector<Diagnostic> Diagnostics::take_errors() { return in_line_order(std::move(errors_)); }
std::vector<Diagnostic> Diagnostics::take_warnings() { return in_line_order(std::move(warnings_)); }

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  const auto near = closest(word, known);
  return near ? format("did you mean {}?", *near) : "";
}

std::string text_of(const Diagnostic& diagnostic) {
  if (diagnostic.suggestion.empty()) return diagnostic.message;
  return format("{} ({})", diagnostic.message, diagnostic.suggestion);
}

std::string excerpt(std::string_view source, const Range& where) {
  if (where.line <= 0) return "";
  const int last_marked = std::max(where.line, where.end_line);
  const int first = std::max(1, where.line - kContextLines), last = last_marked + kContextLines;
  std::string out;
  int number = 1;
  for (std::size_t at = 0; at < source.size() && number <= last; ++number) {
    std::string_view line = source.substr(at, source.find('\n', at) - at);
    at += line.size() + 1;
    if (number < first) continue;
    if (number == where.line + kShownLines && last_marked > number) {
      out += "     | >>> ...\n";
      return out;
    }
    line = trim_right(line, "\r");
    const bool marked = number >= where.line && number <= last_marked;
    std::string shown = format("{:>4} | {}{}", number, marked ? ">>> " : "    ", printable(line));
    out += trim_right(shown, " ");
    out += '\n';
    if (number == where.line && where.column > 1 &&
        static_cast<std::size_t>(where.column) <= std::min(line.size() + 1, kShownWidth))
      out += format("     |     {}^\n", blank_copy(line.substr(0, where.column - 1)));
  }
  return out;
}

Result<File> parse_file(std::string name, std::string_view text) {
  Parsed parsed = parse(std::move(name), text);
  if (parsed.errors.empty()) return std::move(parsed.file);
  const Diagnostic& first = parsed.errors.front();
  const auto place = [&](const Diagnostic& d) {
    if (d.where.line <= 0) return parsed.file.name;
    const std::string line = format("{}:{}", parsed.file.name, d.where.line);
    return d.where.column > 1 ? format("{}:{}", line, d.where.column) : line;
  };
  std::string shown = excerpt(text, first.where);
  for (std::size_t i = 1; i < std::min(parsed.errors.size(), kShownErrors); ++i) {
    const Diagnostic& further = parsed.errors[i];
    shown += format("{}: {}\n{}", place(further), text_of(further), excerpt(text, further.where));
  }
  if (parsed.errors.size() > kShownErrors) shown += format("and {} more errors\n", parsed.errors.size() - kShownErrors);
  const bool placed = first.where.line > 0;
  Error error(Errc::invalid_argument, placed ? text_of(first) : format("{}: {}", parsed.file.name, text_of(first)));
  const int column = first.where.column > 1 ? first.where.column : 0;
  return fail(std::move(error).at({parsed.file.name, first.where.line, column, std::move(shown)}));
}

}  // namespace mica::dockerfile
