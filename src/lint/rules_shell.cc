// Shell inside RUN: what fails without being noticed, and what has no sense in a build.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "lint/run_rules.h"

namespace mica::lint {
namespace {

using shell::has_flag;
using shell::Word;

bool has_option(const std::vector<std::string>& words, std::string_view letter_or_name) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (letter_or_name.size() > 1 ? words[i] == letter_or_name || words[i].ends_with(letter_or_name)
                                  : words[i].size() > 1 && words[i][0] == '-' && words[i][1] != '-' &&
                                        words[i].find(letter_or_name[0]) != std::string::npos)
      return true;
  }
  return false;
}

/// "set -o pipefail" (or -euo pipefail) somewhere in the script.
bool sets_pipefail(const RunView& run) {
  bool found = false;
  shell::each_command(run.script, [&](const shell::Visit& visit) {
    if (shell::program(*visit.command) == "set")
      for (const Word& word : visit.command->words) found = found || word.text == "pipefail";
  });
  return found;
}

bool sets_errexit(const RunView& run) {
  if (has_option(run.shell_words, "e") || has_option(run.shell_words, "errexit")) return true;
  bool found = false;
  shell::each_command(run.script, [&](const shell::Visit& visit) {
    if (shell::program(*visit.command) == "set")
      found = found || has_flag(*visit.command, "-e") ||
              std::ranges::any_of(visit.command->words, [](const Word& word) { return word.text == "errexit"; });
  });
  // "#!/bin/bash -e" of a script.
  const std::string_view first = std::string_view(run.script.text).substr(0, run.script.text.find('\n'));
  return found || (first.starts_with("#!") && first.find(" -e") != first.npos);
}

void check_pipefail(Inspection& in) {
  for (const StageView& stage : in.stages) {
    bool first = true;
    for (const RunView& run : stage.runs) {
      if (run.exec_form || !run.shell_is_posix || run.on_build || has_option(run.shell_words, "pipefail") || sets_pipefail(run))
        continue;
      std::optional<std::size_t> bar;
      shell::each_node(run.script, [&](const shell::Visit& visit) {
        if (!visit.pipeline->bars.empty()) bar = std::min(bar.value_or(visit.pipeline->bars[0]), visit.pipeline->bars[0]);
      });
      if (!bar) continue;
      std::optional<Fix> fix;
      if (std::exchange(first, false)) {
        const std::size_t at = insertion_before(in, *run.instruction);
        const std::string_view line = base_is_alpine(in, stage) ? "SHELL [\"/bin/ash\", \"-eo\", \"pipefail\", \"-c\"]"
                                                                : "SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]";
        if (run.shell == "sh" || run.shell == "bash")
          fix = Fix{FixKind::ask, "set pipefail with SHELL", {{{at, at}, std::string(line) + line_end(in)}}};
      }
      in.report(rule_of("DL4006"), in.span(run, *bar, *bar + 1), line_of(run),
                "only the last command of the pipe counts: when one before it fails, the build goes on", std::move(fix));
    }
  }
}

void check_sh_link(Inspection& in) {
  each_step(in, [&](const Step& step) {
    if (step.program != "ln") return;
    const auto words = shell::operands(*step.command);
    if (!std::ranges::any_of(words, [](const Word* word) { return word->text == "/bin/sh"; })) return;
    std::optional<Fix> fix;
    const bool alone = is_plain_chain(*step.run) && step.run->script.list.items[0].links.size() == 1 && !step.run->on_build;
    if (alone && words.size() == 2 && words[1]->text == "/bin/sh" && words[0]->literal) {
      const std::string shell = words[0]->text.starts_with('/') ? words[0]->text : "/bin/" + words[0]->text;
      fix = Fix{FixKind::ask, "use SHELL", {{in.whole(*step.run->instruction), format("SHELL [\"{}\", \"-c\"]", shell)}}};
    }
    in.report(rule_of("DL4005"), span_of(in, step), line_of(*step.run),
              "the shell of every script in the image is exchanged: SHELL sets that of the build alone", std::move(fix));
  });
}

