#include "base/format.h"
#include "cli/commands.h"
#include "cli/transfer_progress.h"
#include "engine/interrupt.h"
#include "engine/pull_image.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"all-tags", 'a', "", "Download all tagged images in the repository"},
    {"disable-content-trust", 0, "", "Skip image verification", "mica does not verify signatures yet"},
    {"platform", 0, "string", "Set platform if server is multi-platform capable"},
    {"quiet", 'q', "", "Suppress verbose output"},
};

/// Docker shows the path without the default registry, and by digest the whole name.
std::string source_line(const oci::Reference& reference) {
  if (!reference.digest.empty()) return format("{}: Pulling from {}\n", reference.str(), reference.path);
  return format("{}: Pulling from {}\n", reference.tag, reference.path);
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  const bool quiet = args.flag("quiet"), all = args.flag("all-tags");
  const engine::PullImage request{.name = args.positional(0), .platform = args.text("platform"), .all_tags = all};
  const auto bare = TRY(oci::Reference::parse(request.name, false));
  const auto interrupt = TRY(engine::Interrupt::install());
  TransferProgress progress(quiet);
  const auto events = progress.events();
  auto engine = TRY(engine::Engine::open(context.options));
  engine->on_registry_remark([&](std::string text) { events({.status = std::move(text)}); });
  if (!quiet && !all && bare.tag.empty() && bare.digest.empty()) TRY(print("Using default tag: latest\n"));
  const auto begin = [&](const oci::Reference& reference) {
    progress.settle();
    if (!quiet) (void)print(source_line(reference));
  };
  const auto pulled = TRY(engine::pull_images(*engine, request, begin, events, interrupt.cancel()));
  for (const auto& one : pulled) {
    if (!quiet) {
      TRY(print(format("Digest: {}\n", one.digest.str())));
      TRY(print(format("Status: {} for {}\n", one.is_new ? "Downloaded newer image" : "Image is up to date", one.reference.familiar())));
    }
    TRY(print(one.reference.str() + "\n"));
  }
  return 0;
}

}  // namespace

constinit const Command kPull{.usage = "[OPTIONS] NAME[:TAG|@DIGEST]",
                              .summary = "Download an image from a registry",
                              .aliases = "mica image pull, mica pull",
                              .flags = kFlags,
                              .least = 1,
                              .most = 1,
                              .needs = Needs::mounts,
                              .run = run};

}  // namespace mica::cli
