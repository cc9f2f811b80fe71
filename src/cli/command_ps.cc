#include <cctype>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/list_format.h"
#include "engine/container_list.h"

namespace mica::cli {
namespace {

constexpr std::size_t kShortDigits = 12;
constexpr std::size_t kCommandWidth = 20, kMountWidth = 15;
constexpr Flag kFlags[] = {
    {"all", 'a', "", "Show all containers (default shows just running)"},
    {"filter", 'f', "filter", "Filter output based on conditions provided:\nancestor, before, exited, expose, health, id, is-task,\nlabel, name, network, publish, since, status, volume"},
    {"format", 0, "string", kFormatHelp},
    {"last", 'n', "int", "Show n last created containers (includes all states)\n(default -1)"},
    {"latest", 'l', "", "Show the latest created container (includes all states)"},
    {"no-trunc", 0, "", "Don't truncate output"},
    {"quiet", 'q', "", "Only display container IDs"},
    {"size", 's', "", "Display total file sizes"},
};
constexpr Column kColumns[] = {
    {"Command", "COMMAND"},   {"CreatedAt", "CREATED AT"}, {"ID", "CONTAINER ID"}, {"Image", "IMAGE"},      {"Labels", "LABELS"}, {"LocalVolumes", "LOCAL VOLUMES"},
    {"Mounts", "MOUNTS"},     {"Names", "NAMES"},          {"Networks", "NETWORKS"}, {"Platform", "PLATFORM"}, {"Ports", "PORTS"},   {"RunningFor", "CREATED"},
    {"Size", "SIZE"},         {"State", "STATE"},          {"Status", "STATUS"},
};

/// As Go's strconv.Quote: quotes and backslashes escaped, control characters named.
std::string go_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (c == '\r') out += "\\r";
    else if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) out += format("\\x{:02x}", static_cast<unsigned char>(c));
    else out += c;
  }
  return out + "\"";
}

std::string mounts_of(const container::Definition& definition, bool full) {
  std::vector<std::string> names;
  for (const auto& point : definition.mount_points) {
    const std::string name = point.name.empty() ? point.source : point.name;
    if (!name.empty()) names.push_back(full ? name : ellipsis(name, kMountWidth));
  }
  return join(names, ",");
}

json::Value row_of(const engine::ListedContainer& listed, bool full) {
  const auto& row = listed.row;
  std::vector<std::string> labels;
  json::Object label_object;
  for (const auto& [key, value] : row.labels) {
    labels.push_back(format("{}={}", key, value));
    label_object.emplace_back(key, value);
  }
  json::Value value = json::Value::object();
  value.set("Command", go_quoted(full ? row.command : ellipsis(row.command, kCommandWidth)));
  value.set("CreatedAt", docker_time(Timestamp::from_seconds(row.created.seconds())));
  value.set("ID", full ? row.id : row.id.substr(0, kShortDigits));
  value.set("Image", listed.image);
  value.set("Labels", join(labels, ","));
  value.set("Names", row.name);
  value.set("Platform", json::Value());
  value.set("Ports", row.state.ports);
  value.set("RunningFor", ago(row.created.ns));
  value.set("State", std::string(word(row.state.status)));
  value.set("Status", engine::status_text(row.state));
  std::size_t volumes = 0;
  if (listed.definition) {
    for (const auto& point : listed.definition->mount_points) volumes += point.driver == "local";
    value.set("Mounts", mounts_of(*listed.definition, full));
    value.set("Networks", join(engine::network_names(*listed.definition), ","));
  } else {
    value.set("Mounts", "");
    value.set("Networks", "");
  }
  value.set("LocalVolumes", std::to_string(volumes));
  value.set("Size", listed.root_size > 0 ? format("{} (virtual {})", human_size(listed.size), human_size(listed.root_size)) : human_size(listed.size));
  value.set(kLabelsOfRow, std::move(label_object));
  return value;
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  const std::string text = args.text("format");
  engine::ListContainers request{.all = args.flag("all"), .filters = args.list("filter")};
  if (args.has("last")) {
    const auto last = parse_int(args.text("last"));
    if (!last) return failf(Errc::invalid_argument, "invalid argument {} for \"-n, --last\" flag: a number is expected", quoted(args.text("last")));
    request.last = static_cast<int>(*last);
  }
  if (args.flag("latest")) request.last = 1;
  const auto asks = [&](std::string_view field) { return text == "json" || text.find("json") != text.npos || text.find(field) != text.npos; };
  request.definitions = asks(".Mounts") || asks(".Networks") || asks(".LocalVolumes");
  request.sizes = args.flag("size") || text.find(".Size") != text.npos;
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto containers = TRY(engine::list(*engine, request));
  std::vector<json::Value> rows;
  for (const auto& one : containers) rows.push_back(row_of(one, args.flag("no-trunc")));
  const ListStyle style{.table = args.flag("size") ? "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}\t{{.Size}}"
                                                   : "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}",
                        .columns = kColumns,
                        .type_name = "*formatter.ContainerContext"};
  const std::string shown = TRY(render_list(style, args.flag("quiet") && !args.has("format") ? "{{.ID}}" : text, rows));
  TRY(print(shown));
  return 0;
}

}  // namespace

constinit const Command kPs{.usage = "[OPTIONS]",
                            .summary = "List containers",
                            .aliases = "mica container ls, mica container list, mica container ps, mica ps",
                            .flags = kFlags,
                            .least = 0,
                            .most = 0,
                            .run = run};

}  // namespace mica::cli
