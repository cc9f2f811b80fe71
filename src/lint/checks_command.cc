// CMD, ENTRYPOINT and HEALTHCHECK: which of them counts, and in which form.
#include <algorithm>
#include <array>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/parser.h"
#include "json/json.h"
#include "lint/checks.h"
#include "lint/rule.h"
#include "lint/texts.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;

/// The earlier ones of a stage do nothing.
template <class Kind>
void check_once(Inspection& in, const Rule& rule) {
  const InstructionView* last = nullptr;
  for (const InstructionView& view : in.instructions) {
    if (view.outer || !std::holds_alternative<Kind>(view.instruction->command)) continue;
    if (last && last->stage == view.stage)
      in.report(rule, in.whole(*last->instruction), *last,
                format("this {} is without effect: the one on line {} replaces it", view.instruction->keyword, view.instruction->where.line),
                Fix{FixKind::safe, "remove the line", {remove_lines(in, *last->instruction)}});
    last = &view;
  }
}

/// The command's words when it is one simple command that no shell is needed for.
std::optional<std::vector<std::string>> plain_words(std::string_view text) {
  const shell::Script script = shell::parse(std::string(text));
  if (script.fault || !script.comments.empty() || script.list.items.size() != 1) return std::nullopt;
  const shell::AndOr& item = script.list.items[0];
  if (item.links.size() != 1 || item.ended == shell::AndOr::End::background) return std::nullopt;
  const shell::Pipeline& pipeline = item.links[0].pipeline;
  if (pipeline.negated || pipeline.commands.size() != 1) return std::nullopt;
  const shell::Command& command = pipeline.commands[0];
  if (command.kind != shell::Command::Kind::simple || !command.assignments.empty() || !command.redirects.empty()) return std::nullopt;
  std::vector<std::string> words;
  for (const shell::Word& word : command.words) {
    if (!word.literal || word.glob || (!word.quoted && word.text.find_first_of("~{}") != word.text.npos)) return std::nullopt;
    words.push_back(word.text);
  }
  if (!words.empty() && words[0] == "exec") words.erase(words.begin());
  constexpr auto kBuiltins = std::to_array<std::string_view>({"cd", "export", "set", "source", ".", "ulimit", "umask", "eval", "exit", "wait"});
  if (words.empty() || std::ranges::find(kBuiltins, words[0]) != kBuiltins.end()) return std::nullopt;
  return words;
}

const df::CommandLine* command_of(const df::Instruction& instruction) {
  if (const auto* cmd = std::get_if<df::Cmd>(&instruction.command)) return &cmd->command;
  if (const auto* entrypoint = std::get_if<df::Entrypoint>(&instruction.command)) return &entrypoint->command;
  if (const auto* check = std::get_if<df::HealthcheckSpec>(&instruction.command)) return check->none ? nullptr : &check->command;
  return nullptr;
}

/// "['a', 'b']" and "[a, b]" as JSON; empty when other quotes do not make it JSON.
std::string with_double_quotes(std::string_view text) {
  if (text.find('"') != text.npos || text.find('\\') != text.npos || !text.ends_with(']')) return "";
  if (text.find('\'') == text.npos) {
    std::vector<std::string> words;
    for (const std::string_view part : split(text.substr(1, text.size() - 2), ',')) words.emplace_back(trim(part));
    return std::ranges::find(words, "") == words.end() ? json_form(words) : "";
  }
  const std::string candidate = replace_all(std::string(text), "'", "\"");
  const auto parsed = json::parse(candidate);
  if (!parsed || !parsed->is_array()) return "";
  for (const json::Value& value : parsed->as_array())
    if (!value.is_string()) return "";
  return candidate;
}

}  // namespace

void check_cmd_once(Inspection& in) { check_once<df::Cmd>(in, rule_of("DL4003")); }
void check_entrypoint_once(Inspection& in) { check_once<df::Entrypoint>(in, rule_of("DL4004")); }
void check_healthcheck_once(Inspection& in) { check_once<df::HealthcheckSpec>(in, rule_of("DL3012")); }

