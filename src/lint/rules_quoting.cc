// The most useful of what ShellCheck knows, found without it. Where the program itself ran, its findings replace these.
#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "lint/run_rules.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;
using shell::Command;
using shell::Expansion;
using shell::has_flag;
using shell::Word;

/// Shell text of sh, bash, dash, ash or ksh.
void each_script(const Inspection& in, const std::function<void(const StageView&, const RunView&)>& visit) {
  for (const StageView& stage : in.stages)
    for (const RunView& run : stage.runs)
      if (!run.exec_form && run.shell_is_posix && run.shell != "zsh" && !run.source_offsets.empty()) visit(stage, run);
}

bool begins_with_name(const Word& word) {
  const std::size_t equals = word.text.find('=');
  return equals != std::string::npos && equals > 0 &&
         word.text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+") == equals;
}

bool is_declaration(std::string_view program) {
  return program == "export" || program == "local" || program == "readonly" || program == "declare" || program == "typeset";
}

/// Values that splitting and patterns leave as they are.
bool is_safe_value(std::string_view text) { return text.find_first_of(" \t\n*?[") == text.npos; }

std::set<std::string, std::less<>> safe_variables(const RunView& run) {
  std::set<std::string, std::less<>> safe, unsafe;
  shell::each_node(run.script, [&](const shell::Visit& visit) {
    for (const shell::Assignment& assignment : visit.command->assignments)
      (assignment.value.literal && assignment.elements.empty() && is_safe_value(assignment.value.text) &&
               !assignment.value.text.empty()
           ? safe
           : unsafe)
          .insert(assignment.name);
    const Command& command = *visit.command;
    if (command.kind == Command::Kind::for_loop && !command.words.empty()) {
      const bool literal =
          command.words.size() > 1 && std::ranges::all_of(command.words.begin() + 1, command.words.end(), [](const Word& word) {
            return word.literal && !word.glob && is_safe_value(word.text);
          });
      (literal ? safe : unsafe).insert(command.words[0].text);
    }
    if (command.kind == Command::Kind::simple && (shell::program(command) == "read" || is_declaration(shell::program(command))))
      for (const Word& word : command.words) {
        const auto pair = split_once(word.text, '=');
        if (pair && word.literal && is_safe_value(pair->second))
          safe.insert(std::string(pair->first));
        else
          unsafe.insert(std::string(pair ? pair->first : std::string_view(word.text)));
      }
  });
  for (const std::string& name : unsafe) safe.erase(name);
  return safe;
}

std::optional<Fix> quote(const RunView& run, const Expansion& expansion) {
  if (!can_edit(run)) return std::nullopt;
  const std::size_t begin = run.source_offsets[expansion.begin], end = run.source_offsets[expansion.end - 1] + 1;
  return Fix{FixKind::ask, "put it in double quotes", {{{begin, begin}, "\""}, {{end, end}, "\""}}};
}

/// Lists of packages and of options are often kept in one variable: quoted they would be one word.
bool may_want_several(const Command& command) {
  const std::string_view program = shell::program(command);
  return package_command(command) || program.starts_with("docker-php-ext") || program == "apt-mark" || program == "dpkg" ||
         program == "rpm" || program == "configure" || program == "make" || program == "cmake" || program == "xargs" ||
         program == "set";
}

/// Words where the shell splits: arguments, and files of redirections.
void each_split_word(const RunView& run, const std::function<void(const Command&, const Word&)>& visit) {
  shell::each_command(run.script, [&](const shell::Visit& node) {
    const Command& command = *node.command;
    // dash splits the value of "export NAME=$x" as it does any argument; bash takes it for an assignment.
    const bool declares = is_declaration(shell::program(command)) && run.shell != "sh" && run.shell != "dash";
    for (std::size_t i = 1; i < command.words.size(); ++i)
      if (!declares || !begins_with_name(command.words[i])) visit(command, command.words[i]);
    for (const shell::Redirect& redirect : command.redirects)
      if (!redirect.operation.starts_with("<<")) visit(command, redirect.target);
  });
}

