#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "engine/containers.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"detach", 'd', "", "Detached mode: run command in the background"},
    {"detach-keys", 0, "string", "Override the key sequence for detaching a container"},
    {"env", 'e', "list", "Set environment variables"},
    {"env-file", 0, "list", "Read in a file of environment variables"},
    {"interactive", 'i', "", "Keep STDIN open even if not attached"},
    {"privileged", 0, "", "Give extended privileges to the command"},
    {"tty", 't', "", "Allocate a pseudo-TTY"},
    {"user", 'u', "string", "Username or UID (format: \"<name|uid>[:<group|gid>]\")"},
    {"workdir", 'w', "string", "Working directory inside the container"},
};

/// "K=V" as it is; "K" has our own value, or is left out.
void add_variable(std::vector<std::string>& env, std::string_view word) {
  if (word.find('=') != word.npos) env.emplace_back(word);
  else if (const char* value = std::getenv(std::string(word).c_str())) env.push_back(format("{}={}", word, value));
}

Result<std::vector<std::string>> environment(const Args& args) {
  std::vector<std::string> env;
  for (const auto& file : args.list("env-file")) {
    const std::string text = TRY_DOING(sys::read_file(file), "reading --env-file");
    for (const std::string_view line : split(text, '\n')) {
      const std::string_view word = trim_left(trim_right(line, "\r"));
      if (!word.empty() && !word.starts_with("#")) add_variable(env, word);
    }
  }
  for (const auto& word : args.list("env")) add_variable(env, word);
  return env;
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  auto env = TRY(environment(args));
  engine::ExecContainer request{.command = {args.positionals().begin() + 1, args.positionals().end()},
                                .env = std::move(env),
                                .user = args.text("user"),
                                .workdir = args.text("workdir"),
                                .tty = args.flag("tty"),
                                .interactive = args.flag("interactive"),
                                .detach = args.flag("detach"),
                                .privileged = args.flag("privileged"),
                                .detach_keys = args.text("detach-keys", "ctrl-p,ctrl-q"),
                                .on_output = {}};
  if (request.tty && request.interactive && !request.detach && !::isatty(STDIN_FILENO)) return fail(Errc::invalid_argument, "the input device is not a TTY");
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  return engine::exec_container(*engine, args.positional(0), request, interrupt.cancel());
}

}  // namespace

constinit const Command kExec{.usage = "[OPTIONS] CONTAINER COMMAND [ARG...]",
                              .summary = "Execute a command in a running container",
                              .aliases = "mica container exec, mica exec",
                              .flags = kFlags,
                              .least = 2,
                              .flags_first = true,
                              .run = run};

}  // namespace mica::cli
