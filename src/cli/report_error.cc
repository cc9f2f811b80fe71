#include "cli/report_error.h"

#include "base/format.h"
#include "sys/signals.h"

namespace mica::cli {
namespace {

std::string usage_hint(const Context& context) {
  return format("Usage:  mica {} {}\n\nRun 'mica {} --help' for more information\n", context.path, context.command->usage, context.path);
}

}  // namespace

int report_error(const Error& error) {
  if (error.code() == Errc::cancelled && sys::stop_signal() != 0) {
    note("mica: interrupted\n");
    return 128 + sys::stop_signal();
  }
  const bool bare = error.message().starts_with("template parsing error: ");   // as Docker prints it
  note((bare ? "" : "mica: ") + error.full_text() + "\n");
  return error.exit_status() != 0 ? error.exit_status() : 1;
}

int report_flag_error(const Error& error, const Context& context) {
  if (error.code() == Errc::unsupported) {
    note(format("mica {}: {}\n\nRun 'mica {} --help' for more information\n", context.path, error.text(), context.path));
    return 125;
  }
  std::string text = error.text() + "\n";
  if (!error.hint().empty()) text += "  hint: " + error.hint() + "\n";
  note(text + "\n" + usage_hint(context));
  return 125;
}

int report_argument_count(const Context& context) {
  const Command& command = *context.command;
  const auto have = static_cast<int>(context.args.positionals().size());
  std::string need;
  auto arguments = [](int n) { return format("{} argument{}", n, n == 1 ? "" : "s"); };
  if (command.most == 0) need = "accepts no arguments";
  else if (command.least == command.most) need = "requires " + arguments(command.least);
  else if (have < command.least) need = "requires at least " + arguments(command.least);
  else need = "requires at most " + arguments(command.most);
  note(format("mica: 'mica {}' {}\n\n{}", context.path, need, usage_hint(context)));
  return 1;
}

std::string help_page(std::string_view path, const Command& command) {
  std::string out = format("Usage:  mica {} {}\n\n{}\n", path, command.usage, command.summary);
  if (!command.aliases.empty()) out += format("\nAliases:\n  {}\n", command.aliases);
  const std::string options = flag_help(command.flags);
  if (!options.empty()) out += "\nOptions:\n" + options;
  return out;
}

}  // namespace mica::cli
