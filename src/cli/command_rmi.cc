#include "base/format.h"
#include "cli/commands.h"
#include "cli/report_error.h"
#include "engine/remove_image.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"force", 'f', "", "Force removal of the image"},
    {"no-prune", 0, "", "Do not remove layers that nothing needs any more"},
    {"platform", 0, "strings", "Remove only the given platform variant", "images of several platforms are not supported yet"},
};

Result<int> run(Context& context) {
  const Args& args = context.args;
  auto engine = TRY(engine::Engine::open(context.options));
  int status = 0;
  for (const std::string& name : args.positionals()) {
    const auto removals =
        engine::remove_image(*engine, {.name = name, .force = args.flag("force"), .prune = !args.flag("no-prune")});
    if (!removals) {
      const int failed = report_error(removals.error());
      if (removals.error().code() != Errc::not_found || !args.flag("force")) status = failed;
      continue;
    }
    for (const auto& removal : *removals) TRY(print(format("{}: {}\n", removal.untagged ? "Untagged" : "Deleted", removal.what)));
  }
  return status;
}

}  // namespace

constinit const Command kRmi{.usage = "[OPTIONS] IMAGE [IMAGE...]",
                             .summary = "Remove one or more images",
                             .aliases = "mica image rm, mica image remove, mica rmi",
                             .flags = kFlags,
                             .least = 1,
                             .run = run};

}  // namespace mica::cli
