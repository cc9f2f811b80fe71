#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/compose_project.h"
#include "cli/list_format.h"
#include "compose/service_container.h"
#include "compose/service_hash.h"
#include "engine/container_list.h"
#include "engine/container_processes.h"
#include "engine/filters.h"
#include "engine/images.h"
#include "engine/volumes.h"

namespace mica::cli {
namespace {

constexpr std::size_t kShortDigits = 12;
constexpr Flag kPsFlags[] = {
    {"all", 'a', "", "Show all stopped containers (including those created by\nthe run command)"},
    {"filter", 0, "string", "Filter services by a property (supported filters: status)"},
    {"format", 0, "string", kFormatHelp},
    {"no-trunc", 0, "", "Don't truncate output"},
    {"orphans", 0, "", "Include orphaned services (not declared by project)\n(default true)"},
    {"quiet", 'q', "", "Only display IDs"},
    {"services", 0, "", "Display services"},
    {"status", 0, "stringArray", "Filter services by status. Values: [paused | restarting |\nremoving | running | dead | created | exited]"},
};
constexpr Flag kLsFlags[] = {
    {"all", 'a', "", "Show all stopped Compose projects"},
    {"filter", 0, "filter", "Filter output based on conditions provided (name)"},
    {"format", 0, "string", "Format the output. Values: [table | json] (default \"table\")"},
    {"quiet", 'q', "", "Only display project names"},
};
constexpr Flag kImagesFlags[] = {{"format", 0, "string", "Format the output. Values: [table | json] (default \"table\")"}, {"quiet", 'q', "", "Only display IDs"}};
constexpr Flag kPortFlags[] = {{"index", 0, "int", "Index of the container if service has multiple replicas"}, {"protocol", 0, "string", "tcp or udp (default \"tcp\")"}};
constexpr Flag kVersionFlags[] = {{"format", 'f', "string", "Format the output. Values: [pretty | json]. (Default: pretty)"}, {"short", 0, "", "Shows only Compose's version number"}};
constexpr Flag kVolumesFlags[] = {{"format", 0, "string", kFormatHelp}, {"quiet", 'q', "", "Only display volume names"}};
constexpr Column kPsColumns[] = {{"Command", "COMMAND"}, {"CreatedAt", "CREATED AT"}, {"ExitCode", "EXIT CODE"}, {"Health", "HEALTH"}, {"ID", "CONTAINER ID"}, {"Image", "IMAGE"}, {"Labels", "LABELS"},
                                 {"LocalVolumes", "LOCAL VOLUMES"}, {"Mounts", "MOUNTS"}, {"Name", "NAME"}, {"Names", "NAMES"}, {"Networks", "NETWORKS"}, {"Ports", "PORTS"}, {"Project", "PROJECT"},
                                 {"Publishers", "PUBLISHERS"}, {"RunningFor", "CREATED"}, {"Service", "SERVICE"}, {"Size", "SIZE"}, {"State", "STATE"}, {"Status", "STATUS"}};

/// Left-aligned columns, three blanks between them, as compose's own tables have.
std::string plain_table(const std::vector<std::vector<std::string>>& rows, std::size_t least) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(least);
      widths[i] = std::max(widths[i], row[i].size() + (least > 0 ? 4 : 2));
    }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - row[i].size(), ' ');
    }
    out += '\n';
  }
  return out;
}

json::Value publishers(const container::Row& row) {
  json::Array out;
  const auto settings = row.state.network.empty() ? Result<json::Value>(json::Value()) : json::parse(row.state.network);
  const auto* ports = settings ? settings->find("Ports") : nullptr;
  if (!ports || !ports->is_object()) return out;
  for (const auto& [name, bindings] : ports->as_object()) {
    const auto parts = split_once(name, '/');
    const auto target = parse_int(parts ? parts->first : std::string_view(name)).value_or(0);
    const std::string protocol(parts ? parts->second : "tcp");
    if (!bindings.is_array()) out.emplace_back(json::Object{{"URL", ""}, {"TargetPort", target}, {"PublishedPort", 0}, {"Protocol", protocol}});
    else
      for (const auto& binding : bindings.as_array())
        out.emplace_back(json::Object{{"URL", binding.string_or("HostIp")}, {"TargetPort", target}, {"PublishedPort", parse_int(binding.string_or("HostPort")).value_or(0)}, {"Protocol", protocol}});
  }
  return out;
}

