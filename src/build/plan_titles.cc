#include "build/plan_titles.h"

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/parser.h"

namespace mica::build {
namespace {

namespace df = dockerfile;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_part(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

/// A shell line with the variables that are set filled in: `$name` and `${name}` outside single quotes; a backslash outside single
/// quotes goes, as buildx has it. A line with an unfinished quote stays as it is.
class ShellLine {
 public:
  ShellLine(const std::string& line, const Environment& environment, char escape) : line_(line), environment_(environment), escape_(escape) {}

  std::string filled_in() {
    char quote = 0;
    while (at_ < line_.size()) {
      const char c = line_[at_];
      if (quote == '\'') {
        if (c == '\'') quote = 0;
        out_ += line_[at_++];
      } else if (c == escape_ && at_ + 1 < line_.size()) {
        take_escape(quote != 0);
      } else if (c == '$') {
        take_variable();
      } else {
        if (c == quote) quote = 0;
        else if (quote == 0 && (c == '"' || c == '\'')) quote = c;
        out_ += line_[at_++];
      }
    }
    return quote ? line_ : out_;
  }

 private:
  void take_escape(bool in_quotes) {
    const char next = line_[at_ + 1];
    if (in_quotes && next != '"' && next != '$' && next != escape_) out_ += escape_;
    out_ += next;
    at_ += 2;
  }
  void take_variable() {
    std::size_t begin = at_ + 1;
    const bool braced = begin < line_.size() && line_[begin] == '{';
    if (braced) ++begin;
    std::size_t end = begin;
    if (end < line_.size() && is_letter(line_[end]))
      while (end < line_.size() && is_name_part(line_[end])) ++end;
    const bool closed = !braced || (end < line_.size() && line_[end] == '}');
    const auto value = end > begin && closed ? environment_.get(std::string_view(line_).substr(begin, end - begin)) : std::nullopt;
    if (value) {
      out_ += *value;
      at_ = end + (braced ? 1 : 0);
    } else {
      out_ += line_[at_++];
    }
  }

  const std::string& line_;
  const Environment& environment_;
  const char escape_;
  std::size_t at_ = 0;
  std::string out_;
};

std::string summary(std::string_view body) {
  body = trim(body);
  const std::string_view first = trim_right(body.substr(0, body.find('\n')), "\r");
  return std::string(first) + (first.size() < body.size() ? "..." : "");
}

}  // namespace

std::string one_line(const df::Instruction& instruction) {
  std::string_view rest = instruction.text;
  if (equals_ignoring_case(rest.substr(0, instruction.keyword.size()), instruction.keyword)) rest.remove_prefix(instruction.keyword.size());
  rest = trim_right(rest);
  if (rest.empty() || rest.starts_with(' ') || rest.starts_with('\t')) return instruction.keyword + std::string(rest);
  return instruction.keyword + " " + std::string(rest);
}

std::string expanded_title(const std::string& line, const Environment& environment, char escape) {
  auto expanded = df::expand(line, environment.lookup(), {.escape = escape});
  return expanded ? std::move(expanded->text) : line;
}

std::string run_title(const df::Instruction& instruction, const Environment& environment, char escape) {
  std::string title = ShellLine(one_line(instruction), environment, escape).filled_in();
  const auto* run = std::get_if<df::Run>(&instruction.command);
  if (!run || run->command.exec_form || run->command.heredocs.size() != 1) return title;
  const df::Heredoc& only = run->command.heredocs.front();
  const df::ShellInput input = df::shell_input(run->command);
  if (input.script || input.text == only.body) title += format(" ({})", summary(only.body));
  return title;
}

std::string step_prefix(const std::string& stage, std::size_t number, std::size_t total) {
  const std::string last = std::to_string(total), here = std::to_string(number);
  return format("[{}{}{}{}/{}] ", stage, stage.empty() ? "" : " ", std::string(last.size() - std::min(last.size(), here.size()), ' '), here, last);
}

}  // namespace mica::build
