#include "build/plan_titles.h"

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/parser.h"

namespace mica::build {
namespace {

namespace df = dockerfile;

std::string filled_in(const std::string& line, const Environment& environment, const df::ExpandOptions& options) {
  auto expanded = df::expand(line, environment.lookup(), options);
  return expanded ? std::move(expanded->text) : line;
}

std::string summary(std::string_view body) {
  body = trim(body);
  const std::string_view first = trim_right(body.substr(0, body.find('\n')), "\r");
  return std::string(first) + (first.size() < body.size() ? "..." : "");
}

}  // namespace

std::string one_line(const df::Instruction& instruction) {
  std::string_view rest = instruction.text;
  if (equals_ignoring_case(rest.substr(0, instruction.keyword.size()), instruction.keyword))
    rest.remove_prefix(instruction.keyword.size());
  rest = trim_right(rest);
  if (rest.empty() || rest.starts_with(' ') || rest.starts_with('\t')) return instruction.keyword + std::string(rest);
  return instruction.keyword + " " + std::string(rest);
}

std::string expanded_title(const std::string& line, const Environment& environment, char escape) {
  return filled_in(line, environment, {.escape = escape});
}

std::string run_title(const df::Instruction& instruction, const Environment& environment, char escape) {
  std::string title = filled_in(one_line(instruction), environment, {.escape = escape, .for_display = true});
  const auto* run = std::get_if<df::Run>(&instruction.command);
  if (!run || run->command.exec_form || run->command.heredocs.size() != 1) return title;
  const df::Heredoc& only = run->command.heredocs.front();
  const df::ShellInput input = df::shell_input(run->command);
  if (input.script || input.text == only.body) title += format(" ({})", summary(only.body));
  return title;
}

std::string step_prefix(const std::string& stage, std::size_t number, std::size_t total) {
  const std::string last = std::to_string(total), here = std::to_string(number);
  return format("[{}{}{}{}/{}] ", stage, stage.empty() ? "" : " ",
                std::string(last.size() - std::min(last.size(), here.size()), ' '), here, last);
}

}  // namespace mica::build
