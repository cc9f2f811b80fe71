/// The classes of characters that Go's unicode package has and the language's rules were written with: names of variables may hold
/// letters of any script, and every kind of blank is trimmed. Bytes that are not UTF-8 count as U+FFFD, one byte long.
#pragma once
#include <string>
#include <string_view>

namespace mica::dockerfile {

struct Char {
  char32_t value = 0;
  int length = 0;
};
/// The first character of a text that is not empty.
Char first_char(std::string_view text);
void append_utf8(std::string& out, char32_t c);

bool is_space(char32_t c);    ///< unicode.IsSpace
bool is_letter(char32_t c);   ///< unicode.IsLetter
bool is_digit(char32_t c);    ///< unicode.IsDigit: decimal digits of every script

std::string_view trim_space(std::string_view text);        ///< strings.TrimSpace
std::string_view trim_space_left(std::string_view text);
/// Length in bytes of the blanks at the start of `text`.
std::size_t space_at(std::string_view text);

}  // namespace mica::dockerfile
