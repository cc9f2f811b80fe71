// Instructions that only change the image's configuration.
#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "lint/checks.h"
#include "lint/reference_text.h"
#include "lint/rule.h"
#include "lint/texts.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;

constexpr std::int64_t kLastPort = 65535;

template <class Visit>
void each_port(Inspection& in, const Visit& visit) {
  for (const InstructionView& view : in.instructions)
    if (std::holds_alternative<df::Expose>(view.instruction->command))
      for (const TextWord& word : arguments(in, *view.instruction))
        if (word.text.find('$') == word.text.npos) visit(view, word);
}

/// "127.0.0.1:8080:80-90/tcp": the ports within the container.
struct Ports {
  std::optional<std::int64_t> first, last;
};
Ports ports_of(std::string_view word) {
  word = word.substr(0, word.find('/'));
  word = word.substr(word.rfind(':') + 1);
  word = without_quotes(word);
  const auto range = split_once(word, '-');
  if (!range) return {parse_int(word), parse_int(word)};
  return {parse_int(range->first), parse_int(range->second)};
}

/// Where a value has blanks that no quote and no escape protects.
std::vector<std::size_t> bare_blanks(std::string_view text, char escape, bool& has_quotes) {
  std::vector<std::size_t> found;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == escape && quote != '\'') {
      has_quotes = true;
      ++i;
    } else if (quote) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
      has_quotes = true;
    } else if (c == ' ' || c == '\t') {
      found.push_back(i);
    }
  }
  return found;
}

constexpr auto kSignals = std::to_array<std::pair<std::string_view, int>>(
    {{"HUP", 1},   {"INT", 2},   {"QUIT", 3},  {"ILL", 4},    {"TRAP", 5},  {"ABRT", 6},  {"IOT", 6},   {"BUS", 7},
     {"FPE", 8},   {"KILL", 9},  {"USR1", 10}, {"SEGV", 11},  {"USR2", 12}, {"PIPE", 13}, {"ALRM", 14}, {"TERM", 15},
     {"STKFLT", 16}, {"CHLD", 17}, {"CLD", 17}, {"CONT", 18}, {"STOP", 19}, {"TSTP", 20}, {"TTIN", 21}, {"TTOU", 22},
     {"URG", 23},  {"XCPU", 24}, {"XFSZ", 25}, {"VTALRM", 26}, {"PROF", 27}, {"WINCH", 28}, {"IO", 29},  {"POLL", 29},
     {"PWR", 30},  {"SYS", 31},  {"RTMIN", 34}, {"RTMAX", 64}});

/// Number of a signal; 0: there is none of this name.
int signal_number(std::string_view text) {
  if (const auto number = parse_int(text)) return *number >= 1 && *number <= 64 ? static_cast<int>(*number) : 0;
  std::string name = to_upper(text);
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (const auto& [known, number] : kSignals)
    if (known == name) return number;
  for (const auto& [prefix, base, sign] : {std::tuple{"RTMIN+", 34, 1}, std::tuple{"RTMAX-", 64, -1}})
    if (name.starts_with(prefix))
      if (const auto offset = parse_int(name.substr(6)); offset && *offset >= 0 && *offset <= 30) return base + sign * static_cast<int>(*offset);
  return 0;
}
std::string signal_name(int number) {
  for (const auto& [name, value] : kSignals)
    if (value == number) return format("SIG{}", name);
  return "";
}

template <class Visit>
void each_signal(Inspection& in, const Visit& visit) {
  for (const InstructionView& view : in.instructions)
    if (const auto* stop = std::get_if<df::StopSignal>(&view.instruction->command)) {
      const std::string_view text = without_quotes(stop->signal);
      if (text.find('$') != text.npos) continue;
      const std::size_t size = view.instruction->text.size();
      visit(view, text, in.span(*view.instruction, in.arguments_begin(*view.instruction), size));
    }
}

}  // namespace