void check_unquoted(Inspection& in) {
  each_script(in, [&](const StageView&, const RunView& run) {
    const auto safe = safe_variables(run);
    each_split_word(run, [&](const Command& command, const Word& word) {
      for (const Expansion& expansion : word.expansions) {
        if (expansion.kind != Expansion::Kind::variable || expansion.quoted || expansion.name.empty()) continue;
        if (std::string_view("@*#?$!-").find(expansion.name[0]) != std::string_view::npos || safe.contains(expansion.name))
          continue;
        if (expansion.operation.starts_with('#') || expansion.operation.starts_with(":+") ||
            expansion.operation.starts_with('+') || expansion.operation.starts_with('['))
          continue;
        in.report(
            rule_of("SC2086"), in.span(run, expansion.begin, expansion.end), line_of(run),
            format("the value of {} is split at blanks and its patterns are filled in: put it in double quotes", expansion.name),
            may_want_several(command) && word.end - word.begin == expansion.end - expansion.begin ? std::nullopt
                                                                                                  : quote(run, expansion));
      }
    });
  });
}

void check_unquoted_command(Inspection& in) {
  each_script(in, [&](const StageView&, const RunView& run) {
    each_split_word(run, [&](const Command& command, const Word& word) {
      for (const Expansion& expansion : word.expansions) {
        if (expansion.kind != Expansion::Kind::command || expansion.quoted || !expansion.commands ||
            expansion.commands->items.empty())
          continue;
        const std::string_view program = shell::program(expansion.commands->items[0].links[0].pipeline.commands[0]);
        if (program == "seq" || program == "pgrep") continue;
        // "$(test ... && echo --flag)" is nothing at all when the test fails; quoted it would be an empty word.
        const auto& items = expansion.commands->items;
        const bool may_be_empty = items.size() > 1 || items[0].links.size() > 1;
        in.report(rule_of("SC2046"), in.span(run, expansion.begin, expansion.end), line_of(run),
                  "what the command prints is split at blanks and its patterns are filled in: put it in double quotes",
                  may_be_empty || (may_want_several(command) && word.end - word.begin == expansion.end - expansion.begin)
                      ? std::nullopt
                      : quote(run, expansion));
      }
    });
  });
}

bool sets_errexit(const RunView& run) {
  bool found = std::ranges::any_of(run.shell_words, [](const std::string& word) {
    return word.size() > 1 && word[0] == '-' && word[1] != '-' && word.find('e') != std::string::npos;
  });
  shell::each_command(run.script, [&](const shell::Visit& visit) {
    if (shell::program(*visit.command) == "set")
      found = found || has_flag(*visit.command, "-e") ||
              std::ranges::any_of(visit.command->words, [](const Word& word) { return word.text == "errexit"; });
  });
  return found || (run.script.text.starts_with("#!") &&
                   run.script.text.substr(0, run.script.text.find('\n')).find(" -e") != std::string::npos);
}

/// Offsets of commands that stand where their failure is looked at: conditions of if and while.
std::set<std::size_t> conditions(const RunView& run) {
  std::set<std::size_t> found;
  shell::each_node(run.script, [&](const shell::Visit& visit) {
    const Command& command = *visit.command;
    const bool branches = command.kind == Command::Kind::conditional;
    if (!branches && command.kind != Command::Kind::loop) return;
    for (std::size_t i = 0; i + 1 < command.bodies.size(); i += branches ? 2 : command.bodies.size())
      for (const shell::AndOr& item : command.bodies[i].items) found.insert(item.begin);
  });
  return found;
}

void check_cd(Inspection& in) {
  each_script(in, [&](const StageView&, const RunView& run) {
    if (sets_errexit(run)) return;
    const std::set<std::size_t> tested = conditions(run);
    shell::each_command(run.script, [&](const shell::Visit& visit) {
      const std::string_view program = shell::program(*visit.command);
      if (program != "cd" && program != "pushd" && program != "popd") return;
      const auto words = shell::operands(*visit.command);
      if (!words.empty() && (words[0]->text == ".." || words[0]->text == ".")) return;
      if (visit.link + 1 < visit.and_or->links.size() || visit.pipeline->negated || visit.pipeline->commands.size() > 1 ||
          tested.contains(visit.and_or->begin))
        return;
      std::optional<Fix> fix;
      if (can_edit(run)) {
        const std::size_t at = run.source_offsets[visit.command->end - 1] + 1;
        fix = Fix{FixKind::ask, "add || exit", {{{at, at}, " || exit 1"}}};
      }
      in.report(rule_of("SC2164"), in.span(run, visit.command->begin, visit.command->end), line_of(run),
                format("when {} fails, what follows runs in the wrong folder", program), std::move(fix));
    });
  });
}

