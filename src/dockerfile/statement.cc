#include "dockerfile/statement.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/heredoc.h"
#include "dockerfile/parser.h"
#include "dockerfile/unicode.h"

namespace mica::dockerfile {
namespace {

constexpr std::string_view kKeywords[] = {"ADD",    "ARG",   "CMD",         "COPY",  "ENTRYPOINT", "ENV",
                                          "EXPOSE", "FROM",  "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD",
                                          "RUN",    "SHELL", "STOPSIGNAL",  "USER",  "VOLUME",     "WORKDIR"};
constexpr std::string_view kWithJson[] = {"ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"};
constexpr std::string_view kWithHeredocs[] = {"ADD", "COPY", "RUN"};

bool is_one_of(std::string_view word, std::span<const std::string_view> known) {
  return std::ranges::find(known, word) != known.end();
}

/// The parts of a line that need no memory of their own.
struct Parts {
  std::string_view keyword, after_keyword;
};
Parts split_keyword(std::string_view text) {
  text = trim_space(text);
  const std::size_t end = std::min(text.find_first_of(kWordBlanks), text.size());
  return {text.substr(0, end), trim_left(text.substr(end), kWordBlanks)};
}

/// Of HEALTHCHECK the JSON may follow the type.
std::string_view json_part(std::string_view keyword, std::string_view rest) {
  if (keyword != "HEALTHCHECK") return rest;
  std::size_t at = 0;
  while (at < rest.size() && space_at(rest.substr(at)) == 0) ++at;
  return trim_space_left(rest.substr(at));
}

bool check_pairs(std::string_view keyword, std::string_view rest, char escape, const Range& where, Diagnostics& diagnostics) {
  const auto words = split_quoted(rest, escape);
  if (words.empty()) return true;
  if (words[0].find('=') == std::string::npos) {
    if (rest.find_first_of(kWordBlanks) != std::string_view::npos) return true;
    diagnostics.error(where, format("{} must have two arguments", keyword));
    return false;
  }
  for (const std::string& word : words) {
    if (word.find('=') != std::string::npos) continue;
    diagnostics.error(where, format("Syntax error - can't find = in {}. Must be of the form: name=value", quoted(word)));
    return false;
  }
  return true;
}

/// What BuildKit's first pass finds wrong, also in what ONBUILD holds.
bool check_words(std::string_view keyword, std::string_view rest, const JsonWords& json, char escape, const Range& where,
                 Diagnostics& diagnostics) {
  if (json.kind == JsonWords::Kind::not_strings) {
    diagnostics.error(where, "when using JSON array syntax, arrays must be comprised of strings only");
    return false;
  }
  if (keyword == "ENV" || keyword == "LABEL") return check_pairs(keyword, rest, escape, where, diagnostics);
  return true;
}

JsonWords json_of(std::string_view keyword, std::string_view rest) {
  if (keyword != "HEALTHCHECK" && !is_one_of(keyword, kWithJson)) return {};
  return parse_json_words(json_part(keyword, rest));
}

/// "--name": what messages call a flag.
std::string dashed(const Flag& flag) { return "--" + flag.name; }

}  // namespace

bool read_statement(Statement& statement, std::string text, std::vector<TextPiece> pieces, char escape, const Range& where,
                    Diagnostics& diagnostics) {
  statement.text = std::move(text);
  statement.pieces = std::move(pieces);
  statement.escape = escape;
  statement.where = where;
  const Parts parts = split_keyword(statement.text);
  statement.keyword_as_written = parts.keyword;
  statement.keyword = to_upper(parts.keyword);
  SplitFlags split = split_flags(parts.after_keyword);
  for (FlagWord& word : split.flags) {
    Flag flag{.name = word.text.substr(2),
              .where = place_of(statement.pieces, parts.after_keyword.data() - statement.text.data() + word.offset)};
    flag.where.end_line = flag.where.line;
    if (auto pair = split_once(flag.name, '=')) {
      flag.value = std::string(pair->second);
      flag.name = std::string(pair->first);
    }
    statement.flags.push_back(std::move(flag));
  }
  if (statement.flags.size() > kMaxWords) {
    diagnostics.error(where, format("{} has more than {} flags", statement.keyword, kMaxWords));
    return false;
  }
  statement.rest = split.rest;
  statement.json = json_of(statement.keyword, statement.rest);
  if (statement.keyword == "ONBUILD") {
    const Parts inner = split_keyword(statement.rest);
    const std::string keyword = to_upper(inner.keyword);
    const std::string_view rest = split_flags(inner.after_keyword).rest;
    return check_words(keyword, rest, json_of(keyword, rest), escape, where, diagnostics);
  }
  return check_words(statement.keyword, statement.rest, statement.json, escape, where, diagnostics);
}

std::vector<Heredoc> heredocs_of(const Statement& statement) {
  std::string keyword = statement.keyword;
  bool json = statement.json.kind != JsonWords::Kind::not_json;
  if (keyword == "ONBUILD") {
    const Parts inner = split_keyword(statement.rest);
    keyword = to_upper(inner.keyword);
    json = json_of(keyword, split_flags(inner.after_keyword).rest).kind != JsonWords::Kind::not_json;
  }
  if (json || !is_one_of(keyword, kWithHeredocs)) return {};
  return find_heredocs(statement.text);
}

bool check_flags(const Statement& statement, std::span<const FlagSpec> known, Diagnostics& diagnostics) {
  const std::size_t errors_before = diagnostics.error_count();
  std::vector<std::string_view> used;
  for (const Flag& flag : statement.flags) {
    Range where = statement.where;
    if (flag.where.line == where.line) where.column = flag.where.column;
    const auto spec = std::ranges::find(known, flag.name, &FlagSpec::name);
    if (diagnostics.full()) return false;
    if (spec == known.end()) {
      std::vector<std::string_view> names;
      for (const FlagSpec& one : known) names.push_back(one.name);
      diagnostics.error(where, "unknown flag: " + dashed(flag), did_you_mean(flag.name, names));
      continue;
    }
    if (spec->kind != FlagKind::list && std::ranges::find(used, flag.name) != used.end()) {
      diagnostics.error(where, "duplicate flag specified: " + dashed(flag));
      continue;
    }
    if (spec->kind != FlagKind::list) used.push_back(flag.name);
    if (spec->kind != FlagKind::boolean) {
      if (!flag.value) diagnostics.error(where, "missing a value on flag: " + dashed(flag));
    } else if (flag.value && flag.value->empty()) {
      diagnostics.error(where, "missing a value on flag: " + dashed(flag));
    } else if (flag.value && !equals_ignoring_case(*flag.value, "true") && !equals_ignoring_case(*flag.value, "false")) {
      diagnostics.error(where, format("expecting boolean value for flag {}, not: {}", dashed(flag), *flag.value));
    }
  }
  return diagnostics.error_count() == errors_before;
}

std::string text_flag(const Statement& statement, std::string_view name) {
  for (const Flag& flag : statement.flags)
    if (flag.name == name) return flag.value.value_or("");
  return "";
}

std::optional<bool> boolean_flag(const Statement& statement, std::string_view name) {
  for (const Flag& flag : statement.flags)
    if (flag.name == name) return !flag.value || equals_ignoring_case(*flag.value, "true");
  return std::nullopt;
}

std::vector<std::string> list_flag(const Statement& statement, std::string_view name) {
  std::vector<std::string> values;
  for (const Flag& flag : statement.flags)
    if (flag.name == name && flag.value) values.push_back(*flag.value);
  return values;
}

std::optional<Command> parse_command(const Statement& statement, Diagnostics& diagnostics) {
  using Parse = std::optional<Command> (*)(const Statement&, Diagnostics&);
  static constexpr std::pair<std::string_view, Parse> kParsers[] = {{"ADD", parse_add_or_copy},
                                                                    {"ARG", parse_arg},
                                                                    {"CMD", parse_cmd},
                                                                    {"COPY", parse_add_or_copy},
                                                                    {"ENTRYPOINT", parse_entrypoint},
                                                                    {"ENV", parse_env},
                                                                    {"EXPOSE", parse_expose},
                                                                    {"HEALTHCHECK", parse_healthcheck},
                                                                    {"LABEL", parse_label},
                                                                    {"MAINTAINER", parse_maintainer},
                                                                    {"ONBUILD", parse_onbuild},
                                                                    {"RUN", parse_run},
                                                                    {"SHELL", parse_shell},
                                                                    {"STOPSIGNAL", parse_stopsignal},
                                                                    {"USER", parse_user},
                                                                    {"VOLUME", parse_volume},
                                                                    {"WORKDIR", parse_workdir}};
  for (const auto& [keyword, parse] : kParsers)
    if (keyword == statement.keyword) return parse(statement, diagnostics);
  if (statement.keyword.empty()) {
    diagnostics.error(statement.where, "a line continuation with no instruction");
    return std::nullopt;
  }
  std::string suggestion = did_you_mean(statement.keyword, kKeywords);
  if (statement.keyword_as_written == to_lower(statement.keyword)) suggestion = to_lower(suggestion);
  diagnostics.error(statement.where, "unknown instruction: " + statement.keyword_as_written, std::move(suggestion));
  return std::nullopt;
}

}  // namespace mica::dockerfile