void check_json_recommended(Inspection& in) {
  static const Rule& rule = rule_of("DL3025");
  std::vector<bool> has_shell(in.stages.size());
  std::size_t stage = in.stages.size();
  for (const InstructionView& view : in.instructions) {
    if (view.stage != stage) {
      stage = view.stage;
      if (const auto base = in.stages[stage].base_stage) has_shell[stage] = has_shell[*base];
    }
    if (std::holds_alternative<df::Shell>(view.instruction->command)) has_shell[stage] = true;
    const df::CommandLine* command = command_of(*view.instruction);
    // Who sets SHELL means it.
    if (!command || command->exec_form || command->words.empty() || has_shell[stage]) continue;
    const std::string& text = command->words[0];
    const std::size_t size = view.instruction->text.size();
    const Span where = in.span(*view.instruction, size - std::min(text.size(), size), size);
    std::optional<Fix> fix;
    if (const auto words = plain_words(text)) fix = one_edit(FixKind::ask, "write the JSON form", where, json_form(*words));
    const bool is_check = view.instruction->keyword == "HEALTHCHECK";
    in.report(rule, where, view,
              format("{} in shell form runs below /bin/sh -c, which {}", view.instruction->keyword,
                     is_check ? "the image must have" : "passes on no signals"),
              std::move(fix));
  }
}

void check_json_form(Inspection& in) {
  static const Rule& rule = rule_of("invalid-json-form");
  for (const InstructionView& view : in.instructions) {
    const df::Instruction& instruction = *view.instruction;
    std::string_view text = std::string_view(instruction.text).substr(in.arguments_begin(instruction));
    std::size_t begin = instruction.text.size() - text.size();
    if (instruction.keyword == "HEALTHCHECK" && to_upper(text.substr(0, 4)) == "CMD ") {
      const std::size_t skip = std::min(text.find_first_not_of(" \t", 3), text.size());
      text.remove_prefix(skip), begin += skip;
    }
    constexpr auto kTaking = std::to_array<std::string_view>({"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "COPY", "ADD", "VOLUME"});
    if (text.size() < 2 || text[0] != '[' || std::ranges::find(kTaking, instruction.keyword) == kTaking.end()) continue;
    const df::CommandLine* command = command_of(instruction);
    if (const auto* run = std::get_if<df::Run>(&instruction.command)) command = &run->command;
    if (command && command->exec_form) continue;
    // "[ -f x ]" is a test of the shell: there a blank follows the bracket.
    const bool like_json = text.ends_with(']') && text[1] != ' ' && text[1] != '\t';
    if (!like_json && text[1] != '\'' && text[1] != '"' && text.find("\",") == text.npos && text.find("',") == text.npos) continue;
    if (!command) {
      const auto parsed = json::parse(text);
      if (parsed && parsed->is_array()) continue;
    }
    const Span where = in.span(instruction, begin, instruction.text.size());
    std::optional<Fix> fix;
    const std::string better = with_double_quotes(text);
    if (!better.empty()) fix = one_edit(FixKind::ask, "write double quotes", where, better);
    in.report(rule, where, view,
              fix ? "JSON wants each word in double quotes: this goes to the shell as it stands"
                  : "this begins like JSON but is none: it is taken as plain text",
              std::move(fix));
  }
}

void check_no_command(Inspection& in) {
  static const Rule& rule = rule_of("no-command");
  if (in.stages.empty()) return;
  for (std::optional<std::size_t> at = in.stages.size() - 1; at; at = in.stages[*at].base_stage)
    for (const df::Instruction& instruction : in.stages[*at].stage->instructions)
      if (std::holds_alternative<df::Cmd>(instruction.command) || std::holds_alternative<df::Entrypoint>(instruction.command)) return;
  const df::Stage& last = *in.stages.back().stage;
  if (last.implied) return;
  in.report(rule, in.whole(last), last.where.line, "neither CMD nor ENTRYPOINT: the image does what its base does");
}

void check_no_healthcheck(Inspection& in) {
  static const Rule& rule = rule_of("DL3057");
  if (in.stages.empty()) return;
  for (std::optional<std::size_t> at = in.stages.size() - 1; at; at = in.stages[*at].base_stage)
    for (const df::Instruction& instruction : in.stages[*at].stage->instructions)
      if (std::holds_alternative<df::HealthcheckSpec>(instruction.command)) return;
  const df::Stage& last = *in.stages.back().stage;
  if (last.implied) return;
  in.report(rule, in.whole(last), last.where.line, "no HEALTHCHECK: nothing tells a container that hangs from one that works");
}

}  // namespace mica::lint