void check_port_range(Inspection& in) {
  static const Rule& rule = rule_of("DL3011");
  each_port(in, [&](const InstructionView& view, const TextWord& word) {
    const Ports ports = ports_of(word.text);
    if ((ports.first && *ports.first > kLastPort) || (ports.last && *ports.last > kLastPort))
      in.report(rule, in.span(*view.instruction, word.begin, word.end), view, format("{}: ports end at {}", word.text, kLastPort));
  });
}

void check_expose_format(Inspection& in) {
  static const Rule& rule = rule_of("ExposeInvalidFormat");
  each_port(in, [&](const InstructionView& view, const TextWord& word) {
    const std::size_t colon = word.text.rfind(':');
    if (colon == word.text.npos) return;
    const bool quoted_word = without_quotes(word.text).size() != word.text.size();
    std::optional<Fix> fix;
    if (!quoted_word && colon + 1 < word.text.size())
      fix = one_edit(FixKind::safe, format("write {}", word.text.substr(colon + 1)),
                     in.span(*view.instruction, word.begin, word.begin + colon + 1), "");
    in.report(rule, in.span(*view.instruction, word.begin, word.end), view,
              format("{}: addresses and ports of the host are for `run --publish`", word.text), std::move(fix));
  });
}

void check_expose_casing(Inspection& in) {
  static const Rule& rule = rule_of("ExposeProtoCasing");
  each_port(in, [&](const InstructionView& view, const TextWord& word) {
    const std::size_t slash = word.text.find('/');
    if (slash == word.text.npos) return;
    const std::string_view protocol = word.text.substr(slash + 1);
    const std::string lower = to_lower(protocol);
    if (lower == protocol) return;
    const Span where = in.span(*view.instruction, word.begin + slash + 1, word.end);
    in.report(rule, where, view, format("the protocol {} should be in lower case", quoted(protocol)),
              one_edit(FixKind::safe, format("write {}", lower), where, lower));
  });
}

void check_ssh_port(Inspection& in) {
  static const Rule& rule = rule_of("ssh-port");
  each_port(in, [&](const InstructionView& view, const TextWord& word) {
    const Ports ports = ports_of(word.text);
    if (ports.first == 22 && ports.last == 22 && !to_lower(word.text).ends_with("/udp"))
      in.report(rule, in.span(*view.instruction, word.begin, word.end), view, "port 22: a container needs no SSH server of its own");
  });
}

void check_legacy_form(Inspection& in) {
  static const Rule& rule = rule_of("LegacyKeyValueFormat");
  const char escape = in.file.directives.escape;
  for (const InstructionView& view : in.instructions) {
    const df::Instruction& instruction = *view.instruction;
    const auto* env = std::get_if<df::Env>(&instruction.command);
    const auto* label = std::get_if<df::Label>(&instruction.command);
    if (!(env && env->legacy) && !(label && label->legacy)) continue;
    const std::string_view text = instruction.text;
    const std::size_t key = in.arguments_begin(instruction);
    const std::size_t key_end = std::min(text.find_first_of(" \t\v\f\r", key), text.size());
    const std::size_t value = std::min(text.find_first_not_of(" \t\v\f\r", key_end), text.size());
    const Span where = in.span(instruction, key, text.size());
    bool has_quotes = false;
    const auto blanks = bare_blanks(text.substr(value), escape, has_quotes);
    Fix fix{FixKind::safe, format("write {}=...", text.substr(key, key_end - key)), {}};
    const bool wrap = !blanks.empty() && !has_quotes;
    fix.edits.push_back({{in.span(instruction, key, key_end).end, in.source_offset(instruction, value)}, wrap ? "=\"" : "="});
    if (wrap) {
      fix.edits.push_back({{where.end, where.end}, "\""});
    } else {
      for (const std::size_t blank : blanks) {
        const std::size_t at = in.source_offset(instruction, value + blank);
        fix.edits.push_back({{at, at}, std::string(1, escape)});
      }
    }
    in.report(rule, where, view, format("\"{0} key value\" is the old form of \"{0} key=value\"", instruction.keyword), std::move(fix));
  }
}

