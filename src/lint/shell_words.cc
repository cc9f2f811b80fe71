// Words of shell text: quotes, escapes, expansions, and the bodies of here-documents.
#include <algorithm>
#include <utility>

#include "lint/shell_reader.h"
#include "lint/shell_syntax.h"

namespace mica::lint::shell {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | ((code >> 18) & 7));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

int digit_of(char c, int base) {
  int value = 99;
  if (c >= '0' && c <= '9') value = c - '0';
  if (c >= 'a' && c <= 'f') value = c - 'a' + 10;
  if (c >= 'A' && c <= 'F') value = c - 'A' + 10;
  return value < base ? value : -1;
}

/// Whether text[begin, end) is "NAME=" or "NAME+=", after which a parenthesis begins an array.
bool is_array_name(std::string_view text) {
  if (!text.ends_with('=')) return false;
  text.remove_suffix(1);
  if (text.ends_with('+')) text.remove_suffix(1);
  return is_name(text);
}

}  // namespace

void Reader::fail(std::size_t pos, std::string message) {
  if (!fault) fault = Fault{place(std::min(pos, text_.size())), std::move(message)};
}

void Reader::skip_blanks(bool comments_too) {
  while (pos_ < text_.size()) {
    const char c = text_[pos_];
    if (c == ' ' || c == '\t' || (c == '\r' && (peek(1) == '\n' || pos_ + 1 == text_.size()))) {
      ++pos_;
    } else if (c == '\\' && peek(1) == '\n') {
      pos_ += 2;
    } else if (c == '#' && comments_too) {
      comments.push_back(place(pos_));
      pos_ = std::min(text_.find('\n', pos_), text_.size());
    } else {
      return;
    }
  }
}

void Reader::skip_newlines() {
  skip_blanks();
  while (more() && peek() == '\n') {
    take_newline();
    skip_blanks();
  }
}

void Reader::take_newline() {
  ++pos_;
  for (const PendingDocument& pending : std::exchange(pending_, {})) {
    read_document(pending);
    if (fault) return;
  }
}

void Reader::read_document(const PendingDocument& pending) {
  HereDocument& document = *pending.document;
  const std::size_t begin = pos_;
  std::size_t end = text_.size();
  while (pos_ < text_.size()) {
    const std::size_t line_begin = pos_;
    const std::size_t line_end = std::min(text_.find('\n', pos_), text_.size());
    std::string_view line = text_.substr(pos_, line_end - pos_);
    pos_ = std::min(line_end + 1, text_.size());
    if (pending.strip_tabs) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
    if ((line.ends_with('\r') ? line.substr(0, line.size() - 1) : line) == pending.delimiter) {
      end = line_begin;
      break;
    }
    document.body += line;
    if (line_end < text_.size()) document.body += '\n';
  }
  document.begin = place(begin);
  document.end = place(end);
  if (document.literal) return;
  Reader body(text_.substr(0, end), places_, depth_);
  body.pos_ = begin;
  Word holder;
  body.take_expansions_until(holder, end);
  document.expansions = std::move(holder.expansions);
  if (body.fault && !fault) fault = std::move(body.fault);
}

Word Reader::word(bool regex) {
  Word word;
  const std::size_t begin = pos_;
  while (more()) {
    const char c = text_[pos_];
    if (take_part(word)) continue;
    if ((c == '<' || c == '>') && peek(1) == '(') {
      take_substitution(word, false, Expansion::Kind::process);
    } else if (c == '(') {
      const char before = pos_ > begin ? text_[pos_ - 1] : '\0';
      const bool extended = std::string_view("?*+@!").find(before) != std::string_view::npos && before != '\0';
      if (is_array_name(text_.substr(begin, pos_ - begin))) {
        (void)array_elements(word);
      } else if (regex || extended) {
        word.glob = word.glob || extended;
        take_parentheses(word);
      } else {
        break;
      }
    } else if (regex && c == '|') {
      word.text += c;
      ++pos_;
    } else if (ends_word(c) || (c == '\r' && peek(1) == '\n')) {
      break;
    } else {
      word.glob = word.glob || c == '*' || c == '?' || c == '[';
      word.text += c;
      ++pos_;
    }
  }
  word.literal = word.expansions.empty();
  word.begin = place(begin);
  word.end = std::max(word.begin, end_place(pos_));
  return word;
}

std::vector<Word> Reader::array_elements(Word& whole) {
  std::vector<Word> elements;
  const std::size_t opened = pos_++;
  const Level level(*this);
  skip_newlines();
  while (more() && peek() != ')') {
    const std::size_t before = pos_;
    elements.push_back(word());
    if (pos_ == before) fail(pos_, "a character that cannot stand in an array");
    skip_newlines();
  }
  if (!more()) fail(opened, "a parenthesis that is never closed");
  if (fault) return elements;
  ++pos_;
  whole.text += text_.substr(opened, pos_ - opened);
  for (const Word& element : elements)
    whole.expansions.insert(whole.expansions.end(), element.expansions.begin(), element.expansions.end());
  return elements;
}

