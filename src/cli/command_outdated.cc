#include "cli/commands.h"
#include "cli/list_format.h"
#include "engine/interrupt.h"
#include "engine/lock_images.h"
#include "oci/platform.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"all", 'a', "", "Show images that did not move, too"},
    {"file", 'f', "string", "Name of the Dockerfile or compose file whose images\nto look at (default: all of \"mica.lock\")"},
    {"format", 0, "string", kFormatHelp},
    {"no-trunc", 0, "", "Don't truncate output"},
    {"platform", 0, "string", "Set the platform whose images' creation times are\nshown"},
};
constexpr Column kColumns[] = {
    {"Created", "CREATED"},             {"CreatedAt", "CREATED AT"},         {"Current", "CURRENT"}, {"Locked", "LOCKED"},
    {"LockedCreated", "LOCKED CREATED"}, {"LockedCreatedAt", "LOCKED CREATED AT"}, {"Name", "NAME"},       {"ResolvedAt", "RESOLVED AT"},
    {"Status", "STATUS"},
};
constexpr int kTrouble = 2;

std::string since(const std::optional<Timestamp>& time) { return time ? ago(time->ns) : "N/A"; }
std::string at(const std::optional<Timestamp>& time) { return time ? rfc3339(*time) : ""; }

json::Value row(const engine::OutdatedImage& image, bool full) {
  using State = engine::OutdatedImage::State;
  const auto shown = [&](const oci::Digest& digest) { return digest.empty() ? std::string("<none>") : full ? digest.str() : digest.short_hex(); };
  const auto& created = image.state == State::current ? image.locked.created : image.created;
  json::Value value = json::Value::object();
  value.set("Name", image.name);
  value.set("Status", image.state == State::moved ? "moved" : image.state == State::gone ? "gone" : "current");
  value.set("Locked", shown(image.locked.digest));
  value.set("LockedCreated", since(image.locked.created));
  value.set("LockedCreatedAt", at(image.locked.created));
  value.set("ResolvedAt", at(image.locked.resolved));
  value.set("Current", shown(image.digest));
  value.set("Created", since(created));
  value.set("CreatedAt", at(created));
  return value;
}

Result<int> outdated(const Args& args) {
  const std::string wanted = args.text("platform"), text = args.text("format");
  const auto platform = TRY(wanted.empty() ? oci::Platform::host() : oci::Platform::parse(wanted));
  const auto interrupt = TRY(engine::Interrupt::install());
  engine::CopySession session([](std::string line) { note(line + "\n"); });
  const auto images = TRY(engine::find_outdated(session, args.text("file"), platform, interrupt.cancel()));
  const bool full = args.flag("no-trunc") || text == "json";
  std::vector<json::Value> rows;
  bool any = false;
  for (const auto& image : images) {
    const bool is_current = image.state == engine::OutdatedImage::State::current;
    any = any || !is_current;
    if (!is_current || args.flag("all")) rows.push_back(row(image, full));
  }
  const ListStyle style{.table = "table {{.Name}}\t{{.Status}}\t{{.Locked}}\t{{.LockedCreated}}\t{{.Current}}\t{{.Created}}", .columns = kColumns, .type_name = "*formatter.outdated"};
  if (rows.empty() && text.empty()) {
    note("nothing has moved\n");
    return 0;
  }
  const auto out = TRY(render_list(style, text, rows));
  TRY(print(out));
  return any ? 1 : 0;
}

Result<int> run(Context& context) {
  auto status = outdated(context.args);
  if (!status) return fail(std::move(status).error().with_exit_status(kTrouble));
  return status;
}

}  // namespace

constinit const Command kOutdated{.usage = "[OPTIONS]",
                                  .summary = "Show which locked base images have moved at their registries",
                                  .aliases = {},
                                  .flags = kFlags,
                                  .least = 0,
                                  .most = 0,
                                  .needs = Needs::nothing,
                                  .run = run};

}  // namespace mica::cli
