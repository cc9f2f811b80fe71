// What bash has and sh has not: on Debian sh is dash, on Alpine busybox. Found without ShellCheck; where that ran, its findings
// replace these.
#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "lint/run_rules.h"

namespace mica::lint {
namespace {

using shell::Command;
using shell::Expansion;
using shell::has_flag;
using shell::Word;

/// One command under the eye of one rule.
class Look {
 public:
  Look(Inspection& in, const RunView& run, const Rule& rule, const Command& command)
      : command(command), in_(in), run_(run), rule_(rule) {}

  void found(std::size_t begin, std::size_t end, std::string_view what, std::optional<Fix> fix = std::nullopt) const {
    in_.report(rule_, in_.span(run_, begin, end), line_of(run_),
               format("sh knows no {}: use SHELL [\"/bin/bash\", \"-c\"], or write it as POSIX has it", what), std::move(fix));
  }
  std::string_view raw(const Word& word) const {
    return std::string_view(run_.script.text).substr(word.begin, word.end - word.begin);
  }
  const Inspection& in() const { return in_; }
  const RunView& run() const { return run_; }

  template <class Visit>
  void each_word(const Visit& visit) const {
    for (const shell::Assignment& assignment : command.assignments) visit(assignment.value);
    for (const Word& word : command.words) visit(word);
    for (const shell::Redirect& redirect : command.redirects) visit(redirect.target);
  }
  template <class Visit>
  void each_variable(const Visit& visit) const {
    each_word([&](const Word& word) {
      for (const Expansion& expansion : word.expansions)
        if (expansion.kind == Expansion::Kind::variable) visit(expansion);
    });
  }

  const Command& command;

