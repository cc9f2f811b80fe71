/// Variable expansion, quote removal and word splitting, exactly as BuildKit's shell lexer (spec: dockerfile.md section 3).
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace mica::dockerfile {

/// nullopt: unset.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

struct ExpandOptions {
  char escape = '\\';
  bool keep_quotes = false;    ///< heredoc bodies: quotes stay, backslash before other characters is dropped
  bool for_display = false;    ///< quotes still count but stay, and so do variables that are not set
};

struct Expansion {
  std::string text;
  std::vector<std::string> unset;    ///< names used without default that were not set, for the lint; each once
  std::vector<std::string> defaulted;  ///< names not set that had a default or an alternative (${v:-w}, ${v:+w}); each once
};

inline constexpr int kMaxExpansionDepth = 100;              ///< of ${a:-${b:-...}}
inline constexpr std::size_t kMaxExpansionBytes = 16 << 20;  ///< of all values put in by one call; ENV A=$A$A doubles each time

/// Expands `text` as one word. Errors: invalid_argument with BuildKit's wording, `column` of the failing `$` in the message's
/// position (relative to the text, from 1); resource_exhausted (nested too deep, result too long).
Result<Expansion> expand(std::string_view text, const Lookup& lookup, const ExpandOptions& options = {});
/// Expands and splits into words at unquoted blanks (EXPOSE).
Result<std::vector<std::string>> expand_words(std::string_view text, const Lookup& lookup, const ExpandOptions& options = {});

}  // namespace mica::dockerfile
