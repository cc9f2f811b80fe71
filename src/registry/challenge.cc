#include "registry/challenge.h"

#include <algorithm>

#include "base/text.h"
#include "registry/limits.h"

namespace mica::registry {
namespace {

constexpr std::string_view kBlanks = " \t";

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// Reads from the front of a header value.
class ScannerView {
 public:
  explicit ScannerView(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.empty(); }
  void skip(std::string_view chars) { text_ = trim_left(text_, chars); }
  void drop_one() { text_.remove_prefix(1); }
  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::string_view token() { return take_while(is_token_char); }
  /// A value without quotes ends at a comma; servers write URLs there although a token may not hold "/".
  std::string_view bare() {
    return trim(take_while([](char c) { return c != ','; }));
  }
  /// After the opening quote. A quote that is never closed reaches to the end.
  std::string quoted_string() {
    std::string out;
    while (!text_.empty() && !take('"')) {
      if (text_.front() == '\\' && text_.size() > 1) text_.remove_prefix(1);
      out += text_.front();
      text_.remove_prefix(1);
    }
    return out;
  }
  bool starts_with(char c) const { return text_.starts_with(c); }

 private:
  template <class Accept>
  std::string_view take_while(Accept accept) {
    const auto end = std::ranges::find_if_not(text_, accept) - text_.begin();
    const std::string_view out = text_.substr(0, end);
    text_.remove_prefix(end);
    return out;
  }
  std::string_view text_;
};

}  // namespace

std::string Challenge::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters)
    if (key == name) return value;
  return {};
}

std::vector<Challenge> parse_challenges(std::string_view value) {
  std::vector<Challenge> out;
  ScannerView scan(value.substr(0, kMaxHeaderValue));
  while (true) {
    scan.skip(" \t,");
    if (scan.at_end()) return out;
    const std::string_view word = scan.token();
    if (word.empty()) {
      scan.drop_one();
      continue;
    }
    scan.skip(kBlanks);
    // A word before "=" is a parameter of the challenge so far; any other begins a new one.
    if (scan.take('=')) {
      scan.skip(kBlanks);
      std::string text = scan.take('"') ? scan.quoted_string() : std::string(scan.bare());
      if (!out.empty()) out.back().parameters.emplace_back(to_lower(word), std::move(text));
    } else {
      out.push_back({.scheme = to_lower(word)});
    }
  }
}

const Challenge* preferred(const std::vector<Challenge>& challenges) {
  for (const Challenge& challenge : challenges)
    if (challenge.scheme == "bearer" && !challenge.parameter("realm").empty()) return &challenge;
  for (const Challenge& challenge : challenges)
    if (challenge.scheme == "basic") return &challenge;
  return nullptr;
}

}  // namespace mica::registry
