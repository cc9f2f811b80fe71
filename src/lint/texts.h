/// Words of instructions with their places, and the edits that rules make of them.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "lint/inspection.h"

namespace mica::lint {

/// Bytes [begin, end) of an instruction's text.
struct TextWord {
  std::string_view text;
  std::size_t begin = 0, end = 0;
};
/// Split at blanks, whatever the quotes; from byte `from` on.
std::vector<TextWord> find_words(std::string_view text, std::size_t from = 0);
/// Words of ENV, LABEL and ARG: quotes and escapes group and stay.
std::vector<TextWord> find_quoted_words(std::string_view text, std::size_t from, char escape);
/// What the words of an instruction are, after its keyword and flags.
std::vector<TextWord> arguments(const Inspection& inspection, const dockerfile::Instruction& instruction);
/// Of a FROM line: the image, and AS with the name when there is one.
struct FromWords {
  TextWord image, as, name;
  TextWord platform;                 ///< "--platform=..." whole; empty text: none
};
FromWords from_words(const dockerfile::Stage& stage);

/// Place of the flag "--name..." of an instruction, whole; nullopt: it is not given.
std::optional<TextWord> find_flag(const Inspection& inspection, const dockerfile::Instruction& instruction, std::string_view name);
/// Place of "$name" or "${name...}" in an instruction's text, braces included.
std::optional<TextWord> find_variable(std::string_view text, std::string_view name);

/// Letters, digits and underscores: what a variable that is written as a fix may be called.
bool is_plain_name(std::string_view name);

/// Quotes around a whole word taken off (one pair).
std::string_view without_quotes(std::string_view text);
/// As an argument of JSON form: ["a", "b"].
std::string json_form(const std::vector<std::string>& words);

/// Takes the lines of an instruction out of the file; comments above it stay.
Edit remove_lines(const Inspection& inspection, const dockerfile::Instruction& instruction);
Fix one_edit(FixKind kind, std::string title, Span where, std::string text);

}  // namespace mica::lint
