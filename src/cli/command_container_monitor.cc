#include "base/text.h"
#include "cli/commands.h"
#include "engine/monitor_container.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"fd", 0, "int", "The socket of who starts the container"},
};

Result<int> run(Context& context) {
  TRY(engine::monitor_container(context.options, context.args.positional(0), static_cast<int>(parse_int(context.args.text("fd", "-1")).value_or(-1))));
  return 0;
}

}  // namespace

/// Not for people: start_container calls it.
constinit const Command kContainerMonitor{.usage = "ID", .summary = "", .aliases = "", .flags = kFlags, .least = 1, .most = 1, .needs = Needs::mounts, .run = run};

}  // namespace mica::cli
