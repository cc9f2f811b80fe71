#include "dockerfile/words.h"

#include <algorithm>

#include "dockerfile/unicode.h"

namespace mica::dockerfile {

std::vector<std::string> split_quoted(std::string_view text, char escape) {
  std::vector<std::string> words;
  std::string word;
  bool may_be_empty = false;  // it had quotes
  char quote = 0;
  const auto finish = [&] {
    if (may_be_empty || !word.empty()) words.push_back(std::move(word));
    word.clear();
    may_be_empty = false;
  };
  for (std::size_t at = 0; at < text.size();) {
    const Char c = first_char(text.substr(at));
    const std::string_view taken = text.substr(at, c.length);
    at += c.length;
    if (quote == 0 && is_space(c.value)) {
      finish();
      continue;
    }
    if (quote == 0 && (c.value == '\'' || c.value == '"')) {
      quote = text[at - 1];
      may_be_empty = true;
    } else if (quote != 0 && taken[0] == quote) {
      quote = 0;
    } else if (taken[0] == escape && quote != '\'') {
      if (at == text.size()) break;  // an escape at the very end is dropped
      const std::size_t length = first_char(text.substr(at)).length;
      word += taken;
      word += text.substr(at, length);
      at += length;
      continue;
    }
    word += taken;
  }
  finish();
  return words;
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = text.find_first_not_of(kWordBlanks); at != std::string_view::npos;
       at = text.find_first_not_of(kWordBlanks, at)) {
    const std::size_t end = std::min(text.find_first_of(kWordBlanks, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

SplitFlags split_flags(std::string_view text) {
  SplitFlags split;
  std::size_t at = 0;
  while (true) {
    at += space_at(text.substr(at));
    if (!text.substr(at).starts_with("--")) break;
    FlagWord flag{.offset = at};
    char quote = 0;
    bool quoted = false;
    for (; at < text.size();) {
      const Char c = first_char(text.substr(at));
      if (quote == 0 && is_space(c.value)) break;
      std::string_view taken = text.substr(at, c.length);
      at += c.length;
      if (quote == 0 && (c.value == '\'' || c.value == '"')) {
        quote = taken[0];
        quoted = true;
        continue;
      }
      if (quote != 0 && taken[0] == quote) {
        quote = 0;
        continue;
      }
      if (c.value == '\\') {
        if (at == text.size()) break;
        taken = text.substr(at, first_char(text.substr(at)).length);
        at += taken.size();
      }
      flag.text += taken;
    }
    if (flag.text == "--") break;
    if (quoted || !flag.text.empty()) split.flags.push_back(std::move(flag));
  }
  split.rest = trim_space(text.substr(at));
  return split;
}

}  // namespace mica::dockerfile
