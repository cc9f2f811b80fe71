// Every rule here is BuildKit's (frontend/dockerfile/shell), the odd ones too: an escape inside double quotes is doubled when
// escapes are kept; the words of ${v:-w} drop their escapes even then; "<<" swallows the blanks after it.
#include "dockerfile/shell_lexer.h"

#include <algorithm>

#include "base/format.h"
#include "dockerfile/shell_pattern.h"
#include "dockerfile/unicode.h"

namespace mica::dockerfile {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kShownBytes = 200;  // of a text in an error message

/// Splits what the lexer produces into words.
class WordSplitter {
 public:
  void add(std::string_view character, char32_t value) {
    if (!is_space(value)) return add_raw(character);
    if (in_word_ && !word_.empty()) finish_word();
  }
  void add_raw(std::string_view text) {
    word_ += text;
    in_word_ = true;
  }
  void add_each(std::string_view text) {
    while (!text.empty()) {
      const Char c = first_char(text);
      add(text.substr(0, c.length), c.value);
      text.remove_prefix(c.length);
    }
  }
  std::vector<std::string> take() {
    if (!word_.empty()) finish_word();
    return std::move(words_);
  }

 private:
  void finish_word() {
    words_.push_back(std::move(word_));
    word_.clear();
    in_word_ = false;
  }

  std::string word_;
  std::vector<std::string> words_;
  bool in_word_ = false;
};

bool is_special_parameter(char c) { return std::string_view("@*#?-$!0").find(c) != std::string_view::npos; }

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

class Lexer {
 public:
  Lexer(std::string_view text, const Lookup& lookup, const LexOptions& options)
      : text_(text), lookup_(lookup), options_(options), raw_escapes_(options.raw_escapes) {}

  Result<Lexed> run() {
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
    WordSplitter words;
    auto done = run_until(kToEnd, lexed_.expansion.text, options_.want_words ? &words : nullptr);
    if (!done) return std::unexpected(std::move(done).error());
    lexed_.words = words.take();
    return std::move(lexed_);
  }

 private:
  static constexpr char kToEnd = 0;

  bool at_end() const { return at_ >= text_.size(); }
  bool next_is(char c) const { return !at_end() && text_[at_] == c; }
  /// Takes one character, of several bytes perhaps; empty at the end.
  std::string_view next() {
    if (at_end()) return {};
    const std::string_view c = text_.substr(at_, first_char(text_.substr(at_)).length);
    at_ += c.size();
    return c;
  }

  template <class... Args>
  std::unexpected<Error> bad(fmt::format_string<Args...> message, Args&&... args) const {
    return fail(Error(Errc::invalid_argument, format(message, std::forward<Args>(args)...))
                    .at({.column = static_cast<int>(dollar_at_) + 1}));
  }

  /// Appends to `out` up to the end of the text, or up to `stop`, which is taken too.
  Result<> run_until(char stop, std::string& out, WordSplitter* words) {
    while (!at_end()) {
      const char c = text_[at_];
      if (stop != kToEnd && c == stop) {
        ++at_;
        return {};
      }
      if (c == '$' || c == '<' || (!options_.skip_quotes && (c == '\'' || c == '"'))) {
        const std::size_t before = out.size();
        TRY(special(c, out));
        if (!words) continue;
        const std::string_view added = std::string_view(out).substr(before);
        if (c == '$')
          words->add_each(added);
        else
          words->add_raw(added);
        continue;
      }
      std::string_view character = next();
      const bool escaped = c == options_.escape;
      if (escaped) {
        if (raw_escapes_) {
          out += character;
          if (words) words->add_raw(character);
        }
        character = next();
        if (character.empty()) break;
      }
      out += character;
      if (!words) continue;
      if (escaped)
        words->add_raw(character);
      else
        words->add(character, first_char(character).value);
    }
    if (stop == kToEnd) return {};
    return bad("unexpected end of statement while looking for matching {}", stop);
  }

  Result<> special(char c, std::string& out) {
    if (c == '\'') return single_quote(out);
    if (c == '"') return double_quote(out);
    if (c == '<') {
      possible_heredoc(out);
      return {};
    }
    return dollar(out);
  }

