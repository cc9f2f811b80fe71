#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/transfer_progress.h"
#include "engine/interrupt.h"
#include "engine/push_image.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"all-tags", 'a', "", "Push all tags of an image to the repository"},
    {"compression", 0, "string", "Compress layers that are not compressed yet with\n\"gzip\" (default), \"zstd\", or not at all\n(\"uncompressed\")"},
    {"compression-level", 0, "int", "Level of the compression: gzip 0 to 9, zstd 1 to 19"},
    {"disable-content-trust", 0, "", "Skip image signing", "mica does not sign images yet"},
    {"force-compression", 0, "", "Compress anew what is here in another compression"},
    {"platform", 0, "string", "Push a platform-specific manifest as a single-platform\nimage to the registry"},
    {"quiet", 'q', "", "Suppress verbose output"},
};

Result<engine::LayerForm> form_of(const Args& args) {
  engine::LayerForm form{.force = args.flag("force-compression")};
  const std::string name = args.text("compression", "gzip");
  if (name == "zstd") form.compression = stream::Compression::zstd;
  else if (name == "uncompressed") form.compression = stream::Compression::none;
  else if (name != "gzip") return failf(Errc::invalid_argument, "compression {} is not known: use gzip, zstd or uncompressed", quoted(name));
  if (!args.has("compression-level")) return form;
  const auto level = parse_int(args.text("compression-level"));
  const int least = name == "zstd" ? 1 : 0, most = name == "zstd" ? 19 : 9;
  if (name == "uncompressed" || !level || *level < least || *level > most)
    return failf(Errc::invalid_argument, "compression level {} does not fit {}", quoted(args.text("compression-level")), name);
  form.level = static_cast<int>(*level);
  return form;
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  engine::PushImage request{.name = args.positional(0), .all_tags = args.flag("all-tags"), .platform = args.text("platform")};
  request.form = TRY(form_of(args));
  const bool quiet = args.flag("quiet");
  const auto named = TRY(oci::Reference::parse(request.name, false));
  const auto interrupt = TRY(engine::Interrupt::install());
  TransferProgress progress(quiet);
  const auto events = progress.events();
  auto engine = TRY(engine::Engine::open(context.options));
  engine->on_registry_remark([&](std::string text) { events({.status = std::move(text)}); });
  if (!quiet && !request.all_tags && named.tag.empty() && named.digest.empty()) TRY(print("Using default tag: latest\n"));
  const auto begin = [&](const oci::Reference& reference) {
    if (!quiet) (void)print(format("The push refers to repository [{}]\n", reference.repository()));
  };
  const auto pushed = TRY(engine::push_images(*engine, request, begin, events, interrupt.cancel()));
  for (const auto& one : pushed) {
    if (quiet) TRY(print(one.reference.str() + "\n"));
    else TRY(print(format("{}: digest: {} size: {}\n", one.reference.tag, one.digest.str(), one.size)));
  }
  return 0;
}

}  // namespace

constinit const Command kPush{.usage = "[OPTIONS] NAME[:TAG]",
                              .summary = "Upload an image to a registry",
                              .aliases = "mica image push, mica push",
                              .flags = kFlags,
                              .least = 1,
                              .most = 1,
                              .needs = Needs::store,
                              .run = run};

}  // namespace mica::cli
