/// Finding here-documents in a line. Internal to the module.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dockerfile/tree.h"

namespace mica::dockerfile {

/// "[fd]<<[-]WORD" filling the whole text; its body is not there yet. nullopt: something else, or a WORD with an open quote.
std::optional<Heredoc> parse_heredoc_word(std::string_view text);
/// Those of a whole line, in order. The escape is always the backslash here. A line with an open quote or with a substitution that
/// the lexer does not know has none.
std::vector<Heredoc> find_heredocs(std::string_view line);

/// Whether `line` (with its line end) ends the body.
bool ends_heredoc(const Heredoc& heredoc, std::string_view line);
/// Sets body and raw.
void set_body(Heredoc& heredoc, std::string raw);

}  // namespace mica::dockerfile
