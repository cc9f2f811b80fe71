#include <fcntl.h>
#include <unistd.h>

#include "base/format.h"
#include "cli/commands.h"
#include "cli/pull_missing.h"
#include "cli/run_flags.h"
#include "cli/run_request.h"
#include "engine/containers.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

constexpr int kOurFailure = 125;

/// Made before the container, so that two runs with one file do not both go on.
Result<sys::Fd> make_id_file(const std::string& path) {
  if (path.empty()) return sys::Fd();
  auto file = sys::open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
  if (!file && file.error().code() == Errc::already_exists)
    return failf(Errc::already_exists, "container ID file found, make sure the other container isn't running or delete {}", path);
  return file;
}

Result<std::string> create(engine::Engine& engine, RunRequest& request, const task::Cancel& cancel) {
  const auto id_file = TRY(make_id_file(request.id_file));
  request.create.fetch = pull_missing(engine, request.create.quiet, cancel);
  request.create.warn = [](std::string_view text) { note(format("WARNING: {}\n", text)); };
  auto id = engine::create_container(engine, std::move(request.create), cancel);
  if (!id) {
    if (id_file) ::unlink(request.id_file.c_str());
    return id;
  }
  if (id_file) TRY(sys::write_all(id_file, *id));
  return id;
}

Result<int> run_container(Context& context) {
  const Args& args = context.args;
  auto request = TRY(read_run_request(args, true));
  const bool tty = request.create.definition.tty, auto_remove = request.create.definition.auto_remove;
  if (tty && request.attach_input && !::isatty(STDIN_FILENO)) return fail(Error(Errc::invalid_argument, "the input device is not a TTY").with_exit_status(1));
  if (args.has("runtime")) context.options.runtime = args.text("runtime");
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  const std::string id = TRY(create(*engine, request, interrupt.cancel()));
  if (request.detach || (!request.attach_input && !request.attach_output)) {
    const auto started = engine::start_container(*engine, id, nullptr, interrupt.cancel());
    // As Docker does: the container is there, whether or not it could be started.
    if (started || !auto_remove) TRY(print(id + "\n"));
    TRY(started);
    return 0;
  }
  engine::Attachment attachment{.input = request.attach_input, .output = request.attach_output, .only_stream = request.only_stream, .stdin_fd = STDIN_FILENO, .detach_keys = request.detach_keys, .signal_proxy = request.signal_proxy, .on_output = {}};
  if (tty) attachment.terminal_fd = ::isatty(STDIN_FILENO) ? STDIN_FILENO : -1;
  auto ended = engine::start_container(*engine, id, &attachment, interrupt.cancel());
  if (!ended && auto_remove) (void)engine::remove_container(*engine, id, {.force = true, .volumes = true}, {});
  const auto end = TRY(std::move(ended));
  if (end.detached) return 0;
  return end.exit_code;
}

/// 125: what failed was mica or the runtime, not the command.
Result<int> run(Context& context) {
  auto status = run_container(context);
  if (status || status.error().exit_status() != 0 || status.error().code() == Errc::cancelled) return status;
  return fail(std::move(status).error().with_exit_status(kOurFailure));
}

Result<int> create_only(Context& context) {
  auto request = TRY(read_run_request(context.args, false));
  if (context.args.has("runtime")) context.options.runtime = context.args.text("runtime");
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  const std::string id = TRY(create(*engine, request, interrupt.cancel()));
  TRY(print(id + "\n"));
  return 0;
}

}  // namespace

constinit const Command kRun{.usage = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
                             .summary = "Create and run a new container from an image",
                             .aliases = "mica container run, mica run",
                             .flags = kRunFlags,
                             .least = 1,
                             .needs = Needs::mounts,
                             .flags_first = true,
                             .run = run};

constinit const Command kCreate{.usage = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
                                .summary = "Create a new container",
                                .aliases = "mica container create, mica create",
                                .flags = kRunFlags,
                                .least = 1,
                                .needs = Needs::mounts,
                                .flags_first = true,
                                .run = create_only};

}  // namespace mica::cli
