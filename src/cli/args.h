/// Command line flags as Docker (pflag) has them. One table of `Flag`s drives parsing, `--help` and completion.
///
/// Syntax: `--flag=value`, `--flag value`, `-f value`, `-fvalue`, `-f=value`, `-it` (booleans joined, the last may take a value),
/// booleans only with `=`: `--rm=false`; `--` ends the flags. With `flags_first` the first positional ends them too (`run`).
///
/// Own parser instead of CLI11: pflag's shorthand groups, its `--bool=false`, its error texts and "known to Docker, refused here"
/// do not fit CLI11 without rewriting each of its callbacks, and building its option objects costs more than all of this.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace mica::cli {

struct Flag {
  std::string_view name;             ///< long name without dashes
  char letter = 0;                   ///< 0: none
  std::string_view type;             ///< what the help shows for the value ("string", "list"); empty: a boolean
  std::string_view help;             ///< lines separated by \n; empty: hidden
  /// Not empty: Docker has this flag and mica refuses it, with this reason ("containers in the background are not supported yet").
  std::string_view refused = {};
};

/// What was given. Flags not given are absent; for a repeated flag all values are kept in order.
class Args {
 public:
  bool has(std::string_view flag) const;
  bool flag(std::string_view flag, bool fallback = false) const;
  std::string text(std::string_view flag, std::string_view fallback = "") const;   ///< the last value
  std::vector<std::string> list(std::string_view flag) const;
  /// Flags in order of appearance, with values ("true"/"false" for booleans).
  const std::vector<std::pair<std::string_view, std::string>>& given() const { return given_; }
  const std::vector<std::string>& positionals() const { return positionals_; }
  const std::string& positional(std::size_t index) const { return positionals_[index]; }

 private:
  friend Result<Args> parse_args(std::span<const Flag>, std::span<const std::string>, bool);
  std::vector<std::pair<std::string_view, std::string>> given_;
  std::vector<std::string> positionals_;
};

/// Errors: invalid_argument with pflag's text ("unknown flag: --x", "flag needs an argument: --filter") and, for a misspelt flag,
/// the suggestion as hint; unsupported for refused flags. `--help` is always known and appears in `given`.
Result<Args> parse_args(std::span<const Flag> flags, std::span<const std::string> words, bool flags_first);

/// The "Options:" lines of a help page, as Docker lays them out.
std::string flag_help(std::span<const Flag> flags);

}  // namespace mica::cli
