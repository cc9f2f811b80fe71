#include "dockerfile/heredoc.h"

#include <algorithm>

#include "base/text.h"
#include "dockerfile/parser.h"
#include "dockerfile/shell_lexer.h"

namespace mica::dockerfile {
namespace {

/// The one word in `text`; empty when there is another number of words or an error.
std::string only_word(std::string_view text, bool raw_quotes) {
  auto lexed = lex_shell(text, nullptr, {.raw_quotes = raw_quotes, .keep_unset = true, .want_words = true});
  return lexed && lexed->words.size() == 1 ? lexed->words[0] : "";
}

std::ptrdiff_t quotes_in(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return c == '\'' || c == '"'; });
}

}  // namespace

std::optional<Heredoc> parse_heredoc_word(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view number = text.substr(0, digits);
  text.remove_prefix(digits);
  if (!text.starts_with("<<")) return std::nullopt;
  text.remove_prefix(2);
  Heredoc heredoc;
  heredoc.strip_tabs = text.starts_with('-');
  if (heredoc.strip_tabs) text.remove_prefix(1);
  text = trim_left(text, "\t\n\f\r ");
  if (text.empty() || text.find('<') != std::string_view::npos) return std::nullopt;
  heredoc.name = only_word(text, false);
  if (heredoc.name.empty()) return std::nullopt;
  // Quotes that the lexer removes are those that quote.
  heredoc.expand = quotes_in(heredoc.name) == quotes_in(only_word(text, true));
  if (const auto fd = parse_int(number)) heredoc.fd = static_cast<int>(std::min<std::int64_t>(*fd, 1 << 20));
  return heredoc;
}

std::vector<Heredoc> find_heredocs(std::string_view line) {
  std::vector<Heredoc> found;
  if (line.find("<<") == std::string_view::npos) return found;
  const auto lexed = lex_shell(line, nullptr, {.raw_quotes = true, .raw_escapes = true, .keep_unset = true, .want_words = true});
  if (!lexed) return found;
  for (const std::string& word : lexed->words)
    if (auto heredoc = parse_heredoc_word(word)) found.push_back(std::move(*heredoc));
  return found;
}

bool ends_heredoc(const Heredoc& heredoc, std::string_view line) {
  line = trim_right(line, "\r\n");
  if (heredoc.strip_tabs) line = trim_left(line, "\t");
  return line == heredoc.name;
}

void set_body(Heredoc& heredoc, std::string raw) {
  if (!heredoc.strip_tabs) {
    heredoc.body = std::move(raw);
    return;
  }
  heredoc.body.clear();
  for (std::string_view rest = raw; !rest.empty();) {
    const std::string_view line = rest.substr(0, std::min(rest.find('\n'), rest.size() - 1) + 1);
    rest.remove_prefix(line.size());
    heredoc.body += trim_left(line, "\t");
  }
  heredoc.raw = std::move(raw);
}

ShellInput shell_input(const CommandLine& command) {
  if (command.words.empty()) return {};
  ShellInput input{.text = command.words[0]};
  if (command.exec_form || command.heredocs.empty()) return input;
  if (parse_heredoc_word(input.text)) {
    const Heredoc& only = command.heredocs[0];
    const std::string& first_seen = only.strip_tabs ? only.raw : only.body;
    if (first_seen.starts_with("#!")) input.script = &only;
    input.text = only.body;
    return input;
  }
  for (const Heredoc& heredoc : command.heredocs) {
    input.text += '\n';
    input.text += heredoc.strip_tabs ? heredoc.raw : heredoc.body;
    input.text += heredoc.name;
  }
  return input;
}

}  // namespace mica::dockerfile
