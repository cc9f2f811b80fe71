/// Splitting the text of an instruction: quoted words, blanks, flags, JSON. Internal to the module.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mica::dockerfile {

/// The blanks that separate words; others (U+00A0, ...) are only trimmed at the ends.
inline constexpr std::string_view kWordBlanks = "\t\v\f\r ";

/// Words of ENV, LABEL and ARG: quotes and escapes group but stay; braces do not group. An open quote reaches to the end.
std::vector<std::string> split_quoted(std::string_view text, char escape);
/// Splits at runs of kWordBlanks, without regard to quotes; no empty words.
std::vector<std::string_view> split_words(std::string_view text);

/// "--name=value" words at the start, quotes and backslashes (whatever the escape directive says) removed.
struct FlagWord {
  std::string text;
  std::size_t offset = 0;      ///< of its first '-' in the text given
};
struct SplitFlags {
  std::vector<FlagWord> flags;
  std::string_view rest;       ///< what follows them, blanks trimmed
};
SplitFlags split_flags(std::string_view text);

/// A JSON array of strings filling the whole text.
struct JsonWords {
  enum class Kind { not_json, not_strings, strings } kind = Kind::not_json;
  std::vector<std::string> words;
};
JsonWords parse_json_words(std::string_view text);

}  // namespace mica::dockerfile
