#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/each_name.h"
#include "engine/containers.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

constexpr Flag kStopFlags[] = {
    {"signal", 's', "string", "Signal to send to the container"},
    {"time", 0, "int", ""},
    {"timeout", 't', "int", "Seconds to wait before killing the container"},
};
constexpr Flag kKillFlags[] = {
    {"signal", 's', "string", "Signal to send to the container"},
};

Result<std::optional<int>> timeout_from(const Args& args) {
  const std::string text = args.text("timeout", args.text("time"));
  if (text.empty()) return std::nullopt;
  const auto seconds = parse_int(text);
  if (!seconds || *seconds < -1 || *seconds > 1'000'000'000)
    return failf(Errc::invalid_argument, "invalid argument {} for \"-t, --timeout\" flag: it takes seconds, or -1 to wait for ever", quoted(text));
  return static_cast<int>(*seconds);
}

Result<int> stop(Context& context) {
  const auto timeout = TRY(timeout_from(context.args));
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  return for_each_name(context, [&](const std::string& name) -> Result<std::string> {
    TRY(engine::stop_container(*engine, name, timeout, context.args.text("signal"), interrupt.cancel()));
    return name;
  });
}

Result<int> restart(Context& context) {
  const auto timeout = TRY(timeout_from(context.args));
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  return for_each_name(context, [&](const std::string& name) -> Result<std::string> {
    const auto row = TRY(engine::find_container(*engine, name));
    TRY(engine::restart_container(*engine, row.id, timeout, context.args.text("signal"), interrupt.cancel()));
    return name;
  });
}

Result<int> kill(Context& context) {
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  return for_each_name(context, [&](const std::string& name) -> Result<std::string> {
    TRY(engine::kill_container(*engine, name, context.args.text("signal")));
    return name;
  });
}

Result<int> pause_or_not(Context& context, bool pause) {
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  return for_each_name(context, [&](const std::string& name) -> Result<std::string> {
    TRY(engine::pause_container(*engine, name, pause));
    return name;
  });
}
Result<int> pause(Context& context) { return pause_or_not(context, true); }
Result<int> unpause(Context& context) { return pause_or_not(context, false); }

Result<int> wait(Context& context) {
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  return for_each_name(context, [&](const std::string& name) -> Result<std::string> {
    const int code = TRY(engine::wait_container(*engine, name, engine::WaitFor::not_running, interrupt.cancel()));
    return std::to_string(code);
  });
}

}  // namespace

constinit const Command kStop{.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
                              .summary = "Stop one or more running containers",
                              .aliases = "mica container stop, mica stop",
                              .flags = kStopFlags,
                              .least = 1,
                              .run = stop};
constinit const Command kRestart{.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
                                 .summary = "Restart one or more containers",
                                 .aliases = "mica container restart, mica restart",
                                 .flags = kStopFlags,
                                 .least = 1,
                                 .run = restart};
constinit const Command kKill{.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
                              .summary = "Kill one or more running containers",
                              .aliases = "mica container kill, mica kill",
                              .flags = kKillFlags,
                              .least = 1,
                              .run = kill};
constinit const Command kWait{.usage = "CONTAINER [CONTAINER...]",
                              .summary = "Block until one or more containers stop, then print their exit codes",
                              .aliases = "mica container wait, mica wait",
                              .flags = {},
                              .least = 1,
                              .run = wait};

constinit const Command kPause{.usage = "CONTAINER [CONTAINER...]",
                               .summary = "Pause all processes within one or more containers",
                               .aliases = "mica container pause, mica pause",
                               .flags = {},
                               .least = 1,
                               .run = pause};
constinit const Command kUnpause{.usage = "CONTAINER [CONTAINER...]",
                                 .summary = "Unpause all processes within one or more containers",
                                 .aliases = "mica container unpause, mica unpause",
                                 .flags = {},
                                 .least = 1,
                                 .run = unpause};

}  // namespace mica::cli
