/// Which characters mean what in shell text. Internal.
#pragma once
#include <string_view>

namespace mica::lint::shell {

constexpr bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool continues_name(char c) { return begins_name(c) || (c >= '0' && c <= '9'); }
constexpr bool is_name(std::string_view text) {
  if (text.empty() || !begins_name(text[0])) return false;
  for (const char c : text)
    if (!continues_name(c)) return false;
  return true;
}
/// Outside quotes.
constexpr bool ends_word(char c) { return std::string_view(" \t\n;&|<>()").find(c) != std::string_view::npos; }

}  // namespace mica::lint::shell
