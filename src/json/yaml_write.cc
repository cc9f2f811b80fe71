#include "json/yaml_write.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "json/yaml_scalar.h"

namespace mica::json {

namespace {

constexpr int kIndent = 2;

bool is_old_bool(std::string_view text) {
  constexpr std::string_view kWords[] = {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"};
  return std::ranges::find(kWords, text) != std::end(kWords);
}

/// "1:20:30": a number of YAML 1.1, whose places after the first go to 59.
bool is_base60(std::string_view text) {
  const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  auto parts = split(text, ':');
  if (parts.size() < 2 || parts[0].empty() || !is_digit(parts[0][0])) return false;
  if (!std::ranges::all_of(parts[0], [&](char c) { return is_digit(c) || c == '_'; })) return false;
  if (const auto dot = parts.back().find('.'); dot != std::string_view::npos) {
    if (!std::ranges::all_of(parts.back().substr(dot + 1), [&](char c) { return is_digit(c) || c == '_'; })) return false;
    parts.back() = parts.back().substr(0, dot);
  }
  return std::all_of(parts.begin() + 1, parts.end(), [&](std::string_view part) {
    return (part.size() == 1 && is_digit(part[0])) || (part.size() == 2 && part[0] >= '0' && part[0] <= '5' && is_digit(part[1]));
  });
}

/// "2024-01-01": would be a time.
bool is_time(std::string_view text) {
  if (text.size() < 8 || !std::all_of(text.begin(), text.begin() + 4, [](char c) { return std::isdigit(static_cast<unsigned char>(c)); }) || text[4] != '-') return false;
  return std::ranges::all_of(text, [](char c) { return std::isdigit(static_cast<unsigned char>(c)) || std::string_view("-:.TtZz+ ").find(c) != std::string_view::npos; }) && std::ranges::count(text, '-') >= 2;
}

/// Whether a reader would take the plain text for something that is no string.
bool means_another_type(const std::string& text) { return text.empty() || text == "<<" || text == "=" || !plain_scalar(text).is_string() || is_old_bool(text) || is_base60(text) || is_time(text); }

/// libyaml's analysis of what a plain scalar may hold in block context.
bool can_be_plain(std::string_view text) {
  constexpr std::string_view kStarts = "#,[]{}&*!|>'\"%@`";
  if (text.starts_with("---") || text.starts_with("...")) return false;
  if (text.front() == ' ' || text.back() == ' ' || kStarts.find(text.front()) != kStarts.npos) return false;
  const auto space_after = [&](std::size_t at) { return at + 1 >= text.size() || text[at + 1] == ' '; };
  if ((text.front() == '?' || text.front() == ':' || text.front() == '-') && space_after(0)) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ':' && space_after(i)) return false;
    if (text[i] == '#' && i > 0 && text[i - 1] == ' ') return false;
  }
  return true;
}

bool has_special(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\n') || c == 0x7f; });
}

std::string double_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\0': out += "\\0"; break;
      case 0x1b: out += "\\e"; break;
      case '\a': out += "\\a"; break;
      case '\b': out += "\\b"; break;
      default:
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) out += format("\\x{:02X}", static_cast<unsigned char>(c));
        else out += c;
    }
  }
  return out + "\"";
}

std::string single_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

class Writer {
 public:
  void node(const Value& value, int depth) {
    if (value.is_object() && !value.as_object().empty()) {
      bool first = true;
      for (const auto& [key, member] : value.as_object()) {
        if (!first || !in_item_) indent(depth);
        first = in_item_ = false;
        out_ += scalar(key, depth, true);
        out_ += ':';
        below(member, depth);
      }
    } else if (value.is_array() && !value.as_array().empty()) {
      bool first = true;
      for (const auto& item : value.as_array()) {
        if (!first || !in_item_) indent(depth);
        first = in_item_ = false;
        out_ += '-';
        if (is_block(item)) {
          out_ += ' ';
          in_item_ = true;
          node(item, depth + 1);
        } else {
          out_ += ' ' + leaf(item, depth) + '\n';
        }
      }
    } else {
      out_ += leaf(value, depth) + '\n';
    }
  }
  std::string out_;

 private:
  static bool is_block(const Value& value) { return (value.is_object() && !value.as_object().empty()) || (value.is_array() && !value.as_array().empty()); }
  void indent(int depth) { out_.append(static_cast<std::size_t>(depth * kIndent), ' '); }

  void below(const Value& value, int depth) {
    if (is_block(value)) {
      out_ += '\n';
      node(value, depth + 1);
    } else {
      out_ += ' ' + leaf(value, depth) + '\n';
    }
  }

  static std::string number(double value) {
    if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
    if (std::isnan(value)) return ".nan";
    std::string text = format("{}", value);
    return text;
  }

  std::string leaf(const Value& value, int depth) {
    if (value.is_null()) return "null";
    if (value.is_bool()) return value.as_bool() ? "true" : "false";
    if (value.is_int()) return std::to_string(value.as_int());
    if (value.is_double()) return number(value.as_double());
    if (value.is_object()) return "{}";
    if (value.is_array()) return "[]";
    return scalar(value.as_string(), depth, false);
  }

  static std::string scalar(const std::string& text, int depth, bool key) {
    if (has_special(text)) return double_quoted(text);
    if (text.find('\n') != text.npos) return key || text.starts_with(' ') || text.starts_with('\n') || text.find(" \n") != text.npos ? double_quoted(text) : literal(text, depth);
    if (means_another_type(text)) return double_quoted(text);
    return can_be_plain(text) ? text : single_quoted(text);
  }

  static std::string literal(const std::string& text, int depth) {
    std::string out = "|";
    if (!text.ends_with('\n')) out += '-';
    else if (text.ends_with("\n\n")) out += '+';
    std::string_view body = text;
    if (body.ends_with('\n')) body.remove_suffix(1);
    for (const auto line : split(body, '\n')) {
      out += '\n';
      if (!line.empty()) out.append(static_cast<std::size_t>((depth + 1) * kIndent), ' ') += line;
    }
    return out;
  }

  bool in_item_ = false;
};

}  // namespace

std::string write_yaml(const Value& value) {
  Writer writer;
  writer.node(value, 0);
  return std::move(writer.out_);
}

}  // namespace mica::json
