#include "base/format.h"

#include <fmt/format.h>

#include "base/utf8.h"

namespace mica {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    const int length = point.length == 0 ? 1 : point.length;
    const auto byte = static_cast<unsigned char>(text[0]);
    constexpr std::string_view kNamed = "\a\b\f\n\r\t\v", kNames = "abfnrtv";
    if (point.length == 0) {
      out += format("\\x{:02x}", byte);
    } else if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[0];
    } else if (const auto named = kNamed.find(text[0]); named != std::string_view::npos) {
      out += '\\';
      out += kNames[named];
    } else if (fmt::detail::is_printable(point.value)) {
      out += text.substr(0, length);
    } else if (point.value < 0x80) {
      out += format("\\x{:02x}", byte);
    } else {
      out += point.value < 0x10000 ? format("\\u{:04x}", point.value) : format("\\U{:08x}", point.value);
    }
    text.remove_prefix(length);
  }
  out += '"';
  return out;
}

}  // namespace mica
