/// Pieces of progress that all its forms share: numbers as buildx shows them, the end of a step's output, and output of programs
/// made harmless for a terminal.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace mica::cli {

/// "0.0s", "12.3s".
std::string shown_seconds(std::int64_t ns);
/// Time since the step's start before a line of its output: "0.203", "12.34", "120.5".
std::string shown_stamp(std::int64_t ns);
/// "107B", "31.45kB", "1.05MB".
std::string shown_bytes(std::int64_t bytes);
/// "transferring dockerfile: 107B", "sha256:1f0c… 3.15MB / 10.00MB". A total of 0 is unknown, and so is one that is reached.
std::string shown_moving(std::string_view what, std::int64_t done, std::int64_t total);

/// Escape sequences and control characters dropped, tabs filled up to columns of 8, what is not UTF-8 replaced by U+FFFD.
std::string plain_line(std::string_view text);
/// The same but for colours, line ends and tabs, which stay: for output that is passed through to a terminal as it comes.
std::string harmless(std::string_view text);

/// Columns that plain_line() text takes on a terminal: two for wide characters, none for combining ones.
int columns(std::string_view text);
/// As much of the text as fits, with "…" at its end when something was cut.
std::string cut_to(std::string_view text, int width);

/// The last lines that a step wrote, for the report of its failure and for the live view. Bounded, whatever the step writes.
class Tail {
 public:
  struct Line {
    std::string stamp, text;             ///< text: after the last carriage return, without line end
  };
  explicit Tail(std::size_t lines) : most_(lines) {}
  void add(std::string_view bytes, const std::string& stamp);
  /// Oldest first; the last one may still grow.
  const std::deque<Line>& lines() const { return lines_; }
  bool cut() const { return cut_; }      ///< earlier lines were dropped

 private:
  std::size_t most_;
  std::deque<Line> lines_;
  bool open_ = false, cut_ = false;
};

/// buildx's block after a failure: the step's title and its last lines between rules. `terminal`: made harmless.
std::string failure_block(std::string_view title, const Tail& tail, bool terminal);

}  // namespace mica::cli