void check_maintainer(Inspection& in) {
  static const Rule& rule = rule_of("DL4000");
  for (const InstructionView& view : in.instructions) {
    const auto* maintainer = std::get_if<df::Maintainer>(&view.instruction->command);
    if (!maintainer) continue;
    const bool lower = view.instruction->keyword_as_written == to_lower(view.instruction->keyword_as_written);
    std::string value;
    for (const char c : without_quotes(maintainer->name)) {
      if (c == '"' || c == '$' || c == in.file.directives.escape) value += in.file.directives.escape;
      value += c;
    }
    const Span where = in.span(*view.instruction, 0, view.instruction->text.size());
    in.report(rule, in.keyword(*view.instruction), view, "MAINTAINER is deprecated: a label says the same",
              one_edit(FixKind::safe, "write a label", where,
                       format("{} org.opencontainers.image.authors=\"{}\"", lower ? "label" : "LABEL", value)));
  }
}

void check_signal_known(Inspection& in) {
  static const Rule& rule = rule_of("unknown-signal");
  each_signal(in, [&](const InstructionView& view, std::string_view text, Span where) {
    if (signal_number(text) > 0) return;
    std::vector<std::string> names;
    for (const auto& [name, number] : kSignals) names.push_back(format("SIG{}", name));
    const std::vector<std::string_view> known(names.begin(), names.end());
    std::string message = format("{} is no signal", quoted(text));
    std::optional<Fix> fix;
    if (const auto near = closest(text, known)) {
      message += format(" (did you mean {}?)", *near);
      fix = one_edit(FixKind::ask, format("write {}", *near), where, *near);
    }
    in.report(rule, where, view, std::move(message), std::move(fix));
  });
}

void check_signal_kill(Inspection& in) {
  static const Rule& rule = rule_of("stop-signal-kill");
  each_signal(in, [&](const InstructionView& view, std::string_view text, Span where) {
    const int number = signal_number(text);
    if (number != 9 && number != 19) return;
    in.report(rule, where, view, format("no program can act on {}: it has no chance to end in order", signal_name(number)),
              one_edit(FixKind::ask, "write SIGTERM", where, "SIGTERM"));
  });
}

void check_signal_program(Inspection& in) {
  static const Rule& rule = rule_of("stop-signal-program");
  each_signal(in, [&](const InstructionView& view, std::string_view text, Span where) {
    // What the stage runs: its own command, or what its base is known for.
    std::string program;
    const StageView& stage = in.stages[view.stage];
    if (!stage.base_stage && stage.base_known) program = base_name(split_image(stage.base).path);
    for (const df::Instruction& instruction : stage.stage->instructions) {
      const df::CommandLine* command = nullptr;
      if (const auto* cmd = std::get_if<df::Cmd>(&instruction.command)) command = &cmd->command;
      if (const auto* entrypoint = std::get_if<df::Entrypoint>(&instruction.command)) command = &entrypoint->command;
      if (!command || command->words.empty()) continue;
      const auto words = split_blanks(command->words[0]);
      if (!words.empty()) program = base_name(words[0]);
    }
    std::string_view wanted;
    if (program == "nginx" || program == "openresty") wanted = "SIGQUIT";
    if (program == "systemd" || program == "init") wanted = "SIGRTMIN+3";
    if (wanted.empty() || signal_number(text) == 0 || signal_number(text) == signal_number(wanted)) return;
    in.report(rule, where, view, format("{} ends in order on {}, not on {}", program, wanted, text),
              one_edit(FixKind::ask, format("write {}", wanted), where, std::string(wanted)));
  });
}

void check_signal_form(Inspection& in) {
  static const Rule& rule = rule_of("stop-signal-form");
  each_signal(in, [&](const InstructionView& view, std::string_view text, Span where) {
    const int number = signal_number(text);
    std::string name = signal_name(number);
    const std::string upper = to_upper(text);
    if (!parse_int(text)) name = upper.starts_with("SIG") ? upper : "SIG" + upper;
    if (number == 0 || name.empty() || name == text) return;
    in.report(rule, where, view, format("{} is {}", text, name), one_edit(FixKind::safe, format("write {}", name), where, name));
  });
}

}  // namespace mica::lint
