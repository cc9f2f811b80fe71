/// Tokens of a template.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace mica::cli::go {

enum class Token { error, end, text, left, right, space, dot, field, variable, identifier, keyword, boolean, nil, number, character, string,
                   raw_string, pipe, declare, assign, left_paren, right_paren, comma, other };

struct Item {
  Token token = Token::end;
  std::size_t position = 0;
  std::string text;
  int line = 1;
  std::string shown() const;   ///< as in Go's "unexpected %s"
};

/// The whole text; stops at the first error item or at `end`.
std::vector<Item> lex(std::string_view text);

}  // namespace mica::cli::go
