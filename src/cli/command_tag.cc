#include "cli/commands.h"
#include "engine/images.h"

namespace mica::cli {
namespace {

Result<int> run(Context& context) {
  auto engine = TRY(engine::Engine::open(context.options));
  TRY(engine::tag_image(*engine, context.args.positional(0), context.args.positional(1)));
  return 0;
}

}  // namespace

constinit const Command kTag{.usage = "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
                             .summary = "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
                             .aliases = "mica image tag, mica tag",
                             .flags = {},
                             .least = 2,
                             .most = 2,
                             .run = run};

}  // namespace mica::cli