Result<int> ps(Context& context) {
  const Args& args = context.args;
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto project = TRY(load_compose_or_containers(context, *engine));
  auto containers = TRY(containers_of(*engine, project, args.positionals(), args.flag("all")));
  auto states = args.list("status");
  for (const auto& filter : args.list("filter")) {
    if (!filter.starts_with("status=")) return failf(Errc::invalid_argument, "unknown filter {}: only status is known", quoted(filter));
    states.push_back(filter.substr(7));
  }
  std::erase_if(containers, [&](const auto& one) {
    if (!states.empty()) return std::ranges::count(states, word(one.row.state.status)) == 0;
    return !args.flag("all") && !engine::is_running(one.row);
  });
  if (args.flag("services")) {
    std::set<std::string> names;
    for (const auto& one : containers) names.insert(one.service);
    for (const auto& name : names) TRY(print(name + "\n"));
    return 0;
  }
  if (args.flag("quiet")) {
    for (const auto& one : containers) TRY(print(one.row.id + "\n"));
    return 0;
  }
  std::vector<json::Value> rows;
  for (const auto& one : containers) {
    const auto& row = one.row;
    const auto definition = TRY(container::from_document(row.definition));
    std::vector<std::string> labels, mounts;
    for (const auto& [key, value] : row.labels) labels.push_back(format("{}={}", key, value));
    std::size_t volumes = 0;
    for (const auto& point : definition.mount_points) {
      volumes += point.driver == "local";
      const std::string& name = point.name.empty() ? point.source : point.name;
      if (!name.empty()) mounts.push_back(name);
    }
    const bool full = args.flag("no-trunc");
    rows.push_back(json::Object{{"Command", "\"" + replace_all(full ? row.command : ellipsis(row.command, 20), "\"", "\\\"") + "\""}, {"CreatedAt", docker_time(Timestamp::from_seconds(row.created.seconds()))},
                                {"ExitCode", row.state.exit_code}, {"Health", engine::health_word(row.state)}, {"ID", full ? row.id : row.id.substr(0, kShortDigits)}, {"Image", row.image},
                                {"Labels", join(labels, ",")}, {"LocalVolumes", std::to_string(volumes)}, {"Mounts", join(mounts, ",")}, {"Name", row.name}, {"Names", row.name},
                                {"Networks", join(engine::network_names(definition), ",")}, {"Ports", row.state.ports}, {"Project", project.name}, {"Publishers", publishers(row)}, {"RunningFor", ago(row.created.ns)},
                                {"Service", one.service}, {"Size", "0B"}, {"State", std::string(word(row.state.status))}, {"Status", engine::status_text(row.state)}});
  }
  const ListStyle style{.table = "table {{.Name}}\t{{.Image}}\t{{.Command}}\t{{.Service}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}", .columns = kPsColumns, .type_name = "*formatter.ContainerContext"};
  const std::string text = TRY(render_list(style, args.text("format"), rows));
  TRY(print(text));
  return 0;
}

Result<int> ls(Context& context) {
  const Args& args = context.args;
  constexpr std::string_view kFilters[] = {"name"};
  const auto filters = TRY(engine::parse_filters(args.list("filter"), kFilters));
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto projects = TRY(compose::list_projects(*engine, args.flag("all")));
  std::vector<std::vector<std::string>> rows{{"NAME", "STATUS", "CONFIG FILES"}};
  json::Array list;
  for (const auto& project : projects) {
    if (const auto names = filters.find("name"); names != filters.end() && std::ranges::none_of(names->second, [&](const auto& name) { return project.name.find(name) != project.name.npos; })) continue;
    if (args.flag("quiet")) TRY(print(project.name + "\n"));
    rows.push_back({project.name, project.status, project.files});
    list.emplace_back(json::Object{{"Name", project.name}, {"Status", project.status}, {"ConfigFiles", project.files}});
  }
  if (args.flag("quiet")) return 0;
  TRY(print(args.text("format") == "json" ? json::write(list) + "\n" : plain_table(rows, 20)));
  return 0;
}

Result<int> images(Context& context) {
  const Args& args = context.args;
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto project = TRY(load_compose_or_containers(context, *engine));
  const auto containers = TRY(containers_of(*engine, project, args.positionals()));
  std::vector<std::vector<std::string>> rows{{"CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"}};
  json::Array list;
  std::set<std::string> ids;
  for (const auto& one : containers) {
    const auto id = oci::Digest::parse(one.row.image_id);
    if (!id) continue;
    const auto image = TRY(engine->images().find(oci::ImageId{*id}));
    if (!image) continue;
    const auto reference = oci::Reference::parse(one.row.image);
    const auto config = TRY(engine::read_config(*engine, image->id));
    ids.insert(id->str());
    rows.push_back({one.row.name, reference ? reference->familiar_name() : "<none>", reference ? reference->tag : "<none>", config.platform.str(), id->short_hex(), human_size(image->bytes), ago(image->created.ns)});
    list.emplace_back(json::Object{{"ID", id->str()}, {"ContainerName", one.row.name}, {"Repository", rows.back()[1]}, {"Tag", rows.back()[2]}, {"Platform", rows.back()[3]}, {"Size", image->bytes}});
  }
  if (args.flag("quiet")) {
    for (const auto& id : ids) TRY(print(id.substr(7) + "\n"));
    return 0;
  }
  TRY(print(args.text("format") == "json" ? json::write(list) + "\n" : plain_table(rows, 20)));
  return 0;
}