/// Names that the script itself gives a value to.
std::set<std::string, std::less<>> assigned_names(const RunView& run, bool& open) {
  std::set<std::string, std::less<>> names;
  shell::each_node(run.script, [&](const shell::Visit& visit) {
    const Command& command = *visit.command;
    for (const shell::Assignment& assignment : command.assignments) names.insert(assignment.name);
    if (command.kind == Command::Kind::for_loop && !command.words.empty())
      names.insert(command.words[0].text.substr(0, command.words[0].text.find_first_of(" =")));
    if (command.kind == Command::Kind::arithmetic || command.kind == Command::Kind::for_loop)
      open = open || (command.kind == Command::Kind::arithmetic && command.words[0].text.find('=') != std::string::npos);
    if (command.kind != Command::Kind::simple) return;
    const std::string_view program = shell::program(command);
    if (program == "." || program == "source" || program == "eval") open = true;
    if (is_declaration(program) || program == "read" || program == "getopts" || program == "mapfile" || program == "readarray" ||
        program == "printf" || program == "unset" || program == "let")
      for (const Word& word : command.words) names.insert(word.text.substr(0, word.text.find_first_of("+=[")));
    for (const Word& word : command.words)
      for (const Expansion& expansion : word.expansions)
        if (expansion.operation.starts_with(":=") || expansion.operation.starts_with('=')) names.insert(expansion.name);
  });
  return names;
}

void add_stage_names(const Inspection& in, const StageView& stage, int before, std::set<std::string, std::less<>>& names) {
  if (stage.base_stage) add_stage_names(in, in.stages[*stage.base_stage], 1 << 30, names);
  for (const df::Instruction& instruction : stage.stage->instructions) {
    if (instruction.where.line >= before) break;
    if (const auto* env = std::get_if<df::Env>(&instruction.command))
      for (const df::KeyValue& pair : env->pairs) names.insert(pair.key);
    if (const auto* arg = std::get_if<df::Arg>(&instruction.command))
      for (const df::KeyValue& pair : arg->args) names.insert(pair.key);
  }
}

void each_expansion(const RunView& run, const std::function<void(const Expansion&)>& visit) {
  shell::each_node(run.script, [&](const shell::Visit& node) {
    for (const shell::Assignment& assignment : node.command->assignments)
      std::ranges::for_each(assignment.value.expansions, visit);
    for (const Word& word : node.command->words) std::ranges::for_each(word.expansions, visit);
    for (const shell::Redirect& redirect : node.command->redirects) {
      std::ranges::for_each(redirect.target.expansions, visit);
      if (redirect.document) std::ranges::for_each(redirect.document->expansions, visit);
    }
  });
}

void check_unassigned(Inspection& in) {
  each_script(in, [&](const StageView& stage, const RunView& run) {
    bool open = false;
    auto names = assigned_names(run, open);
    if (open || run.on_build) return;
    add_stage_names(in, stage, line_of(run), names);
    for (const std::string_view proxy : {"http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"}) names.emplace(proxy);
    each_expansion(run, [&](const Expansion& expansion) {
      if (expansion.kind != Expansion::Kind::variable || expansion.name.empty() || names.contains(expansion.name)) return;
      // Names in capitals are the environment's; others are of the script, and a default says that it may be unset.
      const bool has_lower = std::ranges::any_of(expansion.name, [](char c) { return c >= 'a' && c <= 'z'; });
      const std::string_view operation = expansion.operation;
      if (!has_lower || operation.starts_with(":-") || operation.starts_with('-') || operation.starts_with(":+") ||
          operation.starts_with('+') || operation.starts_with(":?") || operation.starts_with('?'))
        return;
      names.insert(expansion.name);
      in.report(rule_of("SC2154"), in.span(run, expansion.begin, expansion.end), line_of(run),
                format("{} is used, and nothing gives it a value", quoted(expansion.name)));
    });
  });
}

