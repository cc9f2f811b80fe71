#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/each_name.h"
#include "cli/list_format.h"
#include "engine/volumes.h"

namespace mica::cli {
namespace {

constexpr Flag kCreateFlags[] = {
    {"availability", 0, "string", "", "mica has no swarm"},
    {"driver", 'd', "string", "Specify volume driver name (local)"},
    {"group", 0, "string", "", "mica has no swarm"},
    {"label", 0, "list", "Set metadata for a volume"},
    {"name", 0, "string", "Specify volume name"},
    {"opt", 'o', "map", "Set driver specific options (type, device, o)"},
    {"required-bytes", 0, "bytes", "", "mica has no swarm"},
    {"scope", 0, "string", "", "mica has no swarm"},
    {"type", 0, "string", "", "mica has no swarm"},
};
constexpr Flag kListFlags[] = {
    {"cluster", 0, "", "", "mica has no swarm"},
    {"filter", 'f', "filter", "Provide filter values (e.g. \"dangling=true\")"},
    {"format", 0, "string", kFormatHelp},
    {"quiet", 'q', "", "Only display volume names"},
};
constexpr Flag kRmFlags[] = {{"force", 'f', "", "Do not fail when a volume does not exist"}};
constexpr Flag kPruneFlags[] = {
    {"all", 'a', "", "Remove all unused volumes, not just anonymous ones"},
    {"filter", 0, "filter", "Provide filter values (e.g. \"label=<label>\")"},
    {"force", 'f', "", "Do not prompt for confirmation"},
};
constexpr Column kColumns[] = {
    {"Availability", "AVAILABILITY"}, {"Driver", "DRIVER"}, {"Group", "GROUP"}, {"Labels", "LABELS"}, {"Links", "LINKS"},
    {"Mountpoint", "MOUNTPOINT"},     {"Name", "VOLUME NAME"}, {"Scope", "SCOPE"}, {"Size", "SIZE"},   {"Status", "STATUS"},
};

container::Pairs pairs_of(const std::vector<std::string>& words) {
  container::Pairs out;
  for (const auto& word : words) {
    const auto parts = split_once(word, '=');
    out.emplace_back(parts ? parts->first : word, parts ? parts->second : "");
  }
  return out;
}

Result<int> run_create(Context& context) {
  const Args& args = context.args;
  if (!args.positionals().empty() && args.has("name")) return fail(Errc::invalid_argument, "conflicting options: cannot specify a volume-name through both --name and as a positional arg");
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto made = TRY(engine::make_volume(*engine, {.name = args.positionals().empty() ? args.text("name") : args.positional(0), .driver = args.text("driver", "local"),
                                                      .options = pairs_of(args.list("opt")), .labels = pairs_of(args.list("label"))}));
  TRY(print(made.name + "\n"));
  return 0;
}

Result<int> run_list(Context& context) {
  const Args& args = context.args;
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto volumes = TRY(engine::list_volumes(*engine, args.list("filter")));
  std::vector<json::Value> rows;
  for (const auto& volume : volumes) {
    std::string labels;
    json::Object label_object;
    for (const auto& [key, value] : volume.labels) {
      labels += format("{}{}={}", labels.empty() ? "" : ",", key, value);
      label_object.emplace_back(key, value);
    }
    json::Value row(json::Object{{"Availability", "N/A"}, {"Driver", volume.driver}, {"Group", "N/A"}, {"Labels", labels}, {"Links", "N/A"}, {"Mountpoint", engine::volume_folder(*engine, volume.name)},
                                 {"Name", volume.name}, {"Scope", "local"}, {"Size", "N/A"}, {"Status", "N/A"}});
    row.set(kLabelsOfRow, std::move(label_object));
    rows.push_back(std::move(row));
  }
  const ListStyle style{.table = "table {{.Driver}}\t{{.Name}}", .columns = kColumns, .type_name = "*formatter.volumeContext"};
  const std::string text = TRY(render_list(style, args.flag("quiet") && !args.has("format") ? "{{.Name}}" : args.text("format"), rows));
  TRY(print(text));
  return 0;
}

Result<int> run_rm(Context& context) {
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  return for_each_name(context, [&](const std::string& name) -> Result<std::string> {
    const auto removed = engine::remove_volume(*engine, name);
    if (!removed && !(context.args.flag("force") && removed.error().code() == Errc::not_found)) return fail(removed.error());
    return name;
  });
}

Result<int> run_prune(Context& context) {
  const Args& args = context.args;
  const char* what = args.flag("all") ? "all local volumes" : "anonymous local volumes";
  if (!args.flag("force") && !confirm(format("WARNING! This will remove {} not used by at least one container.\nAre you sure you want to continue?", what))) return 0;
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto pruned = TRY(engine::prune_volumes(*engine, {.all = args.flag("all"), .filters = args.list("filter")}));
  std::string text;
  if (!pruned.names.empty()) text = "Deleted Volumes:\n" + join(pruned.names, "\n") + "\n\n";
  TRY(print(text + format("Total reclaimed space: {}\n", human_size(pruned.bytes))));
  return 0;
}

}  // namespace

constinit const Command kVolumeCreate{.usage = "[OPTIONS] [VOLUME]", .summary = "Create a volume", .aliases = {}, .flags = kCreateFlags, .least = 0, .most = 1, .run = run_create};
constinit const Command kVolumeLs{.usage = "[OPTIONS]", .summary = "List volumes", .aliases = "mica volume ls, mica volume list", .flags = kListFlags, .least = 0, .most = 0, .run = run_list};
constinit const Command kVolumeRm{
    .usage = "[OPTIONS] VOLUME [VOLUME...]", .summary = "Remove one or more volumes", .aliases = "mica volume rm, mica volume remove", .flags = kRmFlags, .least = 1, .run = run_rm};
constinit const Command kVolumePrune{.usage = "[OPTIONS]", .summary = "Remove unused local volumes", .aliases = {}, .flags = kPruneFlags, .least = 0, .most = 0, .run = run_prune};

}  // namespace mica::cli
