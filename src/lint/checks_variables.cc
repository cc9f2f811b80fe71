// ARG and ENV: used before they are defined, defined and never used.
#include <algorithm>
#include <array>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/expand.h"
#include "lint/checks.h"
#include "lint/reference_text.h"
#include "lint/rule.h"
#include "lint/texts.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;

constexpr std::size_t kMaxInstructions = 2000;   // each argument is looked for in all that follows

using Names = std::set<std::string, std::less<>>;

/// What an image brings besides PATH is known only of those that bring nothing.
bool sets_nothing(const StageView& view) {
  if (view.from_scratch) return true;
  constexpr auto kBare = std::to_array<std::string_view>({"alpine", "debian", "ubuntu", "busybox", "fedora", "centos", "rockylinux", "almalinux",
                                                          "amazonlinux", "archlinux", "archlinux/archlinux", "opensuse/leap", "scratch"});
  if (!view.base_known) return false;
  const ImageText image = split_image(view.base);
  return image.on_docker_hub() && std::ranges::find(kBare, image.name()) != kBare.end();
}

constexpr auto kPredefined = std::to_array<std::string_view>({"PATH", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY",
                                                              "ftp_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"});

/// Texts of an instruction in which the builder replaces variables.
std::vector<std::string_view> expanded_texts(const df::Instruction& instruction) {
  std::vector<std::string_view> texts;
  const auto pairs = [&](const std::vector<df::KeyValue>& all) {
    for (const df::KeyValue& one : all) {
      texts.push_back(one.key);
      if (one.value) texts.push_back(*one.value);
    }
  };
  const auto words = [&](const auto& all) { texts.insert(texts.end(), all.begin(), all.end()); };
  if (const auto* env = std::get_if<df::Env>(&instruction.command)) pairs(env->pairs);
  if (const auto* label = std::get_if<df::Label>(&instruction.command)) pairs(label->pairs);
  if (const auto* arg = std::get_if<df::Arg>(&instruction.command)) pairs(arg->args);
  if (const auto* copy = std::get_if<df::Copy>(&instruction.command)) {
    words(copy->sources);
    for (const std::string* one : {&copy->destination, &copy->chown, &copy->chmod, &copy->checksum}) texts.push_back(*one);
    words(copy->excludes);
    for (const df::Heredoc& heredoc : copy->heredocs)
      if (heredoc.expand) texts.push_back(heredoc.body);
  }
  if (const auto* workdir = std::get_if<df::Workdir>(&instruction.command)) texts.push_back(workdir->path);
  if (const auto* user = std::get_if<df::User>(&instruction.command)) texts.push_back(user->user);
  if (const auto* volume = std::get_if<df::Volume>(&instruction.command)) words(volume->paths);
  if (const auto* expose = std::get_if<df::Expose>(&instruction.command)) words(expose->ports);
  if (const auto* stop = std::get_if<df::StopSignal>(&instruction.command)) texts.push_back(stop->signal);
  if (const auto* run = std::get_if<df::Run>(&instruction.command)) words(run->mounts);
  std::erase_if(texts, [](std::string_view text) { return text.find('$') == text.npos; });
  return texts;
}

void define(const df::Instruction& instruction, Names& names) {
  if (const auto* env = std::get_if<df::Env>(&instruction.command))
    for (const df::KeyValue& one : env->pairs) names.insert(std::string(without_quotes(one.key)));
  if (const auto* arg = std::get_if<df::Arg>(&instruction.command))
    for (const df::KeyValue& one : arg->args) names.insert(one.key);
}

/// Whether `name` stands in a text as a whole word: how a script of any language would use a variable.
bool mentions(std::string_view text, std::string_view name) {
  const auto is_word = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  for (std::size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
    const bool left = at == 0 || !is_word(text[at - 1]), right = at + name.size() == text.size() || !is_word(text[at + name.size()]);
    if (left && right) return true;
  }
  return false;
}

}  // namespace

