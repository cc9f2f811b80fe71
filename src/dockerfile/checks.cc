// The checks that need no more than the tree: rules, wording and order are those of BuildKit's linter. Which of them are wanted
// (the check directive, comments above an instruction) is for whoever shows them to say.
#include <map>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/expand.h"
#include "dockerfile/statement.h"

namespace mica::dockerfile {
namespace {

bool is_lower_case(std::string_view text) { return text == to_lower(text); }
bool is_upper_case(std::string_view text) { return text == to_upper(text); }

/// Keywords should be written in the case that most are written in; upper case when there are as many of both.
class KeywordCase {
 public:
  explicit KeywordCase(const File& file) : file_(file) {
    each([&](std::string_view keyword, const Range&) {
      if (is_lower_case(keyword))
        ++lower_;
      else if (is_upper_case(keyword))
        ++upper_;
    });
  }
  void check(Diagnostics& diagnostics) const {
    const bool lower = lower_ > upper_;
    each([&](std::string_view keyword, const Range& where) {
      if (lower ? is_lower_case(keyword) : is_upper_case(keyword)) return;
      diagnostics.warning(
          "ConsistentInstructionCasing", where,
          format("Command '{}' should match the case of the command majority ({})", keyword, lower ? "lowercase" : "uppercase"));
    });
  }

 private:
  template <class Visit>
  void each(const Visit& visit) const {
    for (const Stage& stage : file_.stages) {
      if (!stage.implied) visit(stage.from_keyword, stage.where);
      for (const Instruction& instruction : stage.instructions) visit(instruction.keyword_as_written, instruction.where);
    }
  }

  const File& file_;
  std::size_t lower_ = 0, upper_ = 0;
};

void check_from(const Stage& stage, Diagnostics& diagnostics) {
  if (!is_lower_case(stage.name_as_written))
    diagnostics.warning("StageNameCasing", stage.where, format("Stage name '{}' should be lowercase", stage.name_as_written));
  const std::string_view from = stage.from_keyword, as = stage.as_keyword;
  // A FROM of mixed case is told so elsewhere.
  const bool fits = is_lower_case(from) ? is_lower_case(as) : !is_upper_case(from) || is_upper_case(as);
  if (!fits) diagnostics.warning("FromAsCasing", stage.where, format("'{}' and '{}' keywords' casing do not match", as, from));
}

void check_stage_names(const File& file, Diagnostics& diagnostics) {
  std::set<std::string_view> seen;
  for (const Stage& stage : file.stages) {
    if (stage.name.empty()) continue;
    if (stage.name == "scratch" || stage.name == "context")
      diagnostics.warning("ReservedStageName", stage.where,
                          format("Stage name should not use the same name as reserved stage \"{}\"", stage.name));
    if (!seen.insert(stage.name).second)
      diagnostics.warning("DuplicateStageName", stage.where,
                          format("Duplicate stage name \"{}\", stage names should be unique", stage.name));
  }
}

/// What a stage built FROM another takes over from it, as far as the checks need it.
struct Inherited {
  bool has_shell = false, has_workdir = false;
};

class StageChecks {
 public:
  StageChecks(const Stage& stage, Inherited inherited, char escape, Diagnostics& diagnostics)
      : stage_(stage), state_(inherited), escape_(escape), diagnostics_(diagnostics) {}

  Inherited run() {
    for (const Instruction& instruction : stage_.instructions) {
      at_ = &instruction;
      std::visit(*this, instruction.command);
    }
    return state_;
  }

  void operator()(const Env& env) { legacy_form(env.legacy); }
  void operator()(const Label& label) { legacy_form(label.legacy); }
  void operator()(const Cmd& cmd) {
    once(cmd_);
    json_recommended(cmd.command);
  }
  void operator()(const Entrypoint& entrypoint) {
    once(entrypoint_);
    json_recommended(entrypoint.command);
  }
  void operator()(const HealthcheckSpec&) { once(healthcheck_); }
  void operator()(const Shell&) { state_.has_shell = true; }
  void operator()(const Workdir& workdir) {
    // With a variable only the planner knows.
    if (!state_.has_workdir && workdir.path.find('$') == std::string::npos) {
      const auto path = expand(workdir.path, nullptr, {.escape = escape_});
      if (path && !path->text.starts_with('/'))
        warn("WorkdirRelativePath",
             format("Relative workdir {} can have unexpected results if the base image changes", quoted(path->text)));
    }
    state_.has_workdir = true;
  }
  void operator()(const Expose& expose) {
    for (const std::string& port : expose.ports) {
      const std::size_t slash = port.find('/');
      if (slash == std::string::npos || port.find('$') != std::string::npos || is_lower_case(port.substr(slash))) continue;
      warn("ExposeProtoCasing", format("Defined protocol '{}' in EXPOSE instruction should be lowercase", port));
    }
  }
  template <class Other>
  void operator()(const Other&) {}

