#include "base/format.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "engine/interrupt.h"
#include "engine/sync_images.h"
#include "sys/fd.h"

namespace mica::cli {
namespace {

constexpr std::size_t kMaxListBytes = 16 << 20;
constexpr int kMaxJobs = 16;

constexpr Flag kFlags[] = {
    {"dry-run", 0, "", "Look, and say what would be copied"},
    {"file", 'f', "list", "Read lines \"SOURCE [TARGET]\" from this file (\"-\": STDIN)"},
    {"format", 0, "string", kFormatHelp},
    {"jobs", 'j', "int", "Images under way at once (default 3)"},
    {"journal", 0, "string", "Write down what is done in this file, and continue a\nrun that was broken off"},
    {"newest", 0, "int", "Of the tags that a pattern matches only so many, by\nversion"},
    {"platform", 0, "string", "Copy only this platform's image of each index"},
    {"quiet", 'q', "", "Print errors and the result only"},
    {"referrers", 0, "", "Also copy what refers to the images: signatures, SBOMs,\nattestations"},
    {"to", 't', "string", "Where images without a target go: REGISTRY[/PATH] or\noci:FOLDER"},
};
constexpr Column kColumns[] = {
    {"Source", "SOURCE"},         {"Target", "TARGET"},           {"Status", "STATUS"},         {"Digest", "DIGEST"},           {"Documents", "DOCUMENTS"}, {"BlobsSent", "BLOBS SENT"},
    {"BlobsMounted", "MOUNTED"},  {"BlobsThere", "THERE"},        {"BytesSent", "BYTES SENT"},  {"Seconds", "SECONDS"},         {"Error", "ERROR"},
};

Result<int> number(const Args& args, std::string_view flag, int fallback, int most) {
  if (!args.has(flag)) return fallback;
  const auto given = parse_int(args.text(flag));
  if (!given || *given < 1 || *given > most) return failf(Errc::invalid_argument, "--{} {}: a number from 1 to {} is needed", flag, quoted(args.text(flag)), most);
  return static_cast<int>(*given);
}

Result<engine::SyncImages> request_from(const Args& args) {
  engine::SyncImages request{.to = std::string(trim_right(args.text("to"), "/")),
                             .platform = args.text("platform"),
                             .referrers = args.flag("referrers"),
                             .dry_run = args.flag("dry-run"),
                             .journal = args.text("journal")};
  request.newest = TRY(number(args, "newest", 0, 1'000'000));
  request.images_at_once = TRY(number(args, "jobs", request.images_at_once, kMaxJobs));
  for (const auto& file : args.list("file")) {
    const std::string text = TRY_DOING(sys::read_file(file == "-" ? "/dev/stdin" : file, kMaxListBytes), format("reading {}", file));
    auto rules = TRY(engine::parse_sync_list(file, text));
    for (auto& rule : rules) request.rules.push_back(std::move(rule));
  }
  for (const auto& source : args.positionals()) request.rules.push_back({.from = source});
  if (request.rules.empty()) return fail(Error(Errc::invalid_argument, "nothing to copy").with_hint("name sources, or a list with --file"));
  return request;
}

json::Value row(const engine::Synced& one, bool dry_run) {
  json::Value out = json::Value::object();
  out.set("Source", one.from);
  out.set("Target", one.to);
  out.set("Status", dry_run && one.status == engine::SyncStatus::copied ? "would be copied" : std::string(name(one.status)));
  out.set("Digest", one.copied.digest.str());
  out.set("Documents", std::to_string(one.copied.documents));
  out.set("BlobsSent", std::to_string(one.copied.blobs_sent));
  out.set("BlobsMounted", std::to_string(one.copied.blobs_mounted));
  out.set("BlobsThere", std::to_string(one.copied.blobs_there));
  out.set("BytesSent", std::to_string(one.copied.bytes_sent));
  out.set("Seconds", format("{}.{:03}", one.ns / 1'000'000'000, one.ns / 1'000'000 % 1000));
  out.set("Error", one.error);
  return out;
}

void tell(const engine::Synced& one, bool quiet, bool dry_run) {
  if (one.status == engine::SyncStatus::failed) return note(format("failed: {} to {}: {}\n", one.from, one.to, one.error));
  if (quiet) return;
  const bool sent = one.status == engine::SyncStatus::copied && !dry_run;
  note(format("{}: {} to {}{}\n", dry_run && one.status == engine::SyncStatus::copied ? "would be copied" : name(one.status), one.from, one.to,
              sent ? format(" ({} sent)", human_size(one.copied.bytes_sent)) : ""));
}

std::string summary(const std::vector<engine::Synced>& all, const registry::Traffic& traffic, bool dry_run) {
  using Status = engine::SyncStatus;
  std::int64_t bytes = 0;
  std::vector<std::string> parts;
  for (const Status status : {Status::copied, Status::unchanged, Status::done_before, Status::failed, Status::cancelled}) {
    std::size_t count = 0;
    for (const auto& one : all) count += one.status == status;
    if (count > 0) parts.push_back(format("{} {}", count, dry_run && status == Status::copied ? "to copy" : name(status)));
  }
  for (const auto& one : all) bytes += one.copied.bytes_sent;
  return format("{}; {} sent, {} requests\n", join(parts, ", "), human_size(bytes), traffic.requests);
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  const auto request = TRY(request_from(args));
  const bool quiet = args.flag("quiet");
  const auto interrupt = TRY(engine::Interrupt::install());
  engine::CopySession session([](std::string text) { note(text + "\n"); });
  const auto all = TRY(engine::sync_images(session, request, [&](const engine::Synced& one) { tell(one, quiet, request.dry_run); }, interrupt.cancel()));
  std::vector<json::Value> rows;
  bool failed = false;
  for (const auto& one : all) {
    rows.push_back(row(one, request.dry_run));
    failed |= one.status == engine::SyncStatus::failed;
  }
  const ListStyle style{.table = "table {{.Source}}\t{{.Target}}\t{{.Status}}\t{{.Digest}}", .columns = kColumns, .type_name = "cli.synced"};
  const std::string text = TRY(render_list(style, args.text("format"), rows));
  TRY(print(text));
  if (!quiet) note(summary(all, session.registry.traffic(), request.dry_run));
  TRY(interrupt.cancel().check());
  return failed ? 1 : 0;
}

}  // namespace

constinit const Command kSync{.usage = "[OPTIONS] [SOURCE...]",
                              .summary = "Keep copies of many images in a registry or a layout",
                              .aliases = "mica image sync, mica sync",
                              .flags = kFlags,
                              .least = 0,
                              .needs = Needs::nothing,
                              .run = run};

}  // namespace mica::cli
