/// Small string functions without locale: ASCII rules only.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace mica {

std::string_view trim(std::string_view text, std::string_view blanks = " \t\r\n\v\f");
std::string_view trim_left(std::string_view text, std::string_view blanks = " \t\r\n\v\f");
std::string_view trim_right(std::string_view text, std::string_view blanks = " \t\r\n\v\f");
/// Splits at every `separator`; "a,,b" gives three parts, "" gives one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);
/// Splits at runs of blanks; no empty parts.
std::vector<std::string_view> split_blanks(std::string_view text);
/// Splits at the first `separator`; nullopt when there is none.
std::optional<std::pair<std::string_view, std::string_view>> split_once(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string replace_all(std::string text, std::string_view from, std::string_view to);
bool is_utf8(std::string_view text);

/// Decimal integer filling the whole text; nullopt on anything else or overflow.
std::optional<std::int64_t> parse_int(std::string_view text);
std::optional<std::uint64_t> parse_octal(std::string_view text);
/// Docker's RAMInBytes: "64m", "1.5GB", "512" (bytes); units b k m g t p with optional "b"/"ib", powers of 1024.
/// Errors: invalid_argument.
Result<std::int64_t> parse_size(std::string_view text);
/// Go's time.ParseDuration: "1h30m", "250ms"; returns nanoseconds. Errors: invalid_argument.
Result<std::int64_t> parse_duration(std::string_view text);

/// Docker's decimal form with three significant digits: 0B, 7.8MB, 164MB, 1.02GB.
std::string human_size(std::int64_t bytes);
/// Docker's Ellipsis: at most `width` characters, the last of them "…".
std::string ellipsis(const std::string& text, std::size_t width);
/// Docker's ages: "Less than a second", "5 seconds", "About a minute", "3 weeks", "2 years" (without " ago").
std::string human_duration(std::int64_t seconds);

/// The known word closest to `word` (Damerau-Levenshtein distance at most 2, or 3 for words over 6 letters), for
/// "did you mean". Case is ignored. A word never matches one that shares no letter with it. nullopt when nothing is near.
std::optional<std::string> closest(std::string_view word, std::span<const std::string_view> known);

std::string hex(std::span<const unsigned char> bytes);
/// n random bytes as 2n lower-case hex digits (from getrandom).
std::string random_hex(int bytes);
std::string base64(std::string_view bytes);
/// Standard or URL alphabet, padding optional. Errors: invalid_argument.
Result<std::string> from_base64(std::string_view text);

/// path.Clean of Go: "a//b/../c" gives "a/c", "" gives ".", "/.." gives "/". Purely textual.
std::string clean_path(std::string_view path);
/// Part after the last '/', of a cleaned path; "/" for the root.
std::string base_name(std::string_view path);
/// Part before the last '/'; "/" or "." when there is none.
std::string dir_name(std::string_view path);
/// Joins and cleans; an absolute `path` replaces `base`.
std::string join_path(std::string_view base, std::string_view path);

}  // namespace mica