void check_own_statement(Inspection& in) {
  static const Rule& rule = rule_of("DL3044");
  std::vector<Names> defined(in.stages.size());
  std::size_t stage = in.stages.size();
  for (const InstructionView& view : in.instructions) {
    if (view.stage != stage) {
      stage = view.stage;
      if (const auto base = in.stages[stage].base_stage) defined[stage] = defined[*base];
    }
    if (view.outer) continue;
    const df::Instruction& instruction = *view.instruction;
    const auto* env = std::get_if<df::Env>(&instruction.command);
    if (env && !env->legacy && env->pairs.size() > 1) {
      const auto words = arguments(in, instruction);
      for (std::size_t i = 0; i < words.size() && i < env->pairs.size(); ++i)
        for (std::size_t other = 0; other < env->pairs.size(); ++other) {
          const std::string& name = env->pairs[other].key;
          if (other == i || !env->pairs[i].value || defined[stage].contains(name)) continue;
          const auto place = find_variable(*env->pairs[i].value, name);
          if (!place) continue;
          const std::size_t begin = words[i].begin + env->pairs[i].key.size() + 1 + place->begin;
          std::optional<Fix> fix;
          if (other < i)
            fix = one_edit(FixKind::ask, "begin another ENV", {in.span(instruction, words[i - 1].begin, words[i - 1].end).end, in.source_offset(instruction, words[i].begin)},
                           format("\n{} ", instruction.keyword_as_written));
          in.report(rule, in.span(instruction, begin, begin + place->text.size()), view,
                    format("{} is set by this same ENV: here it still has no value", name), std::move(fix));
          other = env->pairs.size();
        }
    }
    define(instruction, defined[stage]);
  }
}

void check_undefined(Inspection& in) {
  static const Rule& rule = rule_of("UndefinedVar");
  const char escape = in.file.directives.escape;
  struct Scope {
    Names names;
    bool complete = false;      // nothing comes from outside
  };
  std::vector<Scope> scopes(in.stages.size());
  std::size_t stage = in.stages.size();
  for (const InstructionView& view : in.instructions) {
    Scope& scope = scopes[view.stage];
    if (view.stage != stage) {
      stage = view.stage;
      const StageView& stage_view = in.stages[stage];
      scope.names.insert(kPredefined.begin(), kPredefined.end());
      scope.complete = !stage_view.stage->implied && sets_nothing(stage_view);
      if (stage_view.base_stage) {
        // ARG goes on into the stages that are built on this one, as ENV does.
        for (std::optional<std::size_t> at = stage_view.base_stage; at; at = in.stages[*at].base_stage) {
          for (const df::Instruction& instruction : in.stages[*at].stage->instructions) define(instruction, scope.names);
          scope.complete = sets_nothing(in.stages[*at]);
        }
      }
    }
    if (view.outer || std::holds_alternative<df::OnBuild>(view.instruction->command)) continue;  // its variables are those of another file
    const df::Instruction& instruction = *view.instruction;
    Names told;
    for (const std::string_view text : expanded_texts(instruction)) {
      const auto expanded = df::expand(text, [&](std::string_view name) -> std::optional<std::string> {
        if (scope.names.contains(name)) return "x";
        return std::nullopt;
      }, {.escape = escape, .keep_quotes = text.find('\n') != text.npos});
      if (!expanded) continue;
      for (const std::string& name : expanded->unset) {
        if (!told.insert(name).second) continue;
        std::vector<std::string_view> known;
        for (const std::string& one : scope.names)
          if (is_plain_name(one)) known.push_back(one);
        const auto near = closest(name, known);
        const bool forgotten = in.global_args.contains(name);
        if (!scope.complete && !near && !forgotten) continue;
        auto place = find_variable(instruction.text, name);
        Span where = in.whole(instruction);
        if (place) {
          where = in.span(instruction, place->begin, place->end);
        } else if ((place = find_variable(std::string_view(in.source).substr(where.begin, where.end - where.begin), name))) {
          where = {where.begin + place->begin, where.begin + place->end};  // in a here-document
        }
        std::string message = format("no ARG or ENV above defines {}", name);
        std::optional<Fix> fix;
        if (forgotten) {
          message = format("{} is an ARG before the first FROM: this stage needs an ARG {} of its own to see it", name, name);
          if (!in.stages[stage].stage->implied) {
            const std::size_t end = in.whole(*in.stages[stage].stage).end;
            fix = one_edit(FixKind::ask, format("add ARG {}", name), {end, end}, format("\nARG {}", name));
          }
        } else if (near) {
          message += format(" (did you mean {}?)", *near);
          if (place) fix = one_edit(FixKind::ask, format("write {}", *near), where, replace_all(std::string(place->text), name, *near));
        }
        in.report(rule, where, view, std::move(message), std::move(fix));
      }
    }
    define(instruction, scope.names);
  }
}