void check_senseless(Inspection& in) {
  static constexpr std::string_view kPrograms[] = {"free",    "ifconfig", "kill", "mount", "ps",
                                                   "service", "shutdown", "ssh",  "top",   "vim"};
  each_step(in, [&](const Step& step) {
    if (std::ranges::find(kPrograms, step.program) == std::end(kPrograms)) return;
    const Word& word = step.command->words[shell::program_index(*step.command)];
    in.report(rule_of("DL3001"), can_edit(*step.run) ? span_of(in, *step.run, word) : span_of(in, step), line_of(*step.run),
              format("{} has no effect that a layer could keep", quoted(step.program)));
  });
}

void check_semicolons(Inspection& in) {
  each_run(in, [&](const StageView&, const RunView& run) {
    if (run.exec_form || run.on_build || sets_errexit(run)) return;
    const auto& items = run.script.list.items;
    Fix fix{FixKind::ask, "join with &&", {}};
    std::optional<std::size_t> first;
    bool by_line = false;
    for (std::size_t i = 0; i + 1 < items.size(); ++i) {
      const shell::AndOr& item = items[i];
      const bool semicolon = item.ended == shell::AndOr::End::semicolon;
      if (!semicolon && item.ended != shell::AndOr::End::newline) continue;
      // Assignments and set cannot fail; "|| true" says that failing is meant.
      const shell::AndOr::Link& last = item.links.back();
      const shell::Command& command = last.pipeline.commands.back();
      const std::string_view program = shell::program(command);
      const bool quiet = (command.kind == shell::Command::Kind::simple && command.words.empty()) ||
                         command.kind == shell::Command::Kind::function || program == "set" || program == "true" ||
                         program == ":" || program == "echo" || program == "export" || program == "exit";
      if (quiet && item.links.size() == 1) continue;
      if (program == "true" || program == ":") continue;
      if (!first) first = semicolon ? item.terminator : item.begin, by_line = !semicolon;
      if (semicolon && can_edit(run)) {
        const std::size_t at = run.source_offsets[item.terminator];
        fix.edits.push_back({{at, at + 1}, " &&"});
      }
    }
    if (!first) return;
    if (by_line) {
      fix = Fix{FixKind::ask, "begin with set -e", {}};
      if (can_edit(run) && !run.run->command.heredocs.empty() && !run.script.text.starts_with("#!") &&
          run.script.list.items[0].begin < run.source_offsets.size()) {
        const std::size_t at = run.source_offsets[run.script.list.items[0].begin];
        fix.edits.push_back({{at, at}, "set -e" + line_end(in)});
      }
    }
    in.report(rule_of("semicolon-chain"), by_line ? in.span(run, items[0].begin, items[0].end) : in.span(run, *first, *first + 1),
              line_of(run),
              by_line ? "when a line of this script fails, the next ones run all the same, and only the last decides"
                      : "when a command before the semicolon fails, the build goes on",
              fix.edits.empty() ? std::nullopt : std::optional(std::move(fix)));
  });
}

void check_gpg(Inspection& in) {
  each_step(in, [&](const Step& step) {
    if (step.program != "gpg" && step.program != "gpg2") return;
    if (has_flag(*step.command, "--batch")) return;
    const bool works = std::ranges::any_of(step.command->words, [](const Word& word) {
      return word.text == "--recv-keys" || word.text == "--recv-key" || word.text == "--import" || word.text == "--verify" ||
             word.text == "--keyserver" || word.text == "--dearmor" || word.text == "--export";
    });
    if (!works) return;
    const Word& program = step.command->words[shell::program_index(*step.command)];
    in.report(rule_of("gpg-without-batch"), can_edit(*step.run) ? span_of(in, *step.run, program) : span_of(in, step),
              line_of(*step.run), "gpg may ask, and words its answers for people: in a script it wants --batch",
              insert_after(in, *step.run, program, FixKind::ask, "--batch"));
  });
}

