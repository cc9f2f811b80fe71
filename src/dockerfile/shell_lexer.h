/// The lexer behind expand(): quotes, escapes, variables and word splitting as BuildKit's frontend does them. One engine serves the
/// expansion of words, the bodies of here-documents, and the search for here-documents in a line, which wants quotes, escapes and
/// variables left as they are. Internal to the module.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "dockerfile/expand.h"

namespace mica::dockerfile {

struct LexOptions {
  char escape = '\\';
  bool raw_quotes = false;    ///< quotes still group but stay in the result
  bool raw_escapes = false;   ///< escapes still escape but stay in the result
  bool skip_quotes = false;   ///< quotes are ordinary characters
  bool keep_unset = false;    ///< variables that are not set stay as written
  bool want_words = false;    ///< fill Lexed::words
};

struct Lexed {
  Expansion expansion;
  std::vector<std::string> words;   ///< split at blanks that are neither quoted nor escaped; no empty ones
};

Result<Lexed> lex_shell(std::string_view text, const Lookup& lookup, const LexOptions& options);

}  // namespace mica::dockerfile
