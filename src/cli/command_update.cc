#include "base/format.h"
#include "cli/commands.h"
#include "cli/each_name.h"
#include "cli/run_request.h"
#include "engine/change_container.h"

namespace mica::cli {
namespace {

constexpr Flag kUpdateFlags[] = {
    {"blkio-weight", 0, "uint16", "Block IO (relative weight), between 10 and 1000, or 0\nto disable (default 0)"},
    {"cpu-period", 0, "int", "Limit CPU CFS (Completely Fair Scheduler) period"},
    {"cpu-quota", 0, "int", "Limit CPU CFS (Completely Fair Scheduler) quota"},
    {"cpu-rt-period", 0, "int", "Limit the CPU real-time period in microseconds"},
    {"cpu-rt-runtime", 0, "int", "Limit the CPU real-time runtime in microseconds"},
    {"cpu-shares", 'c', "int", "CPU shares (relative weight)"},
    {"cpus", 0, "decimal", "Number of CPUs"},
    {"cpuset-cpus", 0, "string", "CPUs in which to allow execution (0-3, 0,1)"},
    {"cpuset-mems", 0, "string", "MEMs in which to allow execution (0-3, 0,1)"},
    {"kernel-memory", 0, "bytes", "", "kernels no longer have it"},
    {"memory", 'm', "bytes", "Memory limit"},
    {"memory-reservation", 0, "bytes", "Memory soft limit"},
    {"memory-swap", 0, "bytes", "Swap limit equal to memory plus swap: -1 to enable\nunlimited swap"},
    {"pids-limit", 0, "int", "Tune container pids limit (set -1 for unlimited)"},
    {"restart", 0, "string", "Restart policy to apply when a container exits"},
};

Result<int> run_update(Context& context) {
  const Args& args = context.args;
  if (args.given().empty()) return fail(Error(Errc::invalid_argument, "you must provide one or more flags when using this command"));
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  return for_each_name(context, [&](const std::string& name) -> Result<std::string> {
    TRY(engine::update_container(*engine, name, [&](container::Definition& definition) -> Result<> {
      // A limit on memory that grows takes its old limit on swap along.
      if (args.has("memory") && !args.has("memory-swap") && definition.limits.memory_swap == 2 * definition.limits.memory) definition.limits.memory_swap = 0;
      TRY(read_limits(args, definition.limits));
      if (args.has("restart")) definition.restart = TRY(read_restart(args.text("restart")));
      return {};
    }));
    return name;
  });
}

Result<int> run_rename(Context& context) {
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  TRY(engine::rename_container(*engine, context.args.positional(0), context.args.positional(1)));
  return 0;
}

}  // namespace

constinit const Command kUpdate{.usage = "[OPTIONS] CONTAINER [CONTAINER...]",
                                .summary = "Update configuration of one or more containers",
                                .aliases = "mica container update, mica update",
                                .flags = kUpdateFlags,
                                .least = 1,
                                .run = run_update};
constinit const Command kRename{
    .usage = "CONTAINER NEW_NAME", .summary = "Rename a container", .aliases = "mica container rename, mica rename", .flags = {}, .least = 2, .most = 2, .run = run_rename};

}  // namespace mica::cli