Result<int> top(Context& context) {
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto project = TRY(load_compose_or_containers(context, *engine));
  const auto containers = TRY(containers_of(*engine, project, context.args.positionals()));
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : containers) {
    if (!engine::is_running(one.row)) continue;
    auto processes = TRY(engine::container_top(*engine, one.row.id, {}));
    if (rows.empty()) {
      rows.push_back({"SERVICE", "#"});
      rows[0].insert(rows[0].end(), processes.titles.begin(), processes.titles.end());
    }
    for (auto& process : processes.rows) {
      process.insert(process.begin(), {one.service, std::to_string(one.number)});
      rows.push_back(std::move(process));
    }
  }
  TRY(print(plain_table(rows, 0)));
  return 0;
}

Result<int> port(Context& context) {
  const Args& args = context.args;
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto project = TRY(load_compose_or_containers(context, *engine));
  const auto one = TRY(container_of(*engine, project, args.positional(0), static_cast<int>(parse_int(args.text("index", "0")).value_or(0))));
  const auto wanted = parse_int(args.positional(1));
  if (!wanted) return failf(Errc::invalid_argument, "invalid port {}", quoted(args.positional(1)));
  const std::string protocol = args.text("protocol", "tcp");
  const auto list = publishers(one.row);
  for (const auto& port : list.as_array())
    if (port.int_or("TargetPort") == *wanted && port.string_or("Protocol") == protocol && port.int_or("PublishedPort") != 0) {
      TRY(print(format("{}:{}\n", port.string_or("URL"), port.int_or("PublishedPort"))));
      return 0;
    }
  return failf(Errc::not_found, "no port {}/{} for container {}", *wanted, protocol, one.row.name);
}

Result<int> version(Context& context) {
  const std::string kind = context.args.text("format");
  if (context.args.flag("short")) TRY(print(std::string(compose::kComposeVersion) + "\n"));
  else if (kind == "json") TRY(print(format("{{\"version\":\"v{}\"}}\n", compose::kComposeVersion)));
  else TRY(print(format("Docker Compose version v{} (mica)\n", compose::kComposeVersion)));
  return 0;
}

Result<int> volumes(Context& context) {
  auto engine = TRY(engine::Engine::open_for_reading(context.options));
  const auto project = TRY(load_compose_or_containers(context, *engine));
  const auto list = TRY(engine::list_volumes(*engine, {format("label={}={}", compose::kProjectLabel, project.name)}));
  constexpr Column kColumns[] = {{"Driver", "DRIVER"}, {"Name", "VOLUME NAME"}};
  std::vector<json::Value> rows;
  for (const auto& volume : list) rows.push_back(json::Object{{"Driver", volume.driver}, {"Name", volume.name}});
  const ListStyle style{.table = "table {{.Driver}}\t{{.Name}}", .columns = kColumns, .type_name = "*formatter.volumeContext"};
  const std::string text = TRY(render_list(style, context.args.flag("quiet") ? "{{.Name}}" : context.args.text("format"), rows));
  TRY(print(text));
  return 0;
}

}  // namespace

constinit const Command kComposePs{.usage = "[OPTIONS] [SERVICE...]", .summary = "List containers", .aliases = {}, .flags = kPsFlags, .least = 0, .run = ps};
constinit const Command kComposeLs{.usage = "[OPTIONS]", .summary = "List running compose projects", .aliases = {}, .flags = kLsFlags, .least = 0, .most = 0, .run = ls};
constinit const Command kComposeImages{.usage = "[OPTIONS] [SERVICE...]", .summary = "List images used by the created containers", .aliases = {}, .flags = kImagesFlags, .least = 0, .run = images};
constinit const Command kComposeTop{.usage = "[SERVICES...]", .summary = "Display the running processes", .aliases = {}, .flags = {}, .least = 0, .run = top};
constinit const Command kComposePort{.usage = "[OPTIONS] SERVICE PRIVATE_PORT", .summary = "Print the public port for a port binding", .aliases = {}, .flags = kPortFlags, .least = 2, .most = 2, .run = port};
constinit const Command kComposeVersion{.usage = "[OPTIONS]", .summary = "Show the Docker Compose version that mica follows", .aliases = {}, .flags = kVersionFlags, .least = 0, .most = 0, .needs = Needs::nothing, .run = version};
constinit const Command kComposeVolumes{.usage = "[OPTIONS] [SERVICE...]", .summary = "List volumes", .aliases = {}, .flags = kVolumesFlags, .least = 0, .run = volumes};

}  // namespace mica::cli
