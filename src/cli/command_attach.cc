#include <unistd.h>

#include "base/format.h"
#include "cli/commands.h"
#include "engine/containers.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"detach-keys", 0, "string", "Override the key sequence for detaching a container"},
    {"no-stdin", 0, "", "Do not attach STDIN"},
    {"sig-proxy", 0, "", "Proxy all received signals to the process (default true)"},
};

Result<int> run(Context& context) {
  const Args& args = context.args;
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto row = TRY(engine::find_container(*engine, args.positional(0)));
  const auto definition = TRY(container::from_document(row.definition));
  engine::Attachment attachment{.input = definition.open_stdin && !args.flag("no-stdin"), .stdin_fd = STDIN_FILENO, .detach_keys = args.text("detach-keys", "ctrl-p,ctrl-q"),
                                .signal_proxy = args.flag("sig-proxy", true), .on_output = {}};
  if (definition.tty && attachment.input) {
    if (!::isatty(STDIN_FILENO)) return fail(Errc::invalid_argument, "the input device is not a TTY");
    attachment.terminal_fd = STDIN_FILENO;
  }
  const auto end = TRY(engine::attach_container(*engine, row.id, attachment, interrupt.cancel()));
  return end.detached ? 0 : end.exit_code;
}

}  // namespace

constinit const Command kAttach{.usage = "[OPTIONS] CONTAINER",
                                .summary = "Attach local standard input, output, and error streams to a running container",
                                .aliases = "mica container attach, mica attach",
                                .flags = kFlags,
                                .least = 1,
                                .most = 1,
                                .run = run};

}  // namespace mica::cli
