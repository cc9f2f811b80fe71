#include "lint/texts.h"

#include <algorithm>

#include "base/text.h"
#include "json/json.h"

namespace mica::lint {
namespace {

constexpr std::string_view kBlanks = "\t\v\f\r ";

bool is_blank(char c) { return kBlanks.find(c) != kBlanks.npos; }
bool is_name_char(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

}  // namespace

std::vector<TextWord> find_words(std::string_view text, std::size_t from) {
  std::vector<TextWord> words;
  for (std::size_t at = text.find_first_not_of(kBlanks, from); at < text.size(); at = text.find_first_not_of(kBlanks, at)) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    words.push_back({text.substr(at, end - at), at, end});
    at = end;
  }
  return words;
}

std::vector<TextWord> find_quoted_words(std::string_view text, std::size_t from, char escape) {
  std::vector<TextWord> words;
  std::size_t at = from;
  while (at < text.size()) {
    if (is_blank(text[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    char quote = 0;
    for (; at < text.size() && (quote || !is_blank(text[at])); ++at) {
      if (text[at] == escape && quote != '\'')
        ++at;
      else if (quote)
        quote = text[at] == quote ? 0 : quote;
      else if (text[at] == '"' || text[at] == '\'')
        quote = text[at];
    }
    at = std::min(at, text.size());
    words.push_back({text.substr(begin, at - begin), begin, at});
  }
  return words;
}

std::vector<TextWord> arguments(const Inspection& inspection, const dockerfile::Instruction& instruction) {
  const std::size_t from = inspection.arguments_begin(instruction);
  if (instruction.keyword == "ENV" || instruction.keyword == "LABEL" || instruction.keyword == "ARG")
    return find_quoted_words(instruction.text, from, inspection.file.directives.escape);
  return find_words(instruction.text, from);
}

FromWords from_words(const dockerfile::Stage& stage) {
  FromWords found;
  auto words = find_words(stage.text);
  std::size_t at = 1;
  for (; at < words.size() && words[at].text.starts_with("--"); ++at)
    if (words[at].text.starts_with("--platform")) found.platform = words[at];
  if (at < words.size()) found.image = words[at];
  if (at + 2 < words.size()) found.as = words[at + 1], found.name = words[at + 2];
  return found;
}

std::optional<TextWord> find_flag(const Inspection& inspection, const dockerfile::Instruction& instruction, std::string_view name) {
  const std::size_t end = inspection.arguments_begin(instruction);
  for (const TextWord& word : find_words(std::string_view(instruction.text).substr(0, end))) {
    if (!word.text.starts_with("--")) continue;
    const std::string_view rest = word.text.substr(2);
    if (rest.starts_with(name) && (rest.size() == name.size() || rest[name.size()] == '=')) return word;
  }
  return std::nullopt;
}

std::optional<TextWord> find_variable(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find('$'); at != text.npos; at = text.find('$', at + 1)) {
    const bool brace = at + 1 < text.size() && text[at + 1] == '{';
    const std::size_t begin = at + 1 + (brace ? 1 : 0);
    if (text.substr(begin, name.size()) != name) continue;
    std::size_t end = begin + name.size();
    if (end < text.size() && is_name_char(text[end])) continue;
    if (brace) end = std::min(text.find('}', end), text.size() - 1) + 1;
    return TextWord{text.substr(at, end - at), at, end};
  }
  return std::nullopt;
}

bool is_plain_name(std::string_view name) { return !name.empty() && std::ranges::all_of(name, is_name_char); }

std::string_view without_quotes(std::string_view text) {
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front())
    return text.substr(1, text.size() - 2);
  return text;
}

std::string json_form(const std::vector<std::string>& words) {
  std::string text = "[";
  for (const std::string& word : words) {
    if (text.size() > 1) text += ", ";
    text += json::write(json::Value(word));
  }
  return text + "]";
}

Edit remove_lines(const Inspection& inspection, const dockerfile::Instruction& instruction) {
  const int last = std::max(instruction.where.line, instruction.where.end_line);
  Span where = {inspection.lines.offset(instruction.where.line, 1), inspection.lines.line(last).end};
  const std::string& source = inspection.source;
  if (const std::size_t end = source.find('\n', where.end); end != source.npos) where.end = end + 1;
  return {where, ""};
}

Fix one_edit(FixKind kind, std::string title, Span where, std::string text) {
  return {kind, std::move(title), {{where, std::move(text)}}};
}

}  // namespace mica::lint
