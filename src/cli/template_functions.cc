#include "base/format.h"
#include "base/text.h"
#include "cli/template_value.h"

namespace mica::cli::go {
namespace {

using Answer = std::expected<Val, CallFailure>;
using Arguments = std::vector<Val>;
std::unexpected<CallFailure> calling(std::string text) { return std::unexpected(CallFailure{CallFailure::calling, std::move(text)}); }
std::unexpected<CallFailure> wrong_type(int argument, std::string text) {
  return std::unexpected(CallFailure{CallFailure::type, std::move(text), argument});
}

struct Function {
  std::string_view name;
  int least, most;              ///< arguments; most -1: any number
  std::string_view types;       ///< of the first arguments: s string, i int, l list of strings, anything else free
};
constexpr Function kFunctions[] = {
    {"and", 1, -1, ""},  {"call", 1, -1, ""}, {"eq", 1, -1, ""},     {"ge", 2, 2, ""},       {"gt", 2, 2, ""},        {"html", 0, -1, ""},
    {"index", 1, -1, ""}, {"join", 2, 2, "ls"}, {"js", 0, -1, ""},    {"json", 1, 1, ""},     {"le", 2, 2, ""},        {"len", 1, 1, ""},
    {"lower", 1, 1, "s"}, {"lt", 2, 2, ""},    {"ne", 2, 2, ""},      {"not", 1, 1, ""},      {"or", 1, -1, ""},       {"pad", 3, 3, "sii"},
    {"print", 0, -1, ""}, {"printf", 1, -1, "s"}, {"println", 0, -1, ""}, {"slice", 1, -1, ""}, {"split", 2, 2, "ss"}, {"title", 1, 1, "s"},
    {"truncate", 2, 2, "si"}, {"upper", 1, 1, "s"}, {"urlquery", 0, -1, ""},
};
const Function* function(std::string_view name) {
  for (const Function& f : kFunctions)
    if (f.name == name) return &f;
  return nullptr;
}

std::string kind(const Val& v) {
  if (v.value.is_string()) return "string";
  return type_name(v);
}

/// -1, 0, 1; a message when the two cannot be ordered.
std::expected<int, std::string> order(const Val& a, const Val& b) {
  if (kind(a) != kind(b)) return std::unexpected(format("incompatible types for comparison: {} and {}", kind(a), kind(b)));
  if (a.value.is_int()) return a.value.as_int() < b.value.as_int() ? -1 : a.value.as_int() > b.value.as_int();
  if (a.value.is_double()) return a.value.as_double() < b.value.as_double() ? -1 : a.value.as_double() > b.value.as_double();
  if (a.value.is_string()) {
    const int c = a.value.as_string().compare(b.value.as_string());
    return c < 0 ? -1 : c > 0;
  }
  return std::unexpected("invalid type for comparison");
}

std::expected<bool, std::string> equal(const Val& a, const Val& b) {
  if (a.value.is_array() || b.value.is_array() || (a.value.is_object() && b.value.is_object()))
    return std::unexpected(format("non-comparable type {}: {}", shown(a), type_name(a)));
  if (a.value.is_null() || b.value.is_null()) return a.value.is_null() && b.value.is_null();
  if (kind(a) != kind(b)) return std::unexpected(format("incompatible types for comparison: {} and {}", kind(a), kind(b)));
  return a.value == b.value;
}

Answer index(Arguments& arguments) {
  Val item = std::move(arguments[0]);
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const Val& at = arguments[i];
    if (item.is_nil()) return calling("index of untyped nil");
    if (item.value.is_array() || item.value.is_string() || item.hint == Hint::list) {
      if (at.value.is_null()) return calling("cannot index slice/array with nil");
      if (!at.value.is_int()) return calling("cannot index slice/array with type " + type_name(at));
      const std::int64_t n = at.value.as_int();
      const std::size_t size = item.value.is_array() ? item.value.as_array().size() : item.value.is_string() ? item.value.as_string().size() : 0;
      if (n < 0 || static_cast<std::size_t>(n) >= size) return calling(format("index out of range: {}", n));
      if (item.value.is_array()) item = Val{json::Value(item.value.as_array()[static_cast<std::size_t>(n)])};
      else item = Val{json::Value(static_cast<std::int64_t>(static_cast<unsigned char>(item.value.as_string()[static_cast<std::size_t>(n)])))};
    } else if (item.value.is_object() || item.hint == Hint::string_map) {
      if (at.value.is_null()) return calling("value is nil; should be of type string");
      if (!at.value.is_string()) return calling(format("value has type {}; should be string", type_name(at)));
      const json::Value* found = item.value.find(at.value.as_string());
      if (found) item = Val{json::Value(*found)};
      else if (item.hint == Hint::string_map) item = Val{json::Value("")};
      else item = Val{nullptr, Hint::none, true};
    } else {
      return calling("can't index item of type " + type_name(item));
    }
  }
  return item;
}

Answer slice(Arguments& arguments) {
  const Val& item = arguments[0];
  if (item.is_nil()) return calling("slice of untyped nil");
  if (arguments.size() > 4) return calling(format("too many slice indexes: {}", arguments.size() - 1));
  if (!item.value.is_string() && !item.value.is_array()) return calling("can't slice item of type " + type_name(item));
  const std::size_t size = item.value.is_string() ? item.value.as_string().size() : item.value.as_array().size();
  std::size_t bounds[3] = {0, size, size};
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const Val& at = arguments[i];
    if (!at.value.is_int()) return calling("cannot index slice/array with type " + type_name(at));
    const std::int64_t n = at.value.as_int();
    if (n < 0 || static_cast<std::size_t>(n) > size) return calling(format("index out of range: {}", n));
    bounds[i - 1] = static_cast<std::size_t>(n);
  }
  if (arguments.size() > 3 && item.value.is_string()) return calling("cannot 3-index slice a string");
  if (bounds[0] > bounds[1]) return calling(format("invalid slice index: {} > {}", bounds[0], bounds[1]));
  if (item.value.is_string()) return Val{json::Value(item.value.as_string().substr(bounds[0], bounds[1] - bounds[0]))};
  const auto& all = item.value.as_array();
  return Val{json::Value(json::Array(all.begin() + static_cast<std::ptrdiff_t>(bounds[0]), all.begin() + static_cast<std::ptrdiff_t>(bounds[1])))};
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case 0: out += "\xef\xbf\xbd"; break;
      default: out += c;
    }
  }
  return out;
}

