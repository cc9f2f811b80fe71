#include <charconv>
#include <cmath>

#include "base/format.h"
#include "base/utf8.h"
#include "json/json.h"

namespace mica::json {
namespace {

struct Style {
  int indent = 0;  ///< 0: compact
  bool html = false;
};

void append_escape(std::string& out, std::uint32_t unit) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[unit >> shift & 15];
}

void append_string(std::string& out, std::string_view text, Style style) {
  out += '"';
  std::size_t plain = 0;  // start of the bytes not yet copied
  const auto flush = [&](std::size_t end) { out.append(text, plain, end - plain); };
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      const bool special = byte < 0x20 || byte == '"' || byte == '\\' ||
                           (style.html && (byte == '<' || byte == '>' || byte == '&'));
      if (special) {
        flush(i);
        switch (byte) {
          case '"': out += "\\\""; break;
          case '\\': out += "\\\\"; break;
          case '\b': out += "\\b"; break;
          case '\f': out += "\\f"; break;
          case '\n': out += "\\n"; break;
          case '\r': out += "\\r"; break;
          case '\t': out += "\\t"; break;
          default: append_escape(out, byte);
        }
        plain = i + 1;
      }
      ++i;
      continue;
    }
    const CodePoint point = first_code_point(text.substr(i));
    const bool line_separator = point.value == 0x2028 || point.value == 0x2029;
    if (point.length == 0 || line_separator) {
      flush(i);
      append_escape(out, line_separator ? point.value : 0xfffd);
      i += point.length ? static_cast<std::size_t>(point.length) : 1;
      plain = i;
      continue;
    }
    i += static_cast<std::size_t>(point.length);
  }
  flush(text.size());
  out += '"';
}

void append_double(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  if (number == 0) number = 0;   // "-0" would be read back as the integer 0
  const double size = std::fabs(number);
  const bool scientific = size != 0 && (size < 1e-6 || size >= 1e21);
  char buffer[512];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number,
                                 scientific ? std::chars_format::scientific : std::chars_format::fixed);
  std::string text(buffer, end.ptr);
  if (const auto exponent = text.find("e-0"); exponent != text.npos) text.erase(exponent + 2, 1);
  out += text;
}

void append_value(std::string& out, const Value& value, Style style, int level);

template <class Items, class Each>
void append_items(std::string& out, const Items& items, char open, char close, Style style, int level, Each each) {
  out += open;
  bool first = true;
  const auto new_line = [&](int depth) {
    if (style.indent == 0) return;
    out += '\n';
    out.append(static_cast<std::size_t>(style.indent * depth), ' ');
  };
  for (const auto& item : items) {
    if (!first) out += ',';
    first = false;
    new_line(level + 1);
    each(item);
  }
  if (!items.empty()) new_line(level);
  out += close;
}

void append_value(std::string& out, const Value& value, Style style, int level) {
  if (value.is_null()) {
    out += "null";
  } else if (value.is_bool()) {
    out += value.as_bool() ? "true" : "false";
  } else if (value.is_int()) {
    char buffer[24];
    out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value.as_int()).ptr);
  } else if (value.is_double()) {
    append_double(out, value.as_double());
  } else if (value.is_string()) {
    append_string(out, value.as_string(), style);
  } else if (value.is_array()) {
    append_items(out, value.as_array(), '[', ']', style, level,
                 [&](const Value& item) { append_value(out, item, style, level + 1); });
  } else {
    append_items(out, value.as_object(), '{', '}', style, level, [&](const Member& member) {
      append_string(out, member.first, style);
      out += style.indent ? ": " : ":";
      append_value(out, member.second, style, level + 1);
    });
  }
}

std::string write_in(Style style, const Value& value) {
  std::string out;
  append_value(out, value, style, 0);
  return out;
}

}  // namespace

std::string write(const Value& value) { return write_in({}, value); }
std::string write_pretty(const Value& value, int indent) { return write_in({.indent = indent}, value); }
std::string write_for_html(const Value& value) { return write_in({.html = true}, value); }

}  // namespace mica::json