bool Reader::take_part(Word& word) {
  switch (text_[pos_]) {
    case '\\':
      if (peek(1) == '\n') {
        pos_ += 2;
        return true;
      }
      word.quoted = true;
      if (pos_ + 1 < text_.size()) word.text += text_[pos_ + 1];
      pos_ = std::min(pos_ + 2, text_.size());
      return true;
    case '\'': take_single_quotes(word); return true;
    case '"': take_double_quotes(word); return true;
    case '$': take_dollar(word, false); return true;
    case '`': take_backticks(word, false); return true;
    default: return false;
  }
}

/// A group of an extended pattern or of a regular expression.
void Reader::take_parentheses(Word& word) {
  const std::size_t opened = pos_;
  const Level level(*this);
  word.text += text_[pos_++];
  while (more()) {
    if (take_part(word)) continue;
    const char c = text_[pos_];
    if (c == '(') {
      take_parentheses(word);
      continue;
    }
    word.text += c;
    ++pos_;
    if (c == ')') return;
  }
  fail(opened, "a parenthesis that is never closed");
}

void Reader::take_single_quotes(Word& word) {
  word.quoted = true;
  const std::size_t end = text_.find('\'', pos_ + 1);
  if (end == std::string_view::npos) return fail(pos_, "a single quote that is never closed");
  word.text += text_.substr(pos_ + 1, end - pos_ - 1);
  pos_ = end + 1;
}

/// $'...': the escapes of C.
void Reader::take_ansi_quotes(Word& word) {
  word.quoted = true;
  const std::size_t opened = pos_;
  pos_ += 2;
  while (pos_ < text_.size() && text_[pos_] != '\'') {
    char c = text_[pos_++];
    if (c != '\\' || pos_ >= text_.size()) {
      word.text += c;
      continue;
    }
    c = text_[pos_++];
    constexpr std::string_view kFrom = "abeEfnrtv", kTo = "\a\b\x1b\x1b\f\n\r\t\v";
    if (const std::size_t known = kFrom.find(c); known != std::string_view::npos) {
      word.text += kTo[known];
      continue;
    }
    const int base = c == 'x' || c == 'u' || c == 'U' ? 16 : c >= '0' && c <= '7' ? 8 : 0;
    if (base == 0) {
      word.text += c;
      continue;
    }
    std::size_t most = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 3;
    if (base == 8) --pos_;
    std::uint32_t code = 0;
    for (; most > 0 && digit_of(peek(), base) >= 0; --most) code = code * base + digit_of(text_[pos_++], base);
    if (c == 'u' || c == 'U')
      append_utf8(word.text, code & 0x1fffff);
    else
      word.text += static_cast<char>(code);
  }
  if (pos_ >= text_.size()) return fail(opened, "a single quote that is never closed");
  ++pos_;
}

void Reader::take_double_quotes(Word& word) {
  word.quoted = true;
  const std::size_t opened = pos_++;
  while (more()) {
    const char c = text_[pos_];
    if (c == '"') {
      ++pos_;
      return;
    }
    if (c == '$') {
      take_dollar(word, true);
    } else if (c == '`') {
      take_backticks(word, true);
    } else if (c == '\\' && peek(1) == '\n') {
      pos_ += 2;
    } else if (c == '\\' && pos_ + 1 < text_.size() && std::string_view("$`\"\\").find(peek(1)) != std::string_view::npos) {
      word.text += peek(1);
      pos_ += 2;
    } else {
      word.text += c;
      ++pos_;
    }
  }
  fail(opened, "a double quote that is never closed");
}

void Reader::take_dollar(Word& word, bool quoted) {
  const char next = peek(1);
  if (next == '(') {
    const std::size_t end = peek(2) == '(' ? arithmetic_end(pos_ + 3) : std::string_view::npos;
    if (end != std::string_view::npos) return take_arithmetic(word, end, quoted);
    return take_substitution(word, quoted, Expansion::Kind::command);
  }
  if (next == '{') return take_braces(word, quoted);
  if (next == '\'' && !quoted) return take_ansi_quotes(word);
  if (next == '"' && !quoted) {
    ++pos_;
    return take_double_quotes(word);
  }
  const std::size_t begin = pos_++;
  std::size_t length = 0;
  if (begins_name(next))
    while (continues_name(peek(length))) ++length;
  else if (next != '\0' && std::string_view("0123456789@*#?-$!").find(next) != std::string_view::npos)
    length = 1;
  if (length == 0) {
    word.text += '$';
    return;
  }
  std::string name(text_.substr(pos_, length));
  pos_ += length;
  word.text += "${" + name + "}";
  word.expansions.push_back({.kind = Expansion::Kind::variable,
                             .begin = place(begin),
                             .end = end_place(pos_),
                             .quoted = quoted,
                             .name = std::move(name)});
}

