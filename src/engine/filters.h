/// `--filter key=value` of lists and prunes.
#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace mica::engine {

using Filters = std::map<std::string, std::vector<std::string>>;
using Labels = std::vector<std::pair<std::string, std::string>>;

/// Splits "key=value" words. Errors: invalid_argument (no '=', or a key that is not in `known`, with suggestion).
Result<Filters> parse_filters(const std::vector<std::string>& words, std::span<const std::string_view> known);

/// "24h" before `now`, RFC 3339, "2026-03-01", "2026-03-01T10:00:00" or Unix seconds. Errors: invalid_argument.
Result<Timestamp> parse_until(std::string_view text, Timestamp now);
/// The earliest of all `until` values; nullopt when there is none.
Result<std::optional<Timestamp>> until_of(const Filters& filters);
/// true/false/1/0. Errors: invalid_argument.
Result<std::optional<bool>> boolean_of(const Filters& filters, std::string_view key);

/// All `label=k[=v]` hold and no `label!=k[=v]` does.
bool labels_match(const Filters& filters, const Labels& labels);
/// path.Match of Go: `*` and `?` do not match '/'.
bool glob_matches(const std::string& pattern, const std::string& text);

}  // namespace mica::engine
