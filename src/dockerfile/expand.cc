#include "dockerfile/expand.h"

#include "dockerfile/shell_lexer.h"

namespace mica::dockerfile {

Result<Expansion> expand(std::string_view text, const Lookup& lookup, const ExpandOptions& options) {
  Lexed lexed = TRY(lex_shell(text, lookup,
                              {.escape = options.escape,
                               .raw_quotes = options.for_display,
                               .skip_quotes = options.keep_quotes,
                               .keep_unset = options.for_display}));
  return std::move(lexed.expansion);
}

Result<std::vector<std::string>> expand_words(std::string_view text, const Lookup& lookup, const ExpandOptions& options) {
  Lexed lexed = TRY(lex_shell(text, lookup, {.escape = options.escape, .skip_quotes = options.keep_quotes, .want_words = true}));
  return std::move(lexed.words);
}

}  // namespace mica::dockerfile
