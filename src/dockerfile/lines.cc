#include "dockerfile/lines.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/parser.h"
#include "dockerfile/unicode.h"

namespace mica::dockerfile {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kDirectiveBlanks = "\t\n\f\r ";
constexpr std::size_t kMaxComments = 1000;

struct Directive {
  std::string name;  // lower case
  std::string value;
};

bool is_letter_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// "# name = value" with a name that is known.
std::optional<Directive> directive_in(std::string_view line, std::string_view comment) {
  if (!line.starts_with(comment)) return std::nullopt;
  line = trim_left(line.substr(comment.size()), kDirectiveBlanks);
  std::size_t length = 0;
  while (length < line.size() && is_letter_or_digit(line[length])) ++length;
  const std::string name = to_lower(line.substr(0, length));
  if (name != "syntax" && name != "escape" && name != "check") return std::nullopt;
  line = trim_left(line.substr(length), kDirectiveBlanks);
  if (!line.starts_with('=') || line.size() == 1) return std::nullopt;
  const std::string_view value = trim(line.substr(1), kDirectiveBlanks);
  return Directive{name, std::string(value.empty() ? line.substr(line.size() - 1) : value)};
}

bool is_comment(std::string_view line) { return trim_space_left(line).starts_with('#'); }

}  // namespace

Range place_of(const std::vector<TextPiece>& pieces, std::size_t offset) {
  auto after = std::ranges::upper_bound(pieces, offset, {}, &TextPiece::offset);
  if (after == pieces.begin()) return {};
  const TextPiece& piece = *std::prev(after);
  return {piece.line, piece.column + static_cast<int>(offset - piece.offset), 0};
}

std::optional<std::string_view> LineReader::next_physical() {
  if (rest_.empty() || failed_) return std::nullopt;
  const std::size_t length = std::min(rest_.find('\n'), rest_.size());
  if (length > kMaxLineBytes) {
    // Where BuildKit reports it: at the last line that it could read.
    diagnostics_.error({line_, 1, line_}, format("dockerfile line greater than max allowed size of {}: line {} has {} bytes",
                                                 kMaxLineBytes, line_ + 1, length));
    failed_ = true;
    return std::nullopt;
  }
  const std::string_view line = rest_.substr(0, length + 1);
  rest_.remove_prefix(line.size());
  ++line_;
  return line;
}

bool LineReader::take_directive(std::string_view line) {
  if (directives_over_) return false;
  const auto directive = directive_in(line, "#");
  if (!directive) {
    directives_over_ = true;
    return false;
  }
  int& seen = directive->name == "syntax" ? seen_syntax_ : directive->name == "escape" ? seen_escape_ : seen_check_;
  if (seen > 0) {
    diagnostics_.error({seen, 1, line_}, format("only one {} parser directive can be used", directive->name));
    return true;
  }
  seen = line_;
  if (directive->name != "escape") return true;
  if (directive->value != "\\" && directive->value != "`") {
    diagnostics_.error({line_, 1, line_}, format("invalid escape token '{}' does not match ` or \\", directive->value));
    return true;
  }
  escape_ = directive->value[0];
  return true;
}

/// The escape character must be the last one but for blanks, and no second one may stand before it.
bool LineReader::ends_with_continuation(std::string_view& line) const {
  const std::string_view trimmed = trim_right(line, " \t");
  if (!trimmed.ends_with(escape_)) return false;
  const std::string_view before = trimmed.substr(0, trimmed.size() - 1);
  if (before.ends_with(escape_)) return false;
  line = before;
  return true;
}

std::optional<LogicalLine> LineReader::next() {
  while (auto physical = next_physical()) {
    std::string_view line = *physical;
    if (line_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    line = trim_right(line, "\r\n");
    line = trim_space_left(line);
    if (take_directive(line)) {
      if (diagnostics_.full()) break;
      continue;
    }
    if (line.starts_with('#')) {
      const std::string_view comment = trim_space(line.substr(1));
      if (comment.empty() || comments_.size() >= kMaxComments) comments_.clear();
      if (!comment.empty()) comments_.emplace_back(comment);
      continue;
    }
    bool continues = ends_with_continuation(line);
    if (!continues && line.empty()) continue;

    LogicalLine logical{.text = std::string(line), .line = line_};
    logical.pieces.push_back({0, line_, static_cast<int>(line.data() - physical->data()) + 1});
    bool empty_line = false;
    while (continues) {
      physical = next_physical();
      if (!physical) break;
      line = trim_right(*physical, "\r\n");
      if (is_comment(line)) continue;
      if (trim_space_left(line).empty()) {
        empty_line = true;
        continue;
      }
      continues = ends_with_continuation(line);
      logical.pieces.push_back({static_cast<std::uint32_t>(logical.text.size()), line_, 1});
      logical.text += line;
    }
    logical.end_line = line_;
    logical.comments = std::exchange(comments_, {});
    if (empty_line) diagnostics_.warning("NoEmptyContinuation", {line_, 1, line_}, "Empty continuation line");
    return logical;
  }
  return std::nullopt;
}

std::optional<FoundDirective> find_directive(std::string_view source, std::string_view name, std::string_view comment) {
  if (source.starts_with(kByteOrderMark)) source.remove_prefix(kByteOrderMark.size());
  for (int number = 1; !source.empty(); ++number) {
    const std::string_view line = source.substr(0, source.find('\n'));
    source.remove_prefix(std::min(line.size() + 1, source.size()));
    if (number == 1 && line.starts_with("#!")) continue;
    const auto directive = directive_in(trim_right(line, "\r"), comment);
    if (!directive) return std::nullopt;
    if (directive->name == name) return FoundDirective{directive->value, number};
  }
  return std::nullopt;
}

}  // namespace mica::dockerfile
