#include "lint/shell.h"

#include <algorithm>

#include "lint/shell_reader.h"
#include "lint/shell_syntax.h"

namespace mica::lint::shell {
namespace {

class Walk {
 public:
  explicit Walk(const std::function<void(const Visit&)>& visit) : visit_(visit) {}

  void list(const List& list, bool top_level, bool conditional, bool in_substitution) {
    for (const AndOr& item : list.items)
      for (std::size_t i = 0; i < item.links.size(); ++i) {
        const AndOr::Link& link = item.links[i];
        const bool may_not_run = conditional || link.kind == AndOr::Link::Kind::or_else;
        for (const Command& command : link.pipeline.commands) {
          const Visit visit{.command = &command,
                            .pipeline = &link.pipeline,
                            .and_or = &item,
                            .link = i,
                            .top_level = top_level,
                            .conditional = may_not_run,
                            .in_substitution = in_substitution};
          visit_(visit);
          parts(command, may_not_run);
          bodies(command, may_not_run, in_substitution);
          for (const Redirect& redirect : command.redirects) {
            expansions(redirect.target.expansions, may_not_run);
            if (redirect.document) expansions(redirect.document->expansions, may_not_run);
          }
        }
      }
  }

 private:
  void parts(const Command& command, bool conditional) {
    for (const Assignment& assignment : command.assignments) expansions(assignment.value.expansions, conditional);
    for (const Word& word : command.words) expansions(word.expansions, conditional);
  }

  void expansions(const std::vector<Expansion>& expansions, bool conditional) {
    for (const Expansion& expansion : expansions)
      if (expansion.commands) list(*expansion.commands, false, conditional, true);
  }

  void bodies(const Command& command, bool conditional, bool in_substitution) {
    using Kind = Command::Kind;
    for (std::size_t i = 0; i < command.bodies.size(); ++i) {
      // The first condition of an if or a loop is always looked at.
      const bool always = command.kind == Kind::group || command.kind == Kind::subshell ||
                          ((command.kind == Kind::conditional || command.kind == Kind::loop) && i == 0);
      list(command.bodies[i], false, conditional || !always, in_substitution);
    }
  }

  const std::function<void(const Visit&)>& visit_;
};

struct Wrapper {
  std::string_view name;
  std::string_view flags_with_value;   ///< letters
  bool assignments = false;            ///< NAME=value words may follow
  int operands = 0;                    ///< of its own, before the program
};
constexpr Wrapper kWrappers[] = {
    {"sudo", "ugpCTrtDRh", true}, {"doas", "uC"},      {"env", "uCS", true}, {"exec", "a"},        {"nice", "n"},
    {"time", "fo"},               {"command", ""},     {"builtin", ""},      {"nohup", ""},        {"ionice", "cnp"},
    {"timeout", "ks", false, 1},  {"stdbuf", "ioe"},   {"eatmydata", ""},    {"fakeroot", ""},     {"setsid", ""},
    {"gosu", "", false, 1},       {"su-exec", "", false, 1}};

std::string_view last_component(std::string_view path) { return path.substr(path.rfind('/') + 1); }

const Wrapper* wrapper_of(const Word& word) {
  if (!word.literal) return nullptr;
  const auto found = std::ranges::find(kWrappers, last_component(word.text), &Wrapper::name);
  return found == std::end(kWrappers) ? nullptr : found;
}

}  // namespace

Script parse(std::string text) {
  Script script{.text = std::move(text)};
  Reader reader(script.text, nullptr, 0);
  script.list = reader.script();
  script.fault = std::move(reader.fault);
  script.comments = std::move(reader.comments);
  return script;
}

Script from_words(const std::vector<std::string>& words) {
  Script script;
  Command command;
  for (const std::string& word : words) command.words.push_back({.text = word, .quoted = true});
  command.program_at = find_program(command);
  AndOr item;
  item.links.emplace_back();
  item.links[0].pipeline.commands.push_back(std::move(command));
  script.list.items.push_back(std::move(item));
  return script;
}

void each_node(const Script& script, const std::function<void(const Visit&)>& visit) {
  Walk(visit).list(script.list, true, false, false);
}

void each_command(const Script& script, const std::function<void(const Visit&)>& visit) {
  each_node(script, [&](const Visit& node) {
    if (node.command->kind == Command::Kind::simple) visit(node);
  });
}

std::size_t program_index(const Command& command) {
  return command.kind == Command::Kind::simple ? command.program_at : command.words.size();
}

std::size_t find_program(const Command& command) {
  std::size_t at = 0;
  while (at < command.words.size()) {
    const Wrapper* wrapper = wrapper_of(command.words[at]);
    if (!wrapper) return at;
    const std::size_t wrapper_at = at++;
    for (; at < command.words.size(); ++at) {
      const std::string_view text = command.words[at].text;
      if (text == "--") {
        ++at;
        break;
      }
      if (text.size() > 1 && text[0] == '-') {
        const bool takes_next = text[1] != '-' && wrapper->flags_with_value.find(text.back()) != std::string_view::npos;
        if (takes_next) ++at;
        continue;
      }
      const std::size_t equals = text.find('=');
      if (!wrapper->assignments || equals == std::string_view::npos || !is_name(text.substr(0, equals))) break;
    }
    at += wrapper->operands;
    // "command -v x" and a wrapper that wraps nothing are programs themselves.
    if (at >= command.words.size()) return wrapper_at;
    if (wrapper->name == "command" && command.words.size() > wrapper_at + 1 &&
        (command.words[wrapper_at + 1].text == "-v" || command.words[wrapper_at + 1].text == "-V"))
      return wrapper_at;
  }
  return command.words.size();
}

std::string_view program(const Command& command) {
  const std::size_t at = program_index(command);
  if (at >= command.words.size() || !command.words[at].literal) return {};
  return last_component(command.words[at].text);
}

std::vector<const Word*> operands(const Command& command, std::vector<std::string_view> flags_with_value) {
  std::vector<const Word*> found;
  bool flags = true;
  for (std::size_t i = program_index(command) + 1; i < command.words.size(); ++i) {
    const std::string_view text = command.words[i].text;
    if (!flags || text.size() < 2 || text[0] != '-') {
      found.push_back(&command.words[i]);
    } else if (text == "--") {
      flags = false;
    } else {
      for (const std::string_view flag : flags_with_value) {
        const bool is_short = flag.size() == 2;
        const bool cluster = is_short && text[1] != '-' && text.back() == flag[1];
        if (text != flag && !cluster) continue;
        ++i;
        break;
      }
    }
  }
  return found;
}

bool has_flag(const Command& command, std::string_view flag) {
  const bool is_short = flag.size() == 2;
  for (std::size_t i = program_index(command) + 1; i < command.words.size(); ++i) {
    const std::string_view text = command.words[i].text;
    if (text == "--") return false;
    if (text.size() < 2 || text[0] != '-') continue;
    if (text == flag || (!is_short && text.starts_with(flag) && text.size() > flag.size() && text[flag.size()] == '='))
      return true;
    if (!is_short || text[1] == '-') continue;
    // "-oA::B=1" is one flag with its value.
    const bool letters = std::ranges::all_of(text.substr(1), continues_name);
    if (letters ? text.find(flag[1], 1) != std::string_view::npos : text[1] == flag[1]) return true;
  }
  return false;
}

}  // namespace mica::lint::shell