 private:
  void warn(std::string_view code, std::string message) { diagnostics_.warning(code, at_->where, std::move(message)); }

  void legacy_form(bool legacy) {
    if (legacy)
      warn("LegacyKeyValueFormat",
           format("\"{0} key=value\" should be used instead of legacy \"{0} key value\" format", at_->keyword_as_written));
  }
  void json_recommended(const CommandLine& command) {
    if (command.exec_form || state_.has_shell) return;
    warn("JSONArgsRecommended", format("JSON arguments recommended for {} to prevent unintended behavior related to OS signals",
                                       at_->keyword_as_written));
  }
  /// The earlier one is the one to warn of.
  void once(const Instruction*& last) {
    if (last)
      diagnostics_.warning(
          "MultipleInstructionsDisallowed", last->where,
          format("Multiple {} instructions should not be used in the same stage because only the last one will be used",
                 at_->keyword_as_written));
    last = at_;
  }

  const Stage& stage_;
  Inherited state_;
  const char escape_;
  Diagnostics& diagnostics_;
  const Instruction* at_ = nullptr;
  const Instruction *cmd_ = nullptr, *entrypoint_ = nullptr, *healthcheck_ = nullptr;
};

/// Whether "# check=...;experimental=A,B" asks for a rule.
bool wants_experimental(std::string_view check, std::string_view rule) {
  for (const std::string_view part : split(check, ';')) {
    const auto pair = split_once(part, '=');
    if (!pair || trim(pair->first) != "experimental") continue;
    for (const std::string_view name : split(pair->second, ','))
      if (trim(name) == rule || trim(name) == "all") return true;
  }
  return false;
}

/// The last comment above a FROM or ARG should begin with the name that is defined.
void check_description(std::string_view keyword, const std::vector<std::string_view>& names,
                       const std::vector<std::string>& comments, const Range& where, Diagnostics& diagnostics) {
  if (comments.empty() || names.empty() || names[0].empty()) return;
  const std::string_view first_word = std::string_view(comments.back()).substr(0, comments.back().find(' '));
  for (const std::string_view name : names)
    if (name == first_word) return;
  diagnostics.warning("InvalidDefinitionDescription", where,
                      format("Comment for {} should follow the format: `# {} <description>`", keyword,
                             names.size() > 1 ? "<arg_key>" : names[0]));
}

void check_descriptions(const File& file, Diagnostics& diagnostics) {
  const auto check_arg = [&](const Instruction& instruction) {
    const auto* arg = std::get_if<Arg>(&instruction.command);
    if (!arg) return;
    std::vector<std::string_view> names;
    for (const KeyValue& one : arg->args) names.push_back(one.key);
    check_description("ARG", names, instruction.comments, instruction.where, diagnostics);
  };
  for (const Instruction& instruction : file.global_args) check_arg(instruction);
  for (const Stage& stage : file.stages) {
    check_description("FROM", {stage.name}, stage.comments, stage.where, diagnostics);
    for (const Instruction& instruction : stage.instructions) check_arg(instruction);
  }
}

}  // namespace

void add_warnings(const File& file, Diagnostics& diagnostics) {
  std::map<std::string_view, Inherited> stages;  // a later stage of one name hides the earlier
  check_stage_names(file, diagnostics);
  KeywordCase(file).check(diagnostics);
  for (const Stage& stage : file.stages) {
    check_from(stage, diagnostics);
    const std::string base = to_lower(stage.base);
    const auto parent = stages.find(base);
    const Inherited inherited = parent == stages.end() ? Inherited{} : parent->second;
    const Inherited result = StageChecks(stage, inherited, file.directives.escape, diagnostics).run();
    if (!stage.name.empty()) stages[stage.name] = result;
  }
  if (wants_experimental(file.directives.check, "InvalidDefinitionDescription")) check_descriptions(file, diagnostics);
}

}  // namespace mica::dockerfile
