#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "engine/interrupt.h"
#include "engine/make_base.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"change", 'c', "list", "Apply a Dockerfile instruction to the image"},
    {"cmd", 0, "string", "Default command, a JSON list or a shell line\n(default [\"bash\"])"},
    {"env", 'e', "list", "Set an environment variable (KEY=VALUE)"},
    {"include", 0, "list", "Further packages, separated by commas"},
    {"label", 'l', "list", "Set a label (KEY=VALUE)"},
    {"mirror", 0, "string", "Package mirror, a URL (default: mmdebstrap's)"},
    {"platform", 0, "string", "Platform of the image (default: this machine's)"},
    {"suite", 0, "string", "Release: bookworm, trixie, sid, ..."},
    {"variant", 0, "string", "mmdebstrap's variant: essential, apt, minbase,\nbuildd, standard, ... (default \"minbase\")"},
};

/// ENV and LABEL lines with the value quoted as the language wants it.
Result<std::string> pair_instruction(std::string_view keyword, const std::string& pair) {
  const auto parts = split_once(pair, '=');
  if (!parts || parts->first.empty()) return failf(Errc::invalid_argument, "{} is not KEY=VALUE", quoted(pair));
  std::string value(parts->second);
  value = replace_all(replace_all(replace_all(std::move(value), "\\", "\\\\"), "\"", "\\\""), "$", "\\$");
  return format("{} {}=\"{}\"", keyword, parts->first, value);
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  if (!args.has("suite")) return fail(Error(Errc::invalid_argument, "--suite is missing").with_hint("for example: mica base my-debian --suite bookworm"));
  engine::MakeBase request{.name = args.positional(0), .suite = args.text("suite"), .variant = args.text("variant", "minbase"), .mirror = args.text("mirror"),
                           .platform = args.text("platform")};
  request.include = args.list("include");
  request.changes = {"CMD " + args.text("cmd", R"(["bash"])")};
  for (const char* flag : {"env", "label"})
    for (const auto& pair : args.list(flag)) {
      auto line = TRY(pair_instruction(to_upper(flag), pair));
      request.changes.push_back(std::move(line));
    }
  for (const auto& change : args.list("change")) request.changes.push_back(change);
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  const auto id = TRY(engine::make_base(*engine, request, interrupt.cancel()));
  TRY(print(id.digest.str() + "\n"));
  return 0;
}

}  // namespace

constinit const Command kBase{.usage = "[OPTIONS] --suite SUITE NAME[:TAG]",
                              .summary = "Make a base image from distribution packages",
                              .aliases = {},
                              .flags = kFlags,
                              .least = 1,
                              .most = 1,
                              .needs = Needs::mounts,
                              .run = run};

}  // namespace mica::cli
