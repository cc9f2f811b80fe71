#include "cli/template_lexer.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace mica::cli::go {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
bool is_blank(char c) { return kBlanks.find(c) != kBlanks.npos; }
bool is_word(char c) {
  return c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Item> run() {
    while (at_ < text_.size()) {
      if (!plain()) return std::move(items_);
    }
    emit(Token::end, at_, "");
    return std::move(items_);
  }

 private:
  void emit(Token token, std::size_t position, std::string_view text) {
    for (; counted_ < position; ++counted_)
      if (text_[counted_] == '\n') ++line_;
    items_.push_back({token, position, std::string(text), line_});
  }
  bool fail_with(std::string message) {
    emit(Token::error, std::min(at_, text_.size()), message);
    return false;
  }
  bool starts(std::string_view prefix) const { return text_.substr(at_).starts_with(prefix); }
  bool trim_marker_left(std::size_t at) const { return at + 1 < text_.size() && text_[at] == '-' && is_blank(text_[at + 1]); }
  bool trim_marker_right(std::size_t at) const {
    return at + 3 < text_.size() + 0 && is_blank(text_[at]) && text_[at + 1] == '-' && text_.substr(at + 2).starts_with("}}");
  }

  bool plain() {
    const std::size_t open = text_.find("{{", at_);
    std::string_view run = text_.substr(at_, open == text_.npos ? text_.npos : open - at_);
    if (trim_next_) run = trim_left(run, kBlanks);
    const std::size_t begin = static_cast<std::size_t>(run.data() - text_.data());
    trim_next_ = false;
    if (open == text_.npos) {
      if (!run.empty()) emit(Token::text, begin, run);
      at_ = text_.size();
      return true;
    }
    const bool trimming = trim_marker_left(open + 2);
    if (trimming) run = trim_right(run, kBlanks);
    if (!run.empty()) emit(Token::text, begin, run);
    at_ = open + 2 + (trimming ? 2 : 0);
    if (starts("/*")) return comment();
    emit(Token::left, open, "{{");
    parens_ = 0;
    return inside();
  }

  bool comment() {
    const std::size_t close = text_.find("*/", at_);
    if (close == text_.npos) return fail_with("unclosed comment");
    at_ = close + 2;
    if (trim_marker_right(at_)) {
      trim_next_ = true;
      at_ += 4;
    } else if (starts("}}")) {
      at_ += 2;
    } else {
      return fail_with("comment ends before closing delimiter");
    }
    return true;
  }

  bool inside() {
    for (;;) {
      if (trim_marker_right(at_) || starts("}}")) {
        const bool trimming = !starts("}}");
        if (parens_ > 0) return fail_with("unclosed left paren");
        emit(Token::right, at_ + (trimming ? 2 : 0), "}}");
        at_ += trimming ? 4 : 2;
        trim_next_ = trimming;
        return true;
      }
      if (at_ >= text_.size()) return fail_with("unclosed action");
      if (!token()) return false;
    }
  }

  bool token() {
    const char c = text_[at_];
    const std::size_t begin = at_;
    if (is_blank(c)) {
      while (at_ < text_.size() && is_blank(text_[at_]) && !trim_marker_right(at_)) ++at_;
      if (at_ > begin) emit(Token::space, begin, text_.substr(begin, at_ - begin));
      return true;
    }
    auto single = [&](Token token, std::size_t n = 1) {
      at_ += n;
      emit(token, begin, text_.substr(begin, n));
      return true;
    };
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : 0;
    switch (c) {
      case '=': return single(Token::assign);
      case ':': return next == '=' ? single(Token::declare, 2) : fail_with("expected :=");
      case '|': return single(Token::pipe);
      case ',': return single(Token::comma);
      case '(': ++parens_; return single(Token::left_paren);
      case ')':
        if (--parens_ < 0) return fail_with("unexpected right paren");
        return single(Token::right_paren);
      case '"': return quote();
      case '`': return raw_quote();
      case '\'': return character();
      case '$': ++at_; return word(begin, Token::variable);
      case '.':
        if (next < '0' || next > '9') {
          ++at_;
          return word(begin, Token::field);
        }
        return number();
      default: break;
    }
    if (c == '+' || c == '-' || (c >= '0' && c <= '9')) return number();
    if (is_word(c)) return word(begin, Token::identifier);
    if (c >= 0x20 && c < 0x7f) return single(Token::other);
    return fail_with(format("unrecognized character in action: U+{:04X} '{}'", static_cast<unsigned char>(c), c));
  }

  bool terminated() {
    if (at_ >= text_.size()) return true;
    const char c = text_[at_];
    return is_blank(c) || std::string_view(".,|:()=").find(c) != std::string_view::npos || starts("}}");
  }
  bool word(std::size_t begin, Token token) {
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    const std::string_view found = text_.substr(begin, at_ - begin);
    if (token == Token::field && found.size() == 1) {
      emit(Token::dot, begin, ".");
      return true;
    }
    if (!terminated()) {
      const char c = text_[at_];
      return fail_with(format("bad character U+{:04X} '{}'", static_cast<unsigned char>(c), c));
    }
    if (token == Token::identifier) {
      static constexpr std::string_view kKeywords[] = {"block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"};
      if (std::find(std::begin(kKeywords), std::end(kKeywords), found) != std::end(kKeywords)) token = Token::keyword;
      else if (found == "true" || found == "false") token = Token::boolean;
      else if (found == "nil") token = Token::nil;
    }
    emit(token, begin, found);
    return true;
  }
  bool number() {
    const std::size_t begin = at_;
    if (text_[at_] == '+' || text_[at_] == '-') ++at_;
    std::string_view digits = "0123456789_";
    if (starts("0x") || starts("0X")) at_ += 2, digits = "0123456789abcdefABCDEF_";
    else if (starts("0o") || starts("0O")) at_ += 2;
    else if (starts("0b") || starts("0B")) at_ += 2;
    auto run = [&] { while (at_ < text_.size() && digits.find(text_[at_]) != digits.npos) ++at_; };
    run();
    if (at_ < text_.size() && text_[at_] == '.') ++at_, run();
    if (digits.size() == 11 && at_ < text_.size() && (text_[at_] | 32) == 'e') {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      run();
    }
    if (at_ < text_.size() && is_word(text_[at_])) {
      ++at_;
      return fail_with(format("bad number syntax: {}", quoted(text_.substr(begin, at_ - begin))));
    }
    emit(Token::number, begin, text_.substr(begin, at_ - begin));
    return true;
  }
  bool quote() {
    const std::size_t begin = at_++;
    for (; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '"') {
        ++at_;
        emit(Token::string, begin, text_.substr(begin, at_ - begin));
        return true;
      }
    }
    return fail_with("unterminated quoted string");
  }
  bool raw_quote() {
    const std::size_t begin = at_;
    const std::size_t close = text_.find('`', at_ + 1);
    if (close == text_.npos) return fail_with("unterminated raw quoted string");
    at_ = close + 1;
    emit(Token::raw_string, begin, text_.substr(begin, at_ - begin));
    return true;
  }
  bool character() {
    const std::size_t begin = at_++;
    for (; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '\'') {
        ++at_;
        emit(Token::character, begin, text_.substr(begin, at_ - begin));
        return true;
      }
    }
    return fail_with("unterminated character constant");
  }

  std::string_view text_;
  std::size_t at_ = 0, counted_ = 0;
  int line_ = 1, parens_ = 0;
  bool trim_next_ = false;
  std::vector<Item> items_;
};

}  // namespace

std::string Item::shown() const {
  if (token == Token::end) return "EOF";
  if (token == Token::error) return text;
  if (token == Token::keyword || token == Token::dot || token == Token::nil) return "<" + text + ">";
  if (text.size() > 10) return quoted(text.substr(0, 10)) + "...";
  return quoted(text);
}

std::vector<Item> lex(std::string_view text) { return Lexer(text).run(); }

}  // namespace mica::cli::go
