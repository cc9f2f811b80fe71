#include "cli/commands.h"
#include "engine/import_image.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"change", 'c', "list", "Apply Dockerfile instruction to the created image"},
    {"message", 'm', "string", "Set commit message for imported image"},
    {"platform", 0, "string", "Platform of the image (default: this machine's)"},
};

Result<int> run(Context& context) {
  const Args& args = context.args;
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  engine::ImportImage request{.source = args.positional(0), .changes = args.list("change"), .message = args.text("message"),
                              .platform = args.text("platform")};
  if (args.positionals().size() > 1) request.name = args.positional(1);
  const auto id = TRY(engine::import_image(*engine, request, interrupt.cancel()));
  TRY(print(id.digest.str() + "\n"));
  return 0;
}

}  // namespace

constinit const Command kImport{.usage = "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
                                .summary = "Import the contents from a tarball to create a filesystem image",
                                .aliases = "mica image import, mica import",
                                .flags = kFlags,
                                .least = 1,
                                .most = 2,
                                .needs = Needs::mounts,
                                .run = run};

}  // namespace mica::cli
