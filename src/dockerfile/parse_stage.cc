// FROM and ONBUILD.
#include "base/format.h"
#include "base/text.h"
#include "dockerfile/statement.h"
#include "dockerfile/unicode.h"

namespace mica::dockerfile {
namespace {

/// [a-z][a-z0-9-_.]*
bool is_stage_name(std::string_view name) {
  if (name.empty() || name[0] < 'a' || name[0] > 'z') return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string_view::npos;
}

}  // namespace

std::optional<Stage> parse_from(const Statement& s, Diagnostics& diagnostics) {
  static constexpr FlagSpec kFlags[] = {{"platform"}};
  const auto words = split_words(s.rest);
  const bool named = words.size() == 3 && equals_ignoring_case(words[1], "AS");
  if (!named && words.size() != 1) {
    diagnostics.error(s.where, "FROM requires either one or three arguments",
                      words.size() == 3 ? "the second of three must be AS" : "");
    return std::nullopt;
  }
  Stage stage{.base = std::string(words[0]),
              .from_keyword = s.keyword_as_written,
              .text = std::string(trim_space(s.text)),
              .pieces = s.pieces,
              .where = s.where};
  if (named) {
    stage.as_keyword = words[1];
    stage.name_as_written = words[2];
    stage.name = to_lower(words[2]);
    if (!is_stage_name(stage.name)) {
      diagnostics.error(s.where, format("invalid name for build stage: {}, name can't start with a number or contain symbols",
                                        quoted(stage.name_as_written)));
      return std::nullopt;
    }
  }
  if (!check_flags(s, kFlags, diagnostics)) return std::nullopt;
  stage.platform = text_flag(s, "platform");
  return stage;
}

std::optional<Command> parse_onbuild(const Statement& s, Diagnostics& diagnostics) {
  if (s.rest.empty()) {
    diagnostics.error(s.where, "ONBUILD requires at least one argument");
    return std::nullopt;
  }
  if (!check_flags(s, {}, diagnostics)) return std::nullopt;
  const auto words = split_words(s.rest);
  const std::string trigger = to_upper(words.empty() ? "" : words[0]);
  if (trigger == "ONBUILD") {
    diagnostics.error(s.where, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", "", "DL3043");
    return std::nullopt;
  }
  if (trigger == "FROM" || trigger == "MAINTAINER") {
    diagnostics.error(s.where, trigger + " isn't allowed as an ONBUILD trigger", "", "DL3043");
    return std::nullopt;
  }
  // Up to the end of the line with its blanks, as BuildKit records it.
  OnBuild onbuild{.text = s.text.substr(s.rest.data() - s.text.data())};
  for (const Heredoc& heredoc : s.heredocs) {
    onbuild.text += '\n';
    onbuild.text += heredoc.strip_tabs ? heredoc.raw : heredoc.body;
    onbuild.text += heredoc.name;
  }
  return onbuild;
}

}  // namespace mica::dockerfile
