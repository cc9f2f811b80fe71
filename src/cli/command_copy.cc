#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "cli/transfer_progress.h"
#include "engine/copy_image.h"
#include "engine/interrupt.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"all", 'a', "", "Copy all platforms of an index (the default,\nunless --platform chooses one)"},
    {"format", 0, "string", "Format the result using the given Go template, or \"json\""},
    {"jobs", 'j', "int", "Blobs under way at once (default 4)"},
    {"platform", 0, "string", "Copy only this platform's image of an index\n(e.g., \"linux/amd64\")"},
    {"quiet", 'q', "", "Print the digest only"},
    {"referrers", 0, "", "Also copy what refers to the image: signatures, SBOMs,\nattestations"},
};

json::Value report(const engine::CopyImage& request, const engine::Copied& copied, const registry::Traffic& traffic) {
  json::Value out = json::Value::object();
  out.set("Source", request.from.str());
  out.set("Target", request.to.str());
  out.set("Status", copied.unchanged ? "unchanged" : "copied");
  out.set("Digest", copied.digest.str());
  out.set("MediaType", copied.media_type);
  out.set("Documents", copied.documents);
  out.set("BlobsSent", copied.blobs_sent);
  out.set("BlobsMounted", copied.blobs_mounted);
  out.set("BlobsThere", copied.blobs_there);
  out.set("BytesSent", copied.bytes_sent);
  out.set("Requests", traffic.requests);
  return out;
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  engine::CopyImage request{.platform = args.text("platform"), .referrers = args.flag("referrers")};
  request.from = TRY(engine::ImagePlace::parse(args.positional(0)));
  request.to = TRY(engine::ImagePlace::parse(args.positional(1)));
  if (args.flag("all") && !request.platform.empty()) return fail(Errc::invalid_argument, "--all and --platform exclude each other");
  if (args.flag("all") && request.to.kind == engine::ImagePlace::Kind::docker_archive)
    return fail(Error(Errc::invalid_argument, "a Docker archive holds one platform's image").with_hint("oci-archive: holds them all"));
  if (args.has("jobs")) {
    const auto jobs = parse_int(args.text("jobs"));
    if (!jobs || *jobs < 1 || *jobs > 64) return failf(Errc::invalid_argument, "--jobs {}: a number from 1 to 64 is needed", quoted(args.text("jobs")));
    request.blobs_at_once = static_cast<int>(*jobs);
  }
  // What comes as a stream on stdout must come alone.
  const bool streams = request.to.path == "-";
  const bool quiet = args.flag("quiet") || args.has("format") || streams;
  const auto interrupt = TRY(engine::Interrupt::install());
  TransferProgress progress(quiet);
  const auto events = progress.events();
  engine::CopySession session([&](std::string text) { events({.status = std::move(text)}); });
  const auto copied = TRY(engine::copy_image(session, request, events, interrupt.cancel()));
  if (streams) return 0;
  if (args.has("format")) {
    const std::string text = TRY(render_one(args.text("format"), report(request, copied, session.registry.traffic()), "cli.copied"));
    TRY(print(text));
    return 0;
  }
  if (args.flag("quiet")) {
    TRY(print(copied.digest.str() + "\n"));
    return 0;
  }
  TRY(print(format("Digest: {}\nStatus: {} {}\n", copied.digest.str(), copied.unchanged ? "Nothing to do for" : "Copied to", request.to.str())));
  return 0;
}

}  // namespace

constinit const Command kCopy{.usage = "[OPTIONS] SOURCE TARGET",
                              .summary = "Copy an image between registries, layouts and archives",
                              .aliases = "mica image copy, mica copy",
                              .flags = kFlags,
                              .least = 2,
                              .most = 2,
                              .needs = Needs::nothing,
                              .run = run};

}  // namespace mica::cli
