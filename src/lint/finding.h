/// What the linter finds, as plain values.
///
/// Coordinates: everything is a byte range of the file's source. Lines and columns (from 1, columns in bytes) are made from it where something is shown
/// (`LineIndex`), so that a place in a long RUN chain or a heredoc is as exact as one in the first line.
#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mica::lint {

/// The order is that of thresholds: a finding counts when its severity is at least as grave. `off`: the rule must be asked for.
enum class Severity : std::uint8_t { error, warning, info, style, off };
std::string_view severity_name(Severity severity);                       ///< "error", "warning", "info", "style", "ignore"
std::optional<Severity> severity_of(std::string_view name);              ///< also "ignore" and "none" (off)

/// Bytes [begin, end) of the source.
struct Span {
  std::size_t begin = 0, end = 0;
  auto operator<=>(const Span&) const = default;
};

/// Replaces `where` (empty: inserts before it) by `text`.
struct Edit {
  Span where;
  std::string text;
  bool operator==(const Edit&) const = default;
};

/// `safe`: the built file tree stays the same, less what the fix is meant to remove. `ask`: the meaning may change, only on request (--unsafe). `data`: what to write is not in
/// the file; whoever has a lock, a registry or a built image may make it.
enum class FixKind : std::uint8_t { none, safe, ask, data };

struct Fix {
  FixKind kind = FixKind::safe;
  std::string title;                 ///< what applying it does: "add --no-install-recommends"
  std::vector<Edit> edits;           ///< in source order, apart from each other
  bool operator==(const Fix&) const = default;
};

struct Rule;

struct Finding {
  const Rule* rule = nullptr;
  Severity severity = Severity::warning;   ///< after configuration
  std::string message;                     ///< one sentence, about this place
  Span where;
  int instruction_line = 0;                ///< where the instruction begins that it is about: what comment pragmas go by. 0: the file
  std::optional<Fix> fix;
  std::optional<std::int64_t> bytes;       ///< measured cost, where a builder knows it
  std::optional<double> seconds;
  std::string suppressed_by;               ///< not empty: a pragma hides it, "hadolint ignore", with the reason that it gives
};

}  // namespace mica::lint
