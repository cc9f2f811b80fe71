#include "engine/compose_variables.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "sys/fd.h"

namespace mica::engine {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr int kMaxNesting = 20;

bool starts_name(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name(char c) { return starts_name(c) || (c >= '0' && c <= '9'); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// Go's escapes within double quotes; of others the backslash stays, so that `\$` reaches expand.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    switch (const char next = text[++i]; next) {
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case '$': out += "$$"; break;
      case '"':
      case '\\': out += next; break;
      default: out += '\\', out += next;
    }
  }
  return out;
}

}  // namespace

/// One text while its variables are replaced.
struct ComposeVariables::Reader {
  ComposeVariables& variables;
  std::string_view text;
  std::size_t at = 0;

  bool ended() const { return at == text.size(); }

  std::unexpected<Error> malformed(std::string_view why) const {
    return fail(Error(Errc::invalid_argument, format("{} in {}", why, quoted(std::string(text)))).with_hint("a '$' that stands for itself is written \"$$\""));
  }

  std::string name() {
    const std::size_t from = at;
    if (!ended() && starts_name(text[at]))
      while (!ended() && is_name(text[at])) ++at;
    return std::string(text.substr(from, at - from));
  }

  /// Up to the end, or to the '}' that closes the braces around it. `live`: false where what is read is not used, so it asks for nothing.
  Result<std::string> words(int nesting, bool live) {
    std::string out;
    while (!ended()) {
      const char c = text[at];
      if (c == '}' && nesting > 0) return out;
      ++at;
      if (c != '$') {
        out += c;
      } else if (!ended() && text[at] == '$') {
        ++at;
        out += '$';
      } else {
        const auto value = TRY(variable(nesting, live));
        out += value;
      }
    }
    return out;
  }

  Result<std::string> variable(int nesting, bool live) {
    if (nesting == kMaxNesting) return malformed("variables are nested too deeply");
    if (ended() || text[at] != '{') {
      const std::string plain = name();
      if (plain.empty()) return malformed("'$' without a name");
      return needed(plain, live);
    }
    ++at;
    const std::string wanted = name();
    if (wanted.empty()) return malformed("\"${\" without a name");
    if (!ended() && text[at] == '}') {
      ++at;
      return needed(wanted, live);
    }
    const bool or_empty = !ended() && text[at] == ':';
    if (or_empty) ++at;
    const char action = ended() ? '\0' : text[at++];
    if (action != '-' && action != '?' && action != '+') return malformed("invalid variable");
    const auto value = variables.value(wanted);
    const bool has = value && !(or_empty && value->empty());
    const bool uses_word = action == '+' ? has : !has;
    const auto word = TRY(words(nesting + 1, live && uses_word));
    if (ended()) return malformed("\"${\" is not closed");
    ++at;
    if (action == '-') return has ? *value : word;
    if (action == '+') return has ? word : std::string();
    if (has) return *value;
    if (!live) return std::string();
    return failf(Errc::invalid_argument, "required variable {} is missing a value{}{}", wanted, word.empty() ? "" : ": ", word);
  }

  std::string needed(const std::string& wanted, bool live) {
    const auto value = variables.value(wanted);
    if (!value && live) variables.unset_.insert(wanted);
    return value.value_or("");
  }
};

Result<ComposeVariables> ComposeVariables::load(const std::string& folder) {
  ComposeVariables out;
  out.with_environment_ = true;
  const std::string path = join_path(folder, ".env");
  const auto text = sys::read_file(path, kMaxFileBytes);
  if (text) TRY(out.add_file(path, *text));
  else if (text.error().os_number() != ENOENT) return fail(Error(text.error()).doing(format("reading {}", path)));
  out.unset_.clear();
  return out;
}

std::optional<std::string> ComposeVariables::value(const std::string& name) const {
  if (const char* own = with_environment_ ? std::getenv(name.c_str()) : nullptr) return std::string(own);
  if (const auto found = values_.find(name); found != values_.end()) return found->second;
  return std::nullopt;
}

Result<> ComposeVariables::add_file(const std::string& path, std::string_view text) {
  int line = 1;
  std::size_t at = 0;
  const auto wrong = [&](std::string why) { return fail(Error(Errc::invalid_argument, std::move(why)).at({.file = path, .line = line})); };
  const auto skip = [&](auto&& unwanted) {
    for (; at < text.size() && unwanted(text[at]); ++at) line += text[at] == '\n';
  };
  const auto to_line_end = [&] { at = std::min(text.find('\n', at), text.size()); };
  if (text.starts_with("\xef\xbb\xbf")) at = 3;
  for (;;) {
    skip([](char c) { return is_blank(c) || c == '\n'; });
    if (at == text.size()) return {};
    if (text[at] == '#') {
      to_line_end();
      continue;
    }
    if (text.substr(at).starts_with("export ")) {
      at += 7;
      skip(is_blank);
    }
    const std::size_t from = at;
    while (at < text.size() && text[at] != '=' && text[at] != ':' && text[at] != '\n') ++at;
    const std::string name(trim(text.substr(from, at - from)));
    if (name.empty()) return wrong("a line without a name");
    for (const char c : name)
      if (!is_name(c) && c != '.' && c != '-' && c != '[' && c != ']') return wrong(format("{} is no name of a variable", quoted(name)));
    if (at == text.size() || text[at] == '\n') {
      bare_.insert(name);
      continue;
    }
    ++at;
    skip(is_blank);
    const char quote = at < text.size() ? text[at] : '\n';
    if (quote == '\'' || quote == '"') {
      const std::size_t start = ++at;
      while (at < text.size() && text[at] != quote) at += text[at] == '\\' ? 2 : 1;
      if (at >= text.size()) return wrong(format("the {} of {} is not closed", quote == '"' ? "double quote" : "single quote", name));
      std::string value(text.substr(start, at - start));
      if (quote == '"') {
        auto expanded = expand(unescaped(value));
        if (!expanded) return fail(std::move(expanded).error().at({.file = path, .line = line}));
        value = std::move(*expanded);
      }
      values_.insert_or_assign(name, std::move(value));
      line += static_cast<int>(std::count(text.begin() + static_cast<std::ptrdiff_t>(start), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
      ++at;
      skip(is_blank);
      if (at < text.size() && text[at] != '\n' && text[at] != '#') return wrong(format("text behind the quotes of {}", name));
      to_line_end();
      continue;
    }
    const std::size_t start = at;
    to_line_end();
    std::string_view value = text.substr(start, at - start);
    for (std::size_t i = 0; i < value.size(); ++i)
      if (value[i] == '#' && (i == 0 || is_blank(value[i - 1]))) value = value.substr(0, i);
    auto expanded = expand(trim(value));
    if (!expanded) return fail(std::move(expanded).error().at({.file = path, .line = line}));
    values_.insert_or_assign(name, std::move(*expanded));
  }
}

Result<std::string> ComposeVariables::expand(std::string_view text) {
  if (text.find('$') == text.npos) return std::string(text);
  Reader reader{*this, text};
  return reader.words(0, true);
}

}  // namespace mica::engine
