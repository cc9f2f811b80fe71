#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/format.h"
#include "base/text.h"
#include "cli/template_value.h"

namespace mica::cli::go {
namespace {

std::string float_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific).ptr;
  std::string scientific(buffer, end);
  const int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);
  if (number != 0 && (exponent < -4 || exponent >= 6)) return scientific;
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::fixed).ptr);
}

std::vector<const json::Member*> sorted(const json::Object& object) {
  std::vector<const json::Member*> members;
  for (const auto& member : object) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](auto* a, auto* b) { return a->first < b->first; });
  return members;
}

/// One conversion specification of Printf.
struct Spec {
  bool plus = false, minus = false, sharp = false, space = false, zero = false;
  int width = -1, precision = -1;
  char verb = 0;
};

std::size_t runes(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string padded(std::string text, const Spec& spec, bool numeric = false) {
  const auto width = static_cast<std::size_t>(std::max(spec.width, 0));
  const std::size_t have = runes(text);
  if (have >= width) return text;
  const std::size_t fill = width - have;
  if (spec.minus) return text + std::string(fill, ' ');
  if (spec.zero && numeric) return text.insert(!text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0, fill, '0');
  return std::string(fill, spec.zero ? '0' : ' ') + text;
}

std::string truncated(std::string_view text, int precision) {
  if (precision < 0) return std::string(text);
  std::size_t i = 0;
  for (int n = 0; i < text.size(); ++i)
    if ((text[i] & 0xc0) != 0x80 && n++ == precision) break;
  return std::string(text.substr(0, i));
}

std::string based(std::int64_t number, int base, bool upper) {
  char buffer[72];
  std::string text(buffer, std::to_chars(buffer, buffer + sizeof buffer, number, base).ptr);
  return upper ? to_upper(text) : text;
}

std::string utf8(std::int64_t rune) {
  if (rune < 0 || rune > 0x10ffff) rune = 0xfffd;
  std::string out;
  const auto c = static_cast<std::uint32_t>(rune);
  if (c < 0x80) return std::string(1, static_cast<char>(c));
  int bytes = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  out += static_cast<char>((0xf00 >> bytes & 0xff) | c >> 6 * (bytes - 1));
  while (--bytes) out += static_cast<char>(0x80 | (c >> 6 * (bytes - 1) & 63));
  return out;
}

std::string bad_verb(const Spec& spec, const Val& value) {
  if (value.value.is_null()) return format("%!{}(<nil>)", spec.verb);
  return format("%!{}({}={})", spec.verb, type_name(value), shown(value));
}

std::string one(const Spec& spec, const Val& val);

std::string integer(const Spec& spec, const Val& val) {
  const std::int64_t n = val.value.as_int();
  std::string text;
  switch (spec.verb) {
    case 'v': case 'd': text = std::to_string(n); break;
    case 'x': case 'X': text = (spec.sharp ? (spec.verb == 'x' ? "0x" : "0X") : "") + based(n, 16, spec.verb == 'X'); break;
    case 'o': text = (spec.sharp ? "0" : "") + based(n, 8, false); break;
    case 'b': text = based(n, 2, false); break;
    case 'c': return padded(utf8(n), spec);
    case 'q': return padded("'" + utf8(n) + "'", spec);
    case 'U': return padded(format("U+{:04X}", n), spec);
    default: return bad_verb(spec, val);
  }
  if (spec.plus && n >= 0) text.insert(0, "+");
  else if (spec.space && n >= 0) text.insert(0, " ");
  return padded(text, spec, true);
}

std::string real(const Spec& spec, const Val& val) {
  const double n = val.value.as_double();
  std::string text;
  const int precision = spec.precision < 0 ? 6 : spec.precision;
  switch (spec.verb) {
    case 'v': text = float_text(n); break;
    case 'f': case 'F': text = format("{:.{}f}", n, precision); break;
    case 'e': text = format("{:.{}e}", n, precision); break;
    case 'E': text = format("{:.{}E}", n, precision); break;
    case 'g': case 'G': text = spec.precision < 0 ? float_text(n) : format("{:.{}g}", n, spec.precision); break;
    default: return bad_verb(spec, val);
  }
  if (spec.plus && n >= 0) text.insert(0, "+");
  else if (spec.space && n >= 0) text.insert(0, " ");
  return padded(text, spec, true);
}

std::string string(const Spec& spec, const Val& val) {
  const std::string text = truncated(val.value.as_string(), spec.precision);
  switch (spec.verb) {
    case 'v': return padded(spec.sharp ? quoted(text) : text, spec);
    case 's': return padded(text, spec);
    case 'q': return padded(spec.sharp && text.find('`') == text.npos ? "`" + text + "`" : quoted(text), spec);
    case 'x': case 'X': {
      const std::string digits = hex({reinterpret_cast<const unsigned char*>(text.data()), text.size()});
      return padded(spec.verb == 'X' ? to_upper(digits) : digits, spec);
    }
    default: return bad_verb(spec, val);
  }
}

std::string one(const Spec& spec, const Val& val) {
  if (spec.verb == 'T') return padded(type_name(val), spec);
  const json::Value& value = val.value;
  if (value.is_null() || val.absent) {
    if (val.hint == Hint::list) return padded("[]", spec);
    if (val.hint == Hint::string_map) return padded("map[]", spec);
    return spec.verb == 'v' ? padded("<nil>", spec) : bad_verb(spec, val);
  }
  if (value.is_bool()) return spec.verb == 'v' || spec.verb == 't' ? padded(value.as_bool() ? "true" : "false", spec) : bad_verb(spec, val);
  if (value.is_int()) return integer(spec, val);
  if (value.is_double()) return real(spec, val);
  if (value.is_string()) return string(spec, val);
  std::string out;
  if (value.is_array()) {
    for (const auto& item : value.as_array()) out += (out.empty() ? "" : " ") + one(spec, {item});
    return "[" + out + "]";
  }
  if (val.hint == Hint::structure) {
    for (const auto& member : value.as_object()) out += (&member == value.as_object().data() ? "" : " ") + one(spec, {member.second});
    return "{" + out + "}";
  }
  for (const auto* member : sorted(value.as_object())) {
    Spec text = spec;
    if (spec.verb != 's' && spec.verb != 'q' && spec.verb != 'v') text.verb = 'v';
    out += (out.empty() ? "" : " ") + one(text, {json::Value(member->first)}) + ":" + one(spec, {member->second});
  }
  return "map[" + out + "]";
}

}  // namespace