void Reader::take_braces(Word& word, bool quoted) {
  const Level level(*this);
  const std::size_t begin = pos_;
  pos_ += 2;
  std::string operation;
  // ${#x} is the length of x, ${!x} what x names; ${#} and ${!} are variables themselves.
  if ((peek() == '#' || peek() == '!') && peek(1) != '}' && (continues_name(peek(1)) || peek(1) == '@' || peek(1) == '*'))
    operation = text_[pos_++];
  std::size_t length = 0;
  if (begins_name(peek()))
    while (continues_name(peek(length))) ++length;
  else if (peek() >= '0' && peek() <= '9')
    while (peek(length) >= '0' && peek(length) <= '9') ++length;
  else if (peek() != '\0' && std::string_view("@*#?-$!").find(peek()) != std::string_view::npos)
    length = 1;
  std::string name(text_.substr(pos_, length));
  pos_ += length;
  const std::size_t rest = pos_;
  const char first = peek();
  // Within double quotes a single quote quotes only in a pattern.
  const bool single_quotes = !quoted || first == '#' || first == '%' || first == '/';
  Word inner;
  while (more() && peek() != '}') {
    const char c = text_[pos_];
    if (c == '\'' && !single_quotes)
      ++pos_;
    else if (c == '$')
      take_dollar(inner, quoted);
    else if (c == '`')
      take_backticks(inner, quoted);
    else if (!take_part(inner))
      ++pos_;
  }
  if (!more()) return fail(begin, "a brace that is never closed");
  operation += text_.substr(rest, pos_ - rest);
  ++pos_;
  word.text += "${" + name + "}";
  word.expansions.push_back({.kind = Expansion::Kind::variable,
                             .begin = place(begin),
                             .end = end_place(pos_),
                             .quoted = quoted,
                             .name = std::move(name),
                             .operation = std::move(operation)});
  std::ranges::move(inner.expansions, std::back_inserter(word.expansions));
}

/// The first of the two parentheses that close what `from` begins; npos: nothing does, or they stand apart.
std::size_t Reader::arithmetic_end(std::size_t from) const {
  std::size_t open = 0;
  for (std::size_t i = from; i < text_.size(); ++i) {
    if (text_[i] == '\\') {
      ++i;
    } else if (text_[i] == '(') {
      ++open;
    } else if (text_[i] == ')') {
      if (open-- > 0) continue;
      return i + 1 < text_.size() && text_[i + 1] == ')' ? i : std::string_view::npos;
    }
  }
  return std::string_view::npos;
}

void Reader::take_arithmetic(Word& word, std::size_t end, bool quoted) {
  const Level level(*this);
  const std::size_t begin = pos_;
  pos_ = begin + 3;
  Word inner;
  take_expansions_until(inner, end);
  if (fault) return;
  pos_ = end + 2;
  word.text += text_.substr(begin, pos_ - begin);
  word.expansions.push_back(
      {.kind = Expansion::Kind::arithmetic, .begin = place(begin), .end = end_place(pos_), .quoted = quoted});
  std::ranges::move(inner.expansions, std::back_inserter(word.expansions));
}

/// As within double quotes, up to `end`.
void Reader::take_expansions_until(Word& word, std::size_t end) {
  while (!fault && pos_ < end) {
    if (text_[pos_] == '\\')
      pos_ += 2;
    else if (text_[pos_] == '$')
      take_dollar(word, true);
    else if (text_[pos_] == '`')
      take_backticks(word, true);
    else
      ++pos_;
  }
  if (pos_ > end + 1) fail(end, "an expansion that is never closed");
  pos_ = end;
}

void Reader::take_substitution(Word& word, bool quoted, Expansion::Kind kind) {
  const Level level(*this);
  const std::size_t begin = pos_;
  pos_ += 2;
  if (fault) return;
  auto commands = std::make_shared<List>(list());
  if (!fault && peek() != ')') fail(pos_ < text_.size() ? pos_ : begin, "a substitution that is never closed");
  if (fault) return;
  ++pos_;
  word.text += text_.substr(begin, pos_ - begin);
  word.expansions.push_back(
      {.kind = kind, .begin = place(begin), .end = end_place(pos_), .quoted = quoted, .commands = std::move(commands)});
}

void Reader::take_backticks(Word& word, bool quoted) {
  const Level level(*this);
  const std::size_t begin = pos_++;
  std::string inner;
  std::vector<std::size_t> places;
  while (pos_ < text_.size() && text_[pos_] != '`') {
    if (text_[pos_] == '\\' && pos_ + 1 < text_.size()) {
      const char next = text_[pos_ + 1];
      if (next == '`' || next == '\\' || next == '$' || (next == '"' && quoted)) ++pos_;
    }
    places.push_back(place(pos_));
    inner += text_[pos_++];
  }
  if (pos_ >= text_.size()) return fail(begin, "a backtick that is never closed");
  places.push_back(place(pos_));
  ++pos_;
  if (fault) return;
  Reader reader(inner, &places, depth_);
  auto commands = std::make_shared<List>(reader.script());
  comments.insert(comments.end(), reader.comments.begin(), reader.comments.end());
  if (reader.fault) {
    fault = std::move(reader.fault);
    return;
  }
  word.text += "$(" + inner + ")";
  word.expansions.push_back({.kind = Expansion::Kind::command,
                             .begin = place(begin),
                             .end = end_place(pos_),
                             .quoted = quoted,
                             .commands = std::move(commands)});
}

}  // namespace mica::lint::shell