void check_unused_args(Inspection& in) {
  static const Rule& rule = rule_of("unused-arg");
  // What the builder itself reads, or the commands that a RUN starts, by a name that no text shows.
  const auto is_special = [](std::string_view name) {
    constexpr auto kKnown = std::to_array<std::string_view>({"SOURCE_DATE_EPOCH", "CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS",
                                                             "MAKEFLAGS", "LANG", "LANGUAGE", "TZ", "TERM", "HOME"});
    constexpr auto kPrefixes = std::to_array<std::string_view>(
        {"BUILDKIT_", "DEBIAN_", "DEBCONF_", "GO", "CGO_", "PIP_", "UV_", "POETRY_", "PYTHON", "NPM_", "npm_", "NODE_", "YARN_", "PNPM_", "CARGO_",
         "RUST", "MAVEN_", "GRADLE_", "BUNDLE_", "GEM_", "COMPOSER_", "DOTNET_", "NUGET_", "AWS_", "GIT_", "LC_", "CMAKE_"});
    if (std::ranges::find(kKnown, name) != kKnown.end()) return true;
    if (std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return name.starts_with(prefix); })) return true;
    return std::ranges::find(kPredefined, name) != kPredefined.end();
  };
  const auto report = [&](const df::Instruction& instruction, const InstructionView* view, const df::KeyValue& arg) {
    const auto words = arguments(in, instruction);
    const auto word = std::ranges::find_if(words, [&](const TextWord& one) { return one.text.starts_with(arg.key); });
    const Span where = word == words.end() ? in.whole(instruction) : in.span(instruction, word->begin, word->begin + arg.key.size());
    std::optional<Fix> fix;
    if (words.size() == 1) fix = Fix{FixKind::ask, "remove the line", {remove_lines(in, instruction)}};
    in.report(rule, where, view ? view->line() : instruction.where.line, format("nothing reads the argument {}", arg.key), std::move(fix));
  };
  // A RUN has all arguments of its stage in its environment, so whether a program reads one cannot be told for sure: the name must stand
  // nowhere below in the stage, and be none that programs are known to look for.
  if (in.instructions.size() > kMaxInstructions) return;
  for (const InstructionView& view : in.instructions) {
    const auto* arg = std::get_if<df::Arg>(&view.instruction->command);
    if (!arg || view.outer || in.stages[view.stage].stage->implied) continue;
    for (std::size_t a = 0; a < arg->args.size(); ++a) {
      const df::KeyValue& one = arg->args[a];
      if (is_special(one.key)) continue;
      bool used = false;
      for (std::size_t b = 0; b < arg->args.size(); ++b) used |= b != a && arg->args[b].value && mentions(*arg->args[b].value, one.key);
      const Span own = in.whole(*view.instruction);
      const bool goes_on = std::ranges::any_of(in.stages, [&](const StageView& other) { return other.base_stage == view.stage; });
      const std::size_t end = view.stage + 1 < in.stages.size() && !goes_on ? in.whole(*in.stages[view.stage + 1].stage).begin : in.source.size();
      used |= mentions(std::string_view(in.source).substr(own.end, end - own.end), one.key);
      if (!used) report(*view.instruction, &view, one);
    }
  }
  for (const df::Instruction& instruction : in.file.global_args)
    for (const df::KeyValue& one : std::get<df::Arg>(instruction.command).args) {
      if (is_special(one.key)) continue;
      const Span own = in.whole(instruction);
      if (!mentions(std::string_view(in.source).substr(own.end), one.key)) report(instruction, nullptr, one);
    }
}

}  // namespace mica::lint