/// A folder of mktemp -d that nothing removes.
void check_temporary(Inspection& in) {
  each_run(in, [&](const StageView& stage, const RunView& run) {
    if (!stage.exported || run.exec_form || has_cache_mount(run, "/tmp")) return;
    shell::each_node(run.script, [&](const shell::Visit& visit) {
      const auto look = [&](std::string_view name, const Word& word, std::size_t begin, std::size_t end) {
        bool makes = false;
        for (const shell::Expansion& expansion : word.expansions)
          if (expansion.commands)
            for (const shell::AndOr& item : expansion.commands->items)
              for (const shell::AndOr::Link& link : item.links)
                for (const shell::Command& command : link.pipeline.commands)
                  makes = makes || (shell::program(command) == "mktemp" && has_flag(command, "-d"));
        if (!makes) return;
        bool removed = false;
        shell::each_command(run.script, [&](const shell::Visit& other) {
          const std::string_view program = shell::program(*other.command);
          if (program != "rm" && program != "trap" && program != "mv" && program != "rmdir") return;
          for (const Word& one : other.command->words)
            if (one.text.find(name) != std::string::npos || one.text.starts_with("/tmp")) removed = true;
        });
        if (!removed)
          in.report(rule_of("temporary-left"), in.span(run, begin, end), line_of(run),
                    format("nothing removes the folder that {} names", quoted(name)));
      };
      for (const shell::Assignment& assignment : visit.command->assignments)
        look(assignment.name, assignment.value, assignment.begin, assignment.end);
      if (visit.command->kind == shell::Command::Kind::simple && shell::program(*visit.command) == "export")
        for (const Word& word : visit.command->words)
          if (const auto pair = split_once(word.text, '=')) look(pair->first, word, word.begin, word.end);
    });
  });
}

const Rule kRules[] = {
    {.id = "DL4006",
     .fix = FixKind::ask,
     .summary = "a pipe without pipefail",
     .why = "Of a pipe only the last command's result counts. A download that fails gives nothing to tar or to sha256sum, and "
            "the layer is made and cached all the same.",
     .practice = "SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"] once per stage; on Alpine [\"/bin/ash\", \"-eo\", "
                 "\"pipefail\", \"-c\"].",
     .bad = "FROM debian:12\nRUN ls / | wc -l > /count\n",
     .good = "FROM debian:12\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN ls / | wc -l > /count\n",
     .check = check_pipefail},
    {.id = "DL4005",
     .fix = FixKind::ask,
     .summary = "/bin/sh is replaced by a link",
     .why = "Every script of the distribution then runs in another shell than it was written for.",
     .practice = "Use SHELL for the build.",
     .bad = "FROM debian:12\nRUN ln -sf /bin/bash /bin/sh\n",
     .good = "FROM debian:12\nSHELL [\"/bin/bash\", \"-c\"]\n",
     .check = check_sh_link},
    {.id = "DL3001",
     .severity = Severity::info,
     .summary = "a command without sense in a build",
     .why = "Services, mounts and sessions end with the step; only files are kept.",
     .practice = "Leave it out, or do it when the container starts.",
     .bad = "FROM debian:12\nRUN service nginx start\n",
     .good = "FROM debian:12\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n",
     .check = check_senseless},
    {.id = "semicolon-chain",
     .severity = Severity::info,
     .fix = FixKind::ask,
     .summary = "commands go on after one has failed",
     .why = "Of a list joined by semicolons or lines only the last result counts: what fails before goes unnoticed into the "
            "image and the cache.",
     .practice = "Join with &&, or begin with set -e.",
     .bad = "FROM debian:12\nRUN make; make install\n",
     .good = "FROM debian:12\nRUN make && make install\n",
     .check = check_semicolons},
    {.id = "gpg-without-batch",
     .severity = Severity::info,
     .fix = FixKind::ask,
     .summary = "gpg without --batch",
     .why = "Without --batch gpg may wait for a terminal, and its interface is not fixed.",
     .practice = "gpg --batch --verify ...",
     .bad = "FROM debian:12\nRUN gpg --verify a.sig a\n",
     .good = "FROM debian:12\nRUN gpg --batch --verify a.sig a\n",
     .check = check_gpg},
    {.id = "temporary-left",
     .severity = Severity::info,
     .summary = "a temporary folder is left in the layer",
     .why = "What mktemp -d made stays in /tmp of the image: keys, sources, archives.",
     .practice = "Remove it at the end of the same RUN.",
     .bad = "FROM debian:12\nRUN export GNUPGHOME=\"$(mktemp -d)\" && gpg --batch --import key\n",
     .good = "FROM debian:12\nRUN export GNUPGHOME=\"$(mktemp -d)\" && gpg --batch --import key && rm -rf \"$GNUPGHOME\"\n",
     .check = check_temporary},
};

}  // namespace

std::span<const Rule> shell_rules() {
  static const std::vector<Rule> all = joined({kRules, quoting_rules(), bashism_rules()});
  return all;
}

}  // namespace mica::lint