std::string escape_js(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '\'': out += "\\'"; break;
      case '"': out += "\\\""; break;
      case '<': case '>': case '&': case '=': out += format("\\u{:04X}", static_cast<int>(c)); break;
      default:
        if (static_cast<unsigned char>(c) < ' ') out += format("\\u{:04X}", static_cast<int>(c));
        else out += c;
    }
  }
  return out;
}

std::string escape_query(std::string_view text) {
  std::string out;
  for (unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~') out += static_cast<char>(c);
    else if (c == ' ') out += '+';
    else out += format("%{:02X}", c);
  }
  return out;
}

std::string title(std::string text) {
  bool start = true;
  for (char& c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (start && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    start = !(std::isalnum(u) || c == '_' || u >= 0x80 || c == '\'');
    if (c == '\'') start = true;
  }
  return text;
}

std::string escape_markup(std::string text) {
  text = replace_all(std::move(text), "<", "\\u003c");
  text = replace_all(std::move(text), ">", "\\u003e");
  return replace_all(std::move(text), "&", "\\u0026");
}

std::string all_text(const Arguments& arguments) {
  if (arguments.size() == 1 && arguments[0].value.is_string()) return arguments[0].value.as_string();
  return sprint(arguments);
}

Answer compare(std::string_view name, const Arguments& a) {
  auto result = order(a[0], a[1]);
  if (!result) return calling(result.error());
  const int c = *result;
  return Val{json::Value(name == "lt" ? c < 0 : name == "le" ? c <= 0 : name == "gt" ? c > 0 : c >= 0)};
}

Answer length(const Val& v) {
  if (v.value.is_string()) return Val{json::Value(static_cast<std::int64_t>(v.value.as_string().size()))};
  if (v.value.is_array()) return Val{json::Value(static_cast<std::int64_t>(v.value.as_array().size()))};
  if (v.value.is_object()) return Val{json::Value(static_cast<std::int64_t>(v.value.as_object().size()))};
  if (v.hint == Hint::list || v.hint == Hint::string_map) return Val{json::Value(0)};
  if (v.value.is_null()) return calling(v.absent || v.hint == Hint::pointer ? "len of nil pointer" : "reflect: call of reflect.Value.Type on zero Value");
  return calling("len of type " + type_name(v));
}

std::string text_function(std::string_view name, const Arguments& a) {
  const std::string& text = a[0].value.as_string();
  if (name == "lower") return to_lower(text);
  if (name == "upper") return to_upper(text);
  if (name == "title") return title(text);
  if (name == "pad") {
    if (text.empty()) return text;
    auto blanks = [](const Val& v) { return std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(v.value.as_int(), 0, 10'000)), ' '); };
    return blanks(a[1]) + text + blanks(a[2]);
  }
  // truncate: by runes
  const std::int64_t most = std::max<std::int64_t>(a[1].value.as_int(), 0);
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((text[i] & 0xc0) != 0x80 && seen++ == most) return text.substr(0, i);
  return text;
}

}  // namespace

bool is_function(std::string_view name) { return function(name) != nullptr; }

Answer call_function(std::string_view name, Arguments& a, const CallContext& context) {
  const Function& f = *function(name);
  const int given = static_cast<int>(a.size());
  if (given < f.least || (f.most >= 0 && given > f.most))
    return std::unexpected(CallFailure{CallFailure::arguments,
                                       format("wrong number of args for {}: want {}{} got {}", name, f.most < 0 ? "at least " : "", f.least, given)});
  for (std::size_t i = 0; i < f.types.size() && i < a.size(); ++i) {
    const char type = f.types[i];
    if (type == 's' && a[i].is_nil()) return wrong_type(static_cast<int>(i), "invalid value; expected string");
    if (type == 's' && !a[i].value.is_string()) return wrong_type(static_cast<int>(i), "expected string; found %n");
    if (type == 'i' && !a[i].value.is_int()) return wrong_type(static_cast<int>(i), "expected integer; found %n");
    if (type == 'l' && !a[i].value.is_array() && a[i].hint != Hint::list && !(context.header && a[i].value.is_string()))
      return wrong_type(static_cast<int>(i), a[i].value.is_null() ? "invalid value; expected []string" : "can't handle %n for arg of type []string");
  }
  if (context.header && (name == "json" || name == "title" || name == "lower" || name == "upper" || name == "truncate" || name == "join"))
    return a[0];
  if (name == "index") return index(a);
  if (name == "slice") return slice(a);
  if (name == "len") return length(a[0]);
  if (name == "print") return Val{json::Value(sprint(a))};
  if (name == "println") return Val{json::Value(sprintln(a))};
  if (name == "printf") return Val{json::Value(sprintf(a[0].value.as_string(), std::span(a).subspan(1)))};
  if (name == "html") return Val{json::Value(escape_html(all_text(a)))};
  if (name == "js") return Val{json::Value(escape_js(all_text(a)))};
  if (name == "urlquery") return Val{json::Value(escape_query(all_text(a)))};
  if (name == "not") return Val{json::Value(!is_true(a[0]))};
  if (name == "and" || name == "or") {
    for (std::size_t i = 0; i + 1 < a.size(); ++i)
      if (is_true(a[i]) == (name == "or")) return a[i];
    return a.back();
  }
  if (name == "eq" || name == "ne") {
    if (a.size() < 2) return calling("missing argument for comparison");
    for (std::size_t i = 1; i < a.size(); ++i) {
      auto same = equal(a[0], a[i]);
      if (!same) return calling(same.error());
      if (name == "ne") return Val{json::Value(!*same)};
      if (*same) return Val{json::Value(true)};
    }
    return Val{json::Value(false)};
  }
  if (name == "lt" || name == "le" || name == "gt" || name == "ge") return compare(name, a);
  if (name == "json") {
    const int indent = context.typing ? context.typing->json_indent : 0;
    std::string text = indent > 0 ? escape_markup(json::write_pretty(a[0].value, indent)) : json::write(a[0].value);
    if (context.typing && context.typing->escape_html_in_root_json && context.root && a[0].value.is_object() && a[0].value == *context.root)
      text = escape_markup(std::move(text));
    return Val{json::Value(std::move(text))};
  }
  if (name == "split") {
    const std::string& text = a[0].value.as_string();
    const std::string& by = a[1].value.as_string();
    json::Array parts;
    if (by.empty()) {
      for (char c : text) parts.emplace_back(std::string(1, c));
    } else {
      std::size_t from = 0;
      for (std::size_t at; (at = text.find(by, from)) != text.npos; from = at + by.size()) parts.emplace_back(text.substr(from, at - from));
      parts.emplace_back(text.substr(from));
    }
    return Val{json::Value(std::move(parts)), Hint::list};
  }
  if (name == "join") {
    std::string out;
    if (a[0].value.is_array())
      for (const auto& item : a[0].value.as_array()) out += (&item == a[0].value.as_array().data() ? "" : a[1].value.as_string()) + shown({item});
    return Val{json::Value(std::move(out))};
  }
  if (name == "call") {
    const std::string value = a[0].value.is_string() ? quoted(a[0].value.as_string()) : shown(a[0]);
    return calling(a[0].is_nil() ? "call of nil" : format("non-function {} of type {}", value, type_name(a[0])));
  }
  return Val{json::Value(text_function(name, a))};
}

}  // namespace mica::cli::go
