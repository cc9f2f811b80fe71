#include <unistd.h>

#include "base/format.h"
#include "cli/commands.h"
#include "cli/each_name.h"
#include "engine/containers.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"attach", 'a', "", "Attach STDOUT/STDERR and forward signals"},
    {"checkpoint", 0, "string", "Restore from this checkpoint", "checkpoints are not supported"},
    {"checkpoint-dir", 0, "string", "Use a custom checkpoint storage directory", "checkpoints are not supported"},
    {"detach-keys", 0, "string", "Override the key sequence for detaching a container"},
    {"interactive", 'i', "", "Attach container's STDIN"},
};

Result<int> attached(engine::Engine& engine, const Args& args, const task::Cancel& cancel) {
  if (args.positionals().size() > 1) return fail(Errc::invalid_argument, "you cannot start and attach multiple containers at once");
  const auto row = TRY(engine::find_container(engine, args.positional(0)));
  const auto definition = TRY(container::from_document(row.definition));
  if (definition.tty && !::isatty(STDIN_FILENO)) return fail(Errc::invalid_argument, "the input device is not a TTY");
  engine::Attachment attachment{.input = args.flag("interactive") && definition.open_stdin, .stdin_fd = STDIN_FILENO, .detach_keys = args.text("detach-keys", "ctrl-p,ctrl-q"), .on_output = {}};
  if (definition.tty) attachment.terminal_fd = STDIN_FILENO;
  const auto end = TRY(engine::start_container(engine, row.id, &attachment, cancel));
  return end.detached ? 0 : end.exit_code;
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  if (args.flag("attach") || args.flag("interactive")) return attached(*engine, args, interrupt.cancel());
  return for_each_name(context, [&](const std::string& name) -> Result<std::string> {
    const auto row = TRY(engine::find_container(*engine, name));
    if (row.state.status == container::Status::paused) return fail(Errc::conflict, "cannot start a paused container, try unpause instead");
    TRY(engine::start_container(*engine, row.id, nullptr, interrupt.cancel()));
    return name;
  });
}

}  // namespace

constinit const Command kStart{.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
                               .summary = "Start one or more stopped containers",
                               .aliases = "mica container start, mica start",
                               .flags = kFlags,
                               .least = 1,
                               .run = run};

}  // namespace mica::cli
