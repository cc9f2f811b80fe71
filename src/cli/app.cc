#include "cli/app.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/report_error.h"
#include "sys/mount.h"
#include "sys/shared_namespace.h"
#include "sys/userns.h"

namespace mica::cli {
namespace {

constexpr std::string_view kNoDaemon = "mica has no daemon: every command works on the store itself (see --root)";
constexpr Flag kGlobalFlags[] = {
    {"config", 0, "string", "Location of client config files (registry credentials)"},
    {"context", 'c', "string", "Name of the context", kNoDaemon},
    {"debug", 'D', "", "Write a debug log to stderr"},
    {"debug-log", 0, "", "Same as --debug"},
    {"host", 'H', "list", "Daemon socket to connect to", kNoDaemon},
    {"log-level", 'l', "string", "\"debug\" is the same as --debug; other levels change nothing"},
    {"root", 0, "string", "State folder (default $MICA_ROOT, /var/lib/mica\nor ~/.local/share/mica)"},
    {"runtime", 0, "string", "OCI runtime: a name or path (default: chosen by trying)"},
    {"snapshotter", 0, "string", "\"overlay\", \"copy\" or \"auto\" (default \"auto\")"},
    {"version", 'v', "", "Print version information and quit"},
};

std::string overview() {
  std::string out = "Usage:  mica [OPTIONS] COMMAND\n\nOne program for the whole life of a container image\n\nCommands:\n";
  auto line = [&](std::string_view name, std::string_view summary) { out += format("  {:<11} {}\n", name, summary); };
  for (const Entry& entry : command_table())
    if (entry.name.find(' ') == entry.name.npos && !entry.command->summary.empty()) line(entry.name, entry.command->summary);
  out += "\nManagement Commands:\n";
  for (const GroupEntry& group : command_groups())
    if (group.name.find(' ') == group.name.npos) line(group.name, group.summary);
  return out + "\nGlobal Options:\n" + flag_help(kGlobalFlags) + "\nRun 'mica COMMAND --help' for more information on a command.\n";
}

/// Names that the help leaves out: another name of the same group does the same.
bool is_second_name(std::string_view name) { return name == "container remove" || name == "image list" || name == "image remove" || name == "buildx b"; }

/// Directly in the group: "image ls" in "image".
bool is_in(std::string_view name, std::string_view group) {
  return name.size() > group.size() && name.starts_with(group) && name[group.size()] == ' ' && name.find(' ', group.size() + 1) == name.npos;
}

std::string group_page(const GroupEntry& group) {
  std::string out = format("Usage:  mica {} COMMAND\n\n{}\n\nCommands:\n", group.name, group.summary);
  for (const Entry& entry : command_table())
    if (is_in(entry.name, group.name) && !is_second_name(entry.name))
      out += format("  {:<11} {}\n", entry.name.substr(group.name.size() + 1), entry.command->summary);
  for (const GroupEntry& inner : command_groups())
    if (is_in(inner.name, group.name)) out += format("  {:<11} {}\n", inner.name.substr(group.name.size() + 1), inner.summary);
  return out + format("\nRun 'mica {} COMMAND --help' for more information on a command.\n", group.name);
}

const Command* find(std::string_view name) {
  const auto table = command_table();
  const auto found = std::lower_bound(table.begin(), table.end(), name, [](const Entry& e, std::string_view n) { return e.name < n; });
  return found != table.end() && found->name == name ? found->command : nullptr;
}
const GroupEntry* find_group(std::string_view name) {
  for (const GroupEntry& group : command_groups())
    if (group.name == name) return &group;
  return nullptr;
}

int unknown_command(const std::string& name, const GroupEntry* group) {
  std::vector<std::string_view> known;
  const std::string prefix = group ? std::string(group->name) + " " : "";
  auto add = [&](std::string_view full) {
    if (full.starts_with(prefix) && full.find(' ', prefix.size()) == full.npos) known.push_back(full.substr(prefix.size()));
  };
  for (const Entry& entry : command_table()) add(entry.name);
  for (const GroupEntry& other : command_groups()) add(other.name);
  std::string text = format("mica: unknown command: mica {}{}\n", prefix, name);
  if (auto near = closest(name, known)) text += format("  hint: did you mean 'mica {}{}'?\n", prefix, *near);
  if (group) text += format("\nUsage:  mica {}\n\nRun 'mica {} --help' for more information\n", group->name, group->name);
  else text += "\nRun 'mica --help' for more information\n";
  note(text);
  return 1;
}

Result<engine::Options> options_from(const Args& args) {
  engine::Options options;
  const char* wanted = std::getenv("MICA_LOG");
  const bool by_variable = wanted && std::string_view(wanted) == "debug";
  if (args.flag("debug") || args.flag("debug-log") || args.text("log-level") == "debug" || by_variable) log::enable(true);
  if (args.has("config")) ::setenv("DOCKER_CONFIG", args.text("config").c_str(), 1);
  options.root = args.text("root");
  options.runtime = args.text("runtime");
  const std::string kind = args.text("snapshotter", "auto");
  if (kind == "overlay") options.snapshotter = snapshot::Kind::overlay;
  else if (kind == "copy") options.snapshotter = snapshot::Kind::copy;
  else if (kind != "auto" && kind != "automatic")
    return failf(Errc::invalid_argument, "unknown snapshotter {}: use overlay, copy or auto", quoted(kind));
  return options;
}

Result<int> prepare_and_run(Context& context) {
  const Needs needs = context.command->needs_with ? context.command->needs_with(context.args) : context.command->needs;
  if (needs != Needs::nothing) {
    if (::geteuid() != 0) TRY(sys::become_namespace_root());
    TRY(sys::keep_shared_namespace());
    if (needs == Needs::mounts && sys::can_mount()) TRY(sys::enter_private_mount_namespace());
  }
  const int status = TRY(context.command->run(context));
  if (std::fflush(stdout) != 0) return fail_errno("writing output");
  return status;
}

int run_command(Context& context, std::span<const std::string> words) {
  auto args = parse_args(context.command->flags, words, context.command->flags_first);
  if (!args) return report_flag_error(args.error(), context);
  context.args = std::move(*args);
  if (context.args.has("help")) {
    const GroupEntry* group = find_group(context.path);
    (void)print(group ? group_page(*group) + "\nOptions:\n" + flag_help(context.command->flags) : help_page(context.path, *context.command));
    return 0;
  }
  const auto count = static_cast<int>(context.args.positionals().size());
  if (count < context.command->least || (context.command->most >= 0 && count > context.command->most)) return report_argument_count(context);
  auto status = prepare_and_run(context);
  if (!status) {
    std::fflush(stdout);
    return report_error(status.error());
  }
  return *status;
}

int show_help(std::span<const std::string> words) {
  std::string path = join(words, " ");
  if (path.empty()) return (void)print(overview()), 0;
  if (const GroupEntry* group = find_group(path)) return (void)print(group_page(*group)), 0;
  if (const Command* command = find(path)) return (void)print(help_page(path, *command)), 0;
  return unknown_command(path, nullptr);
}

}  // namespace

int run(int argc, char** argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  auto global = parse_args(kGlobalFlags, words, true);
  if (!global) {
    std::string text = format("mica: {}\n", global.error().text());
    if (!global.error().hint().empty()) text += format("  hint: {}\n", global.error().hint());
    note(text + "\nUsage:  mica [OPTIONS] COMMAND [ARG...]\n\nRun 'mica --help' for more information\n");
    return 125;
  }
  if (global->flag("version")) return (void)print(format("mica version {}\n", MICA_VERSION)), 0;
  const std::vector<std::string>& rest = global->positionals();
  if (rest.empty() || global->has("help")) return show_help(std::span(rest).subspan(0, std::min<std::size_t>(rest.size(), 2)));
  if (rest[0] == "help") return show_help(std::span(rest).subspan(1));
  auto options = options_from(*global);
  if (!options) return report_error(options.error());

  Context context{.path = rest[0], .command = find(rest[0]), .args = {}, .options = std::move(*options)};
  std::span<const std::string> arguments = std::span(rest).subspan(1);
  while (!context.command) {
    const GroupEntry* group = find_group(context.path);
    if (!group) return unknown_command(rest[0], nullptr);
    if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") return (void)print(group_page(*group)), 0;
    context.path += " " + arguments[0];
    context.command = find(context.path);
    if (!context.command && !find_group(context.path)) return unknown_command(arguments[0], group);
    arguments = arguments.subspan(1);
  }
  return run_command(context, arguments);
}

int run_inner(const Context& outer, const std::string& path, std::span<const std::string> words) {
  Context context{.path = path, .command = find(path), .args = {}, .options = outer.options, .compose = &outer.args};
  if (context.command) return run_command(context, words);
  const auto blank = path.rfind(' ');
  return unknown_command(path.substr(blank + 1), find_group(path.substr(0, blank)));
}

Result<> print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) return fail_errno("writing output");
  return {};
}

void note(std::string_view text) {
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

bool confirm(std::string_view question) {
  (void)print(std::string(question) + " [y/N] ");
  std::fflush(stdout);
  char line[16] = {};
  if (!std::fgets(line, sizeof line, stdin)) return false;
  return (line[0] == 'y' || line[0] == 'Y') && (line[1] == '\n' || line[1] == 0 || line[1] == '\r');
}

}  // namespace mica::cli