 private:
  Inspection& in_;
  const RunView& run_;
  const Rule& rule_;
};

void process_substitution(const Look& look) {
  look.each_word([&](const Word& word) {
    for (const Expansion& expansion : word.expansions)
      if (expansion.kind == Expansion::Kind::process) look.found(expansion.begin, expansion.end, "process substitution");
  });
}

void ansi_quotes(const Look& look) {
  look.each_word([&](const Word& word) {
    const std::string_view raw = look.raw(word);
    if (!word.quoted || raw.find('"') != raw.npos) return;
    const std::size_t at = raw.find("$'");
    if (at != raw.npos && raw.substr(0, at).find('\'') == raw.npos) look.found(word.begin + at, word.end, "$'...'");
  });
}

void arithmetic_for(const Look& look) {
  if (look.command.kind == Command::Kind::for_loop && look.command.words[0].begin < look.command.words[0].end &&
      look.raw(look.command.words[0]).starts_with("(("))
    look.found(look.command.begin, look.command.words[0].end, "for ((...))");
}

void arithmetic(const Look& look) {
  if (look.command.kind == Command::Kind::arithmetic) look.found(look.command.begin, look.command.end, "((...)) as a command");
}

void brace_expansion(const Look& look) {
  if (look.command.kind != Command::Kind::simple && look.command.kind != Command::Kind::for_loop) return;
  for (const Word& word : look.command.words) {
    if (word.quoted) continue;
    const std::string_view raw = look.raw(word);
    for (std::size_t at = raw.find('{'); at != raw.npos; at = raw.find('{', at + 1)) {
      if (at > 0 && raw[at - 1] == '$') continue;
      const std::size_t end = raw.find('}', at);
      if (end == raw.npos) break;
      const std::string_view inner = raw.substr(at + 1, end - at - 1);
      if (inner.find(',') == inner.npos && inner.find("..") == inner.npos) continue;
      look.found(word.begin + at, word.begin + end + 1, "brace expansion");
      break;
    }
  }
}

void double_brackets(const Look& look) {
  if (look.command.kind == Command::Kind::test) look.found(look.command.begin, look.command.end, "[[ ]]");
}

void here_string(const Look& look) {
  for (const shell::Redirect& redirect : look.command.redirects)
    if (redirect.operation == "<<<") look.found(redirect.begin, redirect.end, "here-strings (<<<)");
}

void double_equals(const Look& look) {
  const std::string_view program = shell::program(look.command);
  if (program != "[" && program != "test") return;
  for (const Word& word : look.command.words) {
    if (word.text != "==" || word.quoted) continue;
    look.found(word.begin, word.end, "== in a test", replace_word(look.in(), look.run(), word, FixKind::safe, "use =", "="));
  }
}

void both_redirect(const Look& look) {
  for (const shell::Redirect& redirect : look.command.redirects)
    if (redirect.operation == "&>" || redirect.operation == "&>>") look.found(redirect.begin, redirect.end, "&>");
}

void append_assignment(const Look& look) {
  for (const shell::Assignment& assignment : look.command.assignments)
    if (assignment.appends) look.found(assignment.begin, assignment.end, "+=");
}

void bash_variable(const Look& look) {
  static constexpr std::string_view kNames[] = {"RANDOM",      "SECONDS",  "EUID",     "UID",        "HOSTNAME",
                                                "OSTYPE",      "HOSTTYPE", "MACHTYPE", "BASHPID",    "BASH_VERSION",
                                                "BASH_SOURCE", "FUNCNAME", "DIRSTACK", "PIPESTATUS", "EPOCHSECONDS"};
  look.each_variable([&](const Expansion& expansion) {
    if (std::ranges::find(kNames, expansion.name) != std::end(kNames) && expansion.operation.empty())
      look.found(expansion.begin, expansion.end, format("variable {}", expansion.name));
  });
}

void array(const Look& look) {
  for (const shell::Assignment& assignment : look.command.assignments)
    if (assignment.value.text.starts_with('(') && look.raw(assignment.value).starts_with('('))
      look.found(assignment.begin, assignment.end, "arrays");
}

void echo_flags(const Look& look) {
  if (shell::program(look.command) != "echo" || look.command.words.size() < 2) return;
  const Word& first =
      look.command
          .words[shell::program_index(look.command) + 1 < look.command.words.size() ? shell::program_index(look.command) + 1 : 0];
  if (first.text.size() < 2 || first.text[0] != '-' || first.text.find_first_not_of("neE", 1) != std::string::npos) return;
  look.found(first.begin, first.end, format("flags of echo ({}) that all shells share", first.text));
}

void local_variable(const Look& look) {
  if (shell::program(look.command) == "local") look.found(look.command.begin, look.command.end, "local");
}

void builtin(const Look& look) {
  static constexpr std::string_view kNames[] = {"declare", "typeset", "pushd",     "popd",    "dirs",     "shopt",  "disown",
                                                "enable",  "mapfile", "readarray", "compgen", "complete", "caller", "let"};
  const std::string_view program = shell::program(look.command);
  if (std::ranges::find(kNames, program) != std::end(kNames)) look.found(look.command.begin, look.command.end, program);
}

void source(const Look& look) {
  if (shell::program(look.command) != "source") return;
  const Word& word = look.command.words[shell::program_index(look.command)];
  look.found(word.begin, word.end, "source", replace_word(look.in(), look.run(), word, FixKind::safe, "use .", "."));
}

void indirection(const Look& look) {
  look.each_variable([&](const Expansion& expansion) {
    if (expansion.operation.starts_with('!')) look.found(expansion.begin, expansion.end, "${!name}");
  });
}

void array_reference(const Look& look) {
  look.each_variable([&](const Expansion& expansion) {
    if (expansion.operation.starts_with('[') || expansion.operation.starts_with("#["))
      look.found(expansion.begin, expansion.end, "elements of arrays");
  });
}

void substring(const Look& look) {
  look.each_variable([&](const Expansion& expansion) {
    const std::string_view operation = expansion.operation;
    if (operation.size() > 1 && operation[0] == ':' && std::string_view("-=?+").find(operation[1]) == std::string_view::npos)
      look.found(expansion.begin, expansion.end, "${name:from:length}");
  });
}

void case_change(const Look& look) {
  look.each_variable([&](const Expansion& expansion) {
    if (expansion.operation.starts_with('^') || expansion.operation.starts_with(','))
      look.found(expansion.begin, expansion.end, "${name^} and ${name,}");
  });
}

void replacement(const Look& look) {
  look.each_variable([&](const Expansion& expansion) {
    if (expansion.operation.starts_with('/')) look.found(expansion.begin, expansion.end, "${name/from/to}");
  });
}

void function_keyword(const Look& look) {
  if (look.command.kind == Command::Kind::function && look.command.keyword == "function")
    look.found(look.command.begin, look.command.words[0].end, "keyword function");
}

void pipefail(const Look& look) {
  if (shell::program(look.command) != "set") return;
  // busybox has pipefail; dash has not.
  if (base_is_alpine(look.in(), look.in().stages[look.run().stage])) return;
  for (const Word& word : look.command.words)
    if (word.text == "pipefail") look.found(word.begin, word.end, "pipefail");
}

struct Bashism {
  std::string_view id;
  void (*look)(const Look&);
  std::string_view summary;
  std::string_view bad, good;  ///< script text
};
constexpr Bashism kBashisms[] = {
    {"SC2112", function_keyword, "the keyword function under sh", "function f { echo a; }; f", "f() { echo a; }; f"},
    {"SC3001", process_substitution, "process substitution under sh", "diff <(ls /a) /list", "ls /a | diff - /list"},
    {"SC3003", ansi_quotes, "$'...' under sh", "printf $'a\\tb'", "printf 'a\\tb'"},
    {"SC3005", arithmetic_for, "for ((...)) under sh", "for ((i = 0; i < 3; i++)); do echo a; done",
     "for i in 0 1 2; do echo \"$i\"; done"},
    {"SC3006", arithmetic, "((...)) as a command under sh", "((1 > 0)) && echo a", "[ 1 -gt 0 ] && echo a"},
    {"SC3009", brace_expansion, "brace expansion under sh", "mkdir -p /opt/{bin,lib}", "mkdir -p /opt/bin /opt/lib"},
    {"SC3010", double_brackets, "[[ ]] under sh", "[[ -f /a ]] && echo a", "[ -f /a ] && echo a"},
    {"SC3011", here_string, "a here-string under sh", "cat <<< a", "echo a | cat"},
    {"SC3014", double_equals, "== in a test under sh", "[ \"$HOME\" == /root ] && echo a", "[ \"$HOME\" = /root ] && echo a"},
    {"SC3020", both_redirect, "&> under sh", "make &> /log", "make > /log 2>&1"},
    {"SC3024", append_assignment, "+= under sh", "A=1; A+=2; echo \"$A\"", "A=1; A=\"${A}2\"; echo \"$A\""},
    {"SC3028", bash_variable, "a variable that only bash has under sh", "echo \"$RANDOM\"", "echo \"$HOME\""},
    {"SC3030", array, "an array under sh", "A=(a b); echo a", "A='a b'; echo a"},
    {"SC3037", echo_flags, "flags of echo under sh", "echo -e 'a\\nb'", "printf 'a\\nb\\n'"},
    {"SC3040", pipefail, "pipefail under sh", "set -o pipefail && ls | wc -l", "ls > /l && wc -l < /l"},
    {"SC3043", local_variable, "local under sh", "f() { local a=1; echo \"$a\"; }; f", "f() { a=1; echo \"$a\"; }; f"},
    {"SC3044", builtin, "a builtin that only bash has under sh", "pushd /opt && make && popd", "(cd /opt && make)"},
    {"SC3046", source, "source under sh", "source /etc/profile", ". /etc/profile"},
    {"SC3053", indirection, "${!name} under sh", "A=HOME; echo \"${!A}\"", "A=HOME; eval \"echo \\$$A\""},
    {"SC3054", array_reference, "elements of arrays under sh", "echo \"${A[0]}\"", "echo \"$A\""},
    {"SC3057", substring, "${name:from:length} under sh", "echo \"${HOME:0:2}\"", "echo \"$HOME\" | cut -c1-2"},
    {"SC3059", case_change, "${name^^} under sh", "echo \"${HOME^^}\"", "echo \"$HOME\" | tr a-z A-Z"},
    {"SC3060", replacement, "${name/from/to} under sh", "echo \"${HOME/root/x}\"", "echo \"$HOME\" | sed s/root/x/"},
};

template <std::size_t kIndex>
void check(Inspection& in) {
  const Rule* rule = nullptr;
  for (const StageView& stage : in.stages)
    for (const RunView& run : stage.runs) {
      if (run.exec_form || run.source_offsets.empty() || (run.shell != "sh" && run.shell != "dash")) continue;
      if (!rule) rule = &rule_of(kBashisms[kIndex].id);
      shell::each_node(run.script,
                       [&](const shell::Visit& visit) { kBashisms[kIndex].look(Look(in, run, *rule, *visit.command)); });
    }
}

constexpr std::size_t kCount = std::size(kBashisms);

/// The examples live here; rules keep views of them.
struct Examples {
  std::array<std::string, kCount> bad, good;
};

template <std::size_t... kIndexes>
std::vector<Rule> make_rules(const Examples& examples, std::index_sequence<kIndexes...>) {
  return {
      Rule{.id = kBashisms[kIndexes].id,
           .fix = kBashisms[kIndexes].look == source || kBashisms[kIndexes].look == double_equals ? FixKind::safe : FixKind::none,
           .summary = kBashisms[kIndexes].summary,
           .why = "RUN uses /bin/sh, which is dash on Debian and busybox on Alpine: what only bash has fails there, or means "
                  "something else.",
           .practice = "Set SHELL [\"/bin/bash\", \"-c\"] where bash is installed, or write it as POSIX has it.",
           .bad = examples.bad[kIndexes],
           .good = examples.good[kIndexes],
           .check = check<kIndexes>}...};
}

}  // namespace

std::span<const Rule> bashism_rules() {
  static const Examples examples = [] {
    Examples made;
    for (std::size_t i = 0; i < kCount; ++i) {
      made.bad[i] = format("FROM debian:12\nRUN {}\n", kBashisms[i].bad);
      made.good[i] = format("FROM debian:12\nRUN {}\n", kBashisms[i].good);
    }
    return made;
  }();
  static const std::vector<Rule> rules = make_rules(examples, std::make_index_sequence<kCount>());
  return rules;
}

}  // namespace mica::lint
