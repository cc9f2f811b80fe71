#include "base/format.h"
#include "cli/commands.h"
#include "cli/each_name.h"
#include "engine/containers.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"force", 'f', "", "Force the removal of a running container (uses SIGKILL)"},
    {"link", 'l', "", "Remove the specified link", "links end with their container"},
    {"volumes", 'v', "", "Remove anonymous volumes associated with the container"},
};

Result<int> run(Context& context) {
  const bool force = context.args.flag("force");
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  return for_each_name(context, [&](const std::string& name) -> Result<std::string> {
    const auto removed = engine::remove_container(*engine, name, {.force = force, .volumes = context.args.flag("volumes")}, interrupt.cancel());
    if (!removed && force && removed.error().code() == Errc::not_found) {
      note(format("Error response from daemon: {}\n", removed.error().message()));
      return std::string();
    }
    if (!removed) return fail(removed.error());
    return name;
  });
}

}  // namespace

constinit const Command kRm{.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
                            .summary = "Remove one or more containers",
                            .aliases = "mica container rm, mica container remove, mica rm",
                            .flags = kFlags,
                            .least = 1,
                            .run = run};

}  // namespace mica::cli