void check_and_or(Inspection& in) {
  each_script(in, [&](const StageView&, const RunView& run) {
    const std::set<std::size_t> tested = conditions(run);
    std::size_t told = std::string::npos;
    shell::each_node(run.script, [&](const shell::Visit& visit) {
      if (visit.link == 0 || visit.and_or->links[visit.link].kind != shell::AndOr::Link::Kind::or_else ||
          visit.and_or->links[visit.link - 1].kind != shell::AndOr::Link::Kind::and_then)
        return;
      if (visit.pipeline->commands.size() > 1 || tested.contains(visit.and_or->begin) ||
          told == visit.and_or->links[visit.link].operator_begin)
        return;
      const Command& last = *visit.command;
      const std::string_view program = shell::program(last);
      if (last.kind == Command::Kind::simple && last.words.empty()) return;
      for (const std::string_view harmless : {"echo", "exit", "return", "printf", "true", ":"})
        if (program == harmless) return;
      const shell::Pipeline& middle = visit.and_or->links[visit.link - 1].pipeline;
      if (!middle.commands.empty() && (middle.commands[0].kind == Command::Kind::test ||
                                       shell::program(middle.commands[0]) == "[" || shell::program(middle.commands[0]) == "test"))
        return;
      told = visit.and_or->links[visit.link].operator_begin;
      const std::size_t begin = visit.link >= 2 ? visit.and_or->links[visit.link - 2].pipeline.begin : middle.begin;
      in.report(rule_of("SC2015"), in.span(run, begin, visit.pipeline->end), line_of(run),
                "this is no if-then-else: the command after || also runs when the one after && fails");
    });
  });
}

const Rule kRules[] = {
    {.id = "SC2086",
     .severity = Severity::info,
     .fix = FixKind::ask,
     .summary = "a variable that is not quoted",
     .why = "The shell splits its value at blanks and fills in patterns: a path with a blank becomes two arguments.",
     .practice = "Write \"$name\", unless several words are meant.",
     .bad = "FROM debian:12\nARG DIR\nRUN mkdir $DIR\n",
     .good = "FROM debian:12\nARG DIR\nRUN mkdir \"$DIR\"\n",
     .check = check_unquoted},
    {.id = "SC2046",
     .fix = FixKind::ask,
     .summary = "a command substitution that is not quoted",
     .why = "The shell splits what is printed at blanks and fills in patterns.",
     .practice = "Write \"$(command)\", unless several words are meant.",
     .bad = "FROM debian:12\nRUN touch $(date +%F)\n",
     .good = "FROM debian:12\nRUN touch \"$(date +%F)\"\n",
     .check = check_unquoted_command},
    {.id = "SC2164",
     .fix = FixKind::ask,
     .summary = "cd without a look at whether it worked",
     .why = "When the folder is missing the next commands run where they should not; an rm there is a disaster.",
     .practice = "cd DIR && ..., cd DIR || exit, or WORKDIR.",
     .bad = "FROM debian:12\nRUN cd /opt/app; make\n",
     .good = "FROM debian:12\nRUN cd /opt/app && make\n",
     .check = check_cd},
    {.id = "SC2154",
     .summary = "a variable that nothing gives a value to",
     .why = "Misspelt, or from a file that was never read: the shell puts nothing in its place.",
     .practice = "Assign it, declare it with ARG or ENV, or give a default: ${name:-value}.",
     .bad = "FROM debian:12\nRUN mkdir \"/opt/$version\"\n",
     .good = "FROM debian:12\nARG version=1\nRUN mkdir \"/opt/$version\"\n",
     .check = check_unassigned},
    {.id = "SC2015",
     .severity = Severity::info,
     .summary = "A && B || C taken for if-then-else",
     .why = "C runs when A fails, and also when B does.",
     .practice = "Write if A; then B; else C; fi.",
     .bad = "FROM debian:12\nRUN test -f /a && cp /a /b || touch /b\n",
     .good = "FROM debian:12\nRUN if test -f /a; then cp /a /b; else touch /b; fi\n",
     .check = check_and_or},
};

}  // namespace

std::span<const Rule> quoting_rules() { return kRules; }

}  // namespace mica::lint
