/// From bytes to logical lines: physical lines, directives, comments, continuations. Internal to the module.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dockerfile/diagnostics.h"
#include "dockerfile/tree.h"

namespace mica::dockerfile {

/// One instruction's text without continuations and comments.
struct LogicalLine {
  std::string text;                     ///< left blanks of the first physical line removed, everything else kept
  std::vector<TextPiece> pieces;
  std::vector<std::string> comments;
  int line = 0, end_line = 0;

  Range where() const { return {line, pieces.empty() ? 1 : pieces.front().column, end_line}; }
};

/// Place of byte `offset` of a line made of `pieces`; `end_line` stays 0.
Range place_of(const std::vector<TextPiece>& pieces, std::size_t offset);

class LineReader {
 public:
  /// `source` outlives the reader. Warns of empty continuation lines; an overlong line is an error and ends the file there.
  LineReader(std::string_view source, Diagnostics& diagnostics) : rest_(source), diagnostics_(diagnostics) {}

  /// nullopt at the end of the file.
  std::optional<LogicalLine> next();
  /// The next physical line with its line end, as it is: for bodies of here-documents. nullopt at the end.
  std::optional<std::string_view> next_physical();

  char escape() const { return escape_; }
  int line() const { return line_; }    ///< number of the last physical line read; 0: none yet
  bool failed() const { return failed_; }
  /// To look ahead in a file that is wrong already: take a copy of the position, and go back to it.
  struct Mark {
    std::string_view rest;
    int line = 0;
  };
  Mark mark() const { return {rest_, line_}; }
  void go_back(const Mark& mark) { rest_ = mark.rest, line_ = mark.line; }

 private:
  bool take_directive(std::string_view line);   ///< true: it was one
  bool ends_with_continuation(std::string_view& line) const;

  std::string_view rest_;
  Diagnostics& diagnostics_;
  int line_ = 0;
  char escape_ = '\\';
  bool directives_over_ = false, failed_ = false;
  int seen_syntax_ = 0, seen_escape_ = 0, seen_check_ = 0;   // line numbers
  std::vector<std::string> comments_;
};

struct FoundDirective {
  std::string value;
  int line = 0;
};
/// A directive anywhere in the block at the top of the file, which may follow a line that begins with "#!". `comment` is "#" or
/// "//". nullopt: there is none.
std::optional<FoundDirective> find_directive(std::string_view source, std::string_view name, std::string_view comment);

}  // namespace mica::dockerfile
