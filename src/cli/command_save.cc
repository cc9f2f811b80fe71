#include <unistd.h>

#include "cli/commands.h"
#include "engine/interrupt.h"
#include "engine/save_images.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"output", 'o', "string", "Write to a file, instead of STDOUT"},
    {"platform", 0, "string", "Save only the given platform variant", "images of several platforms are not supported yet"},
};

Result<int> run(Context& context) {
  const Args& args = context.args;
  const std::string output = args.text("output");
  const bool to_stdout = output.empty() || output == "-";
  if (to_stdout && ::isatty(STDOUT_FILENO))
    return fail(Errc::invalid_argument, "cowardly refusing to save to a terminal. Use the -o flag or redirect");
  const auto interrupt = TRY(engine::Interrupt::install());
  auto opened = engine::Engine::open(context.options);
  if (!opened && opened.error().code() == Errc::permission_denied) opened = engine::Engine::open_for_reading(context.options);
  const auto engine = TRY(std::move(opened));
  const engine::SaveImages request{.names = args.positionals()};
  TRY(engine::save_images_to_file(*engine, request, to_stdout ? "-" : output, interrupt.cancel()));
  return 0;
}

}  // namespace

constinit const Command kSave{.usage = "[OPTIONS] IMAGE [IMAGE...]",
                              .summary = "Save one or more images to a tar archive (streamed to STDOUT by default)",
                              .aliases = "mica image save, mica save",
                              .flags = kFlags,
                              .least = 1,
                              .needs = Needs::store,
                              .run = run};

}  // namespace mica::cli