  void possible_heredoc(std::string& out) {
    const std::size_t from = at_++;
    if (next_is('<')) {
      ++at_;
      while (next_is(' ') || next_is('\t') || next_is('\r')) ++at_;
    }
    out += text_.substr(from, at_ - from);
  }

  Result<> single_quote(std::string& out) {
    const std::size_t from = at_, close = text_.find('\'', at_ + 1);
    if (close == std::string_view::npos) {
      dollar_at_ = from;
      at_ = text_.size();
      return bad("unexpected end of statement while looking for matching single-quote");
    }
    at_ = close + 1;
    out += options_.raw_quotes ? text_.substr(from, at_ - from) : text_.substr(from + 1, close - from - 1);
    return {};
  }

  Result<> double_quote(std::string& out) {
    const std::size_t from = at_++;
    if (options_.raw_quotes) out += '"';
    while (!at_end()) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        if (options_.raw_quotes) out += '"';
        return {};
      }
      if (c == '$') {
        TRY(dollar(out));
        continue;
      }
      std::string_view character = next();
      if (c == options_.escape) {
        if (raw_escapes_) out += character;
        if (at_end()) break;
        if (next_is('"') || next_is('$') || next_is(options_.escape)) character = next();
      }
      out += character;
    }
    dollar_at_ = from;
    return bad("unexpected end of statement while looking for matching double-quote");
  }

  std::string name() {
    const std::size_t from = at_;
    while (!at_end()) {
      const Char c = first_char(text_.substr(at_));
      if (at_ == from && is_digit(c.value)) {
        while (!at_end()) {
          const Char digit = first_char(text_.substr(at_));
          if (!is_digit(digit.value)) break;
          at_ += digit.length;
        }
        break;
      }
      if (at_ == from && is_special_parameter(text_[at_])) {
        ++at_;
        break;
      }
      if (!is_letter(c.value) && !is_digit(c.value) && c.value != '_') break;
      at_ += c.length;
    }
    return std::string(text_.substr(from, at_ - from));
  }

  std::optional<std::string> value_of(const std::string& name, bool has_default) {
    std::optional<std::string> value = lookup_ ? lookup_(name) : std::nullopt;
    if (!value) add_once(has_default ? lexed_.expansion.defaulted : lexed_.expansion.unset, name);
    return value;
  }

  Result<> put(std::string_view value, std::string& out) {
    produced_ += value.size();
    if (produced_ > kMaxExpansionBytes)
      return failf(Errc::resource_exhausted, "the variables of one word expand to more than {} MiB", kMaxExpansionBytes >> 20);
    out += value;
    return {};
  }

  Result<> dollar(std::string& out) {
    const std::size_t before = std::exchange(dollar_at_, at_);
    if (++depth_ > kMaxExpansionDepth)
      return failf(Errc::resource_exhausted, "variables are nested more than {} deep", kMaxExpansionDepth);
    TRY(substitution(out));
    --depth_;
    dollar_at_ = before;
    return {};
  }

  Result<> substitution(std::string& out) {
    const std::size_t from = at_++;
    if (!next_is('{')) {
      const std::string variable = name();
      if (variable.empty()) {
        out += '$';
        return {};
      }
      const auto value = value_of(variable, false);
      if (!value && options_.keep_unset) return put(text_.substr(from, at_ - from), out);
      return put(value.value_or(""), out);
    }
    ++at_;
    if (at_end()) return missing_brace();
    if (next_is('{') || next_is('}') || next_is(':')) return bad("syntax error: bad substitution");
    const std::string variable = name();
    if (at_end()) return missing_brace();
    const std::string_view modifier = next();
    if (modifier == "}") {
      const auto value = value_of(variable, false);
      if (!value && options_.keep_unset) return put(text_.substr(from, at_ - from), out);
      return put(value.value_or(""), out);
    }
    if (modifier == ":") {
      if (at_end()) return missing_brace();
      const std::string_view second = next();
      if (std::string_view("+-?").find(second) != std::string_view::npos) return alternative(variable, second[0], true, out);
      return bad("unsupported modifier (:{}) in substitution", second);
    }
    if (std::string_view("+-?").find(modifier) != std::string_view::npos) return alternative(variable, modifier[0], false, out);
    if (modifier == "#" || modifier == "%") return trimmed(variable, modifier[0], out);
    if (modifier == "/") return replaced(variable, out);
    return bad("unsupported modifier ({}) in substitution", modifier);
  }

  std::unexpected<Error> missing_brace() const { return bad("syntax error: missing '}}'"); }

  /// run_until whose running out of text is reported as the missing `stop`.
  Result<std::string> word_until(char stop, bool raw_escapes, std::string_view missing) {
    std::string word;
    const bool raw_before = std::exchange(raw_escapes_, raw_escapes);
    auto done = run_until(stop, word, nullptr);
    raw_escapes_ = raw_before;
    if (done) return word;
    if (at_end() && done.error().code() == Errc::invalid_argument) return bad("syntax error: missing {}", missing);
    return std::unexpected(std::move(done).error());
  }

  /// ${v-w} ${v+w} ${v?w}, and with a colon, which makes an empty value count as unset.
  Result<> alternative(const std::string& variable, char kind, bool empty_is_unset, std::string& out) {
    const std::string word = TRY(word_until('}', false, "'}'"));
    const auto value = value_of(variable, kind != '?');
    if (!value && options_.keep_unset) return put(format("${{{}{}{}{}}}", variable, empty_is_unset ? ":" : "", kind, word), out);
    const bool set = value && !(empty_is_unset && value->empty());
    if (kind == '-') return put(set ? *value : word, out);
    if (kind == '+') return put(set ? word : "", out);
    if (set) return put(*value, out);
    return bad("{}: {}", variable, !word.empty() ? word : value ? "is not allowed to be empty" : "is not allowed to be unset");
  }

  /// ${v#p} ${v##p} ${v%p} ${v%%p}
  Result<> trimmed(const std::string& variable, char kind, std::string& out) {
    std::string pattern = TRY(word_until('}', true, "'}'"));
    const auto value = value_of(variable, false);
    if (!value && options_.keep_unset) return put(format("${{{}{}{}}}", variable, kind, pattern), out);
    const bool longest = pattern.starts_with(kind);
    if (longest) pattern.erase(0, 1);
    auto rest =
        kind == '#' ? without_prefix(pattern, value.value_or(""), longest) : without_suffix(pattern, value.value_or(""), longest);
    return put_pattern_result(std::move(rest), out);
  }

  /// ${v/p/r} ${v//p/r}
  Result<> replaced(const std::string& variable, std::string& out) {
    const bool all = next_is('/');
    if (all) ++at_;
    const std::string pattern = TRY(word_until('/', true, "'/' in ${}"));
    const std::string replacement = TRY(word_until('}', true, "'}'"));
    const auto value = value_of(variable, false);
    if (!value && options_.keep_unset) return put(format("${{{}/{}/{}}}", variable, pattern, replacement), out);
    return put_pattern_result(with_replacement(pattern, value.value_or(""), replacement, all), out);
  }

  Result<> put_pattern_result(Result<std::string> result, std::string& out) {
    if (!result && result.error().code() == Errc::invalid_argument) return bad("{}", result.error().message());
    const std::string text = TRY(std::move(result));
    return put(text, out);
  }

  const std::string_view text_;
  const Lookup& lookup_;
  const LexOptions& options_;
  std::size_t at_ = 0;
  std::size_t dollar_at_ = 0;  // of the '$' or quote that an error is about
  std::size_t produced_ = 0;
  int depth_ = 0;
  bool raw_escapes_;
  Lexed lexed_;
};

}  // namespace

Result<Lexed> lex_shell(std::string_view text, const Lookup& lookup, const LexOptions& options) {
  auto lexed = Lexer(text, lookup, options).run();
  if (lexed) return lexed;
  std::string shown(text.substr(0, kShownBytes));
  if (shown.size() < text.size()) shown += "...";
  const Error& error = lexed.error();
  Error wrapped(error.code(), format("failed to process {}: {}", quoted(shown), error.message()));
  if (error.position()) wrapped = std::move(wrapped).at(*error.position());
  return fail(std::move(wrapped));
}

}  // namespace mica::dockerfile
