#include <unistd.h>

#include "base/format.h"
#include "cli/commands.h"
#include "engine/interrupt.h"
#include "engine/load_images.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"input", 'i', "string", "Read from tar archive file or OCI layout folder,\ninstead of STDIN"},
    {"platform", 0, "string", "Load only the given platform variant. Formatted as\n\"os[/arch[/variant]]\" (e.g., \"linux/amd64\")"},
    {"quiet", 'q', "", "Suppress the load output"},
};

Result<int> run(Context& context) {
  const Args& args = context.args;
  const std::string input = args.text("input");
  if (input.empty() && ::isatty(STDIN_FILENO)) return fail(Errc::invalid_argument, "requested load from stdin, but stdin is empty");
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  const auto loaded = TRY(engine::load_images(*engine, {.input = input == "-" ? "" : input, .platform = args.text("platform")}, interrupt.cancel()));
  for (const auto& image : loaded) {
    if (image.names.empty()) TRY(print(format("Loaded image ID: {}\n", image.id.digest.str())));
    for (const auto& name : image.names) TRY(print(format("Loaded image: {}\n", name.familiar())));
  }
  return 0;
}

}  // namespace

constinit const Command kLoad{.usage = "[OPTIONS]",
                              .summary = "Load an image from a tar archive or STDIN",
                              .aliases = "mica image load, mica load",
                              .flags = kFlags,
                              .least = 0,
                              .most = 0,
                              .needs = Needs::mounts,
                              .run = run};

}  // namespace mica::cli