bool is_true(const Val& val) {
  const json::Value& value = val.value;
  if (val.absent || value.is_null()) return false;
  if (value.is_bool()) return value.as_bool();
  if (value.is_int()) return value.as_int() != 0;
  if (value.is_double()) return value.as_double() != 0;
  if (value.is_string()) return !value.as_string().empty();
  if (value.is_array()) return !value.as_array().empty();
  return val.hint == Hint::structure || !value.as_object().empty();
}

std::string type_name(const Val& val) {
  const json::Value& value = val.value;
  if (val.hint == Hint::string_map) return "map[string]string";
  if (val.hint == Hint::list) return "[]string";
  if (val.absent || value.is_null()) return "<nil>";
  if (value.is_bool()) return "bool";
  if (value.is_int()) return "int";
  if (value.is_double()) return "float64";
  if (value.is_string()) return "string";
  return value.is_array() ? "[]interface {}" : "map[string]interface {}";
}

std::string shown(const Val& value) {
  Spec spec;
  spec.verb = 'v';
  return one(spec, value);
}

std::string printed(const Val& value) { return value.is_nil() ? "<no value>" : shown(value); }

std::string sprint(std::span<const Val> values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0 && !values[i].value.is_string() && !values[i - 1].value.is_string()) out += ' ';
    out += shown(values[i]);
  }
  return out;
}

std::string sprintln(std::span<const Val> values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) out += (i ? " " : "") + shown(values[i]);
  return out + "\n";
}

std::string sprintf(std::string_view text, std::span<const Val> values) {
  constexpr int kMaxWidth = 1'000'000;
  std::string out;
  std::size_t used = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    Spec spec;
    for (++i; i < text.size(); ++i) {
      if (text[i] == '+') spec.plus = true;
      else if (text[i] == '-') spec.minus = true, spec.zero = false;
      else if (text[i] == '#') spec.sharp = true;
      else if (text[i] == ' ') spec.space = true;
      else if (text[i] == '0') spec.zero = !spec.minus;
      else break;
    }
    auto count = [&](int& into) {
      if (i < text.size() && text[i] == '*') {
        ++i;
        if (used < values.size() && values[used].value.is_int()) into = static_cast<int>(std::clamp<std::int64_t>(values[used].value.as_int(), -kMaxWidth, kMaxWidth));
        else out += "%!(BADWIDTH)";
        ++used;
        return;
      }
      while (i < text.size() && text[i] >= '0' && text[i] <= '9') into = std::min(std::max(into, 0) * 10 + (text[i++] - '0'), kMaxWidth);
    };
    count(spec.width);
    if (spec.width < -1) spec.minus = true, spec.zero = false, spec.width = -spec.width;
    if (i < text.size() && text[i] == '.') {
      ++i;
      spec.precision = 0;
      count(spec.precision);
    }
    if (i >= text.size()) {
      out += "%!(NOVERB)";
      break;
    }
    spec.verb = text[i];
    if (spec.verb == '%') {
      out += '%';
      continue;
    }
    if (used >= values.size()) {
      out += format("%!{}(MISSING)", spec.verb);
      continue;
    }
    out += one(spec, values[used++]);
  }
  if (used < values.size()) {
    out += "%!(EXTRA ";
    for (std::size_t i = used; i < values.size(); ++i)
      out += (i > used ? ", " : "") + (values[i].value.is_null() ? std::string("<nil>") : type_name(values[i]) + "=" + shown(values[i]));
    out += ")";
  }
  return out;
}

}  // namespace mica::cli::go
