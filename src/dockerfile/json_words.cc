// JSON as Go's encoding/json accepts it, since what it does not accept is a shell line. Values other than strings are only
// checked.
#include <algorithm>

#include "base/utf8.h"
#include "dockerfile/unicode.h"
#include "dockerfile/words.h"

namespace mica::dockerfile {
namespace {

constexpr int kMaxDepth = 10'000;  // Go's
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  JsonWords run() {
    JsonWords result;
    bool only_strings = true;
    if (!take('[')) return {};
    if (!take(']')) {
      do {
        blanks();
        if (next_is('"')) {
          std::string word;
          if (!string(&word)) return {};
          result.words.push_back(std::move(word));
        } else {
          only_strings = false;
          if (!value()) return {};
        }
      } while (take(','));
      if (!take(']')) return {};
    }
    blanks();
    if (!text_.empty()) return {};
    result.kind = only_strings ? JsonWords::Kind::strings : JsonWords::Kind::not_strings;
    return result;
  }

 private:
  bool next_is(char c) const { return text_.starts_with(c); }
  void blanks() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size())); }
  /// Takes `c` after blanks.
  bool take(char c) {
    blanks();
    if (!next_is(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take_word(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  /// Any value. Containers are kept on a stack of their closing characters: the depth of the text is not that of our calls.
  bool value() {
    std::string closing;
    while (true) {
      blanks();
      if (text_.empty()) return false;
      if (next_is('[') || next_is('{')) {
        const char close = next_is('[') ? ']' : '}';
        text_.remove_prefix(1);
        closing += close;
        if (closing.size() + 1 > kMaxDepth) return false;
        if (!take(close)) {
          if (close == '}' && !key()) return false;
          continue;
        }
        closing.pop_back();
      } else if (!scalar()) {
        return false;
      }
      while (true) {
        if (closing.empty()) return true;
        if (take(',')) {
          if (closing.back() == '}' && !key()) return false;
          break;
        }
        if (!take(closing.back())) return false;
        closing.pop_back();
      }
    }
  }

  bool key() {
    blanks();
    return next_is('"') && string(nullptr) && take(':');
  }

  bool scalar() {
    if (next_is('"')) return string(nullptr);
    if (take_word("true") || take_word("false") || take_word("null")) return true;
    return number();
  }

  std::size_t digits() {
    const std::size_t count = std::min(text_.find_first_not_of("0123456789"), text_.size());
    text_.remove_prefix(count);
    return count;
  }

  bool number() {
    take_word("-");
    if (!take_word("0") && digits() == 0) return false;
    if (take_word(".") && digits() == 0) return false;
    if (take_word("e") || take_word("E")) {
      if (!take_word("+")) take_word("-");
      if (digits() == 0) return false;
    }
    return true;
  }

  /// Four hexadecimal digits; -1: they are not there.
  int hex4() {
    if (text_.size() < 4) return -1;
    int code = 0;
    for (const char c : text_.substr(0, 4)) {
      if (c >= '0' && c <= '9')
        code = code * 16 + (c - '0');
      else if (c >= 'a' && c <= 'f')
        code = code * 16 + (c - 'a' + 10);
      else if (c >= 'A' && c <= 'F')
        code = code * 16 + (c - 'A' + 10);
      else
        return -1;
    }
    text_.remove_prefix(4);
    return code;
  }

  bool string(std::string* out) {
    std::string ignored;
    std::string& word = out ? *out : ignored;
    text_.remove_prefix(1);
    while (!text_.empty()) {
      const auto byte = static_cast<unsigned char>(text_[0]);
      if (byte == '"') {
        text_.remove_prefix(1);
        return true;
      }
      if (byte < 0x20) return false;
      if (byte != '\\') {
        const CodePoint point = first_code_point(text_);
        word += point.length == 0 ? kReplacement : text_.substr(0, point.length);
        text_.remove_prefix(std::max(point.length, 1));
        continue;
      }
      text_.remove_prefix(1);
      if (text_.empty()) return false;
      const char c = text_[0];
      text_.remove_prefix(1);
      constexpr std::string_view kNames = "\"\\/bfnrt", kValues = "\"\\/\b\f\n\r\t";
      if (const std::size_t known = kNames.find(c); known != std::string_view::npos) {
        word += kValues[known];
        continue;
      }
      if (c != 'u' || !unicode_escape(word)) return false;
    }
    return false;
  }

  bool unicode_escape(std::string& word) {
    const int code = hex4();
    if (code < 0) return false;
    if (code < 0xd800 || code > 0xdfff) {
      append_utf8(word, code);
      return true;
    }
    // Half of a pair alone is U+FFFD, and what follows it is read as if it stood alone.
    const std::string_view before = text_;
    if (code < 0xdc00 && take_word("\\u")) {
      const int low = hex4();
      if (low >= 0xdc00 && low <= 0xdfff) {
        append_utf8(word, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
        return true;
      }
      text_ = before;
    }
    word += kReplacement;
    return true;
  }

  std::string_view text_;
};

}  // namespace

JsonWords parse_json_words(std::string_view text) {
  text = trim_space_left(text);
  return text.starts_with('[') ? JsonReader(text).run() : JsonWords{};
}

}  // namespace mica::dockerfile
