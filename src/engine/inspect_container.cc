// Docker's object of a container: the order of members and what is null or empty are dockerd's.
#include "engine/container_list.h"
#include "engine/containers.h"
#include "container/network_table.h"
#include "container/port_text.h"
#include "engine/container_start.h"
#include "snapshot/container_root.h"

namespace mica::engine {
namespace {

using container::Definition;
using container::Row;
using container::Status;
using json::Object;
using json::Value;

constexpr const char* kNoTime = "0001-01-01T00:00:00Z";

std::string time_text(const std::optional<Timestamp>& time) { return time ? rfc3339(*time) : kNoTime; }

Value state_json(const container::State& state) {
  Value out(Object{{"Status", std::string(word(state.status))},
                   {"Running", is_running({.state = state})},
                   {"Paused", state.status == Status::paused},
                   {"Restarting", state.status == Status::restarting},
                   {"OOMKilled", state.oom_killed},
                   {"Dead", state.status == Status::dead},
                   {"Pid", state.pid},
                   {"ExitCode", state.exit_code},
                   {"Error", state.error},
                   {"StartedAt", time_text(state.started)},
                   {"FinishedAt", time_text(state.finished)}});
  if (!state.health.empty())
    if (auto health = json::parse(state.health)) out.set("Health", std::move(*health));
  return out;
}

/// What a container that does not run would join.
Value idle_networks(Engine& engine, const Definition& definition) {
  Object networks;
  container::NetworkTable table(engine.database());
  for (const auto& name : network_names(definition)) {
    const auto network = table.resolve(name);
    const auto endpoint = std::find_if(definition.endpoints.begin(), definition.endpoints.end(), [&](const auto& one) { return one.network == name; });
    const bool known = endpoint != definition.endpoints.end();
    Object ipam;
    if (known && !endpoint->ipv4.empty()) ipam.emplace_back("IPv4Address", endpoint->ipv4);
    if (known && !endpoint->ipv6.empty()) ipam.emplace_back("IPv6Address", endpoint->ipv6);
    networks.emplace_back(name, Object{{"IPAMConfig", ipam.empty() ? Value() : Value(std::move(ipam))},
                                       {"Links", known && !endpoint->links.empty() ? json::from(endpoint->links) : Value()},
                                       {"Aliases", known && !endpoint->aliases.empty() ? json::from(endpoint->aliases) : Value()},
                                       {"MacAddress", ""},
                                       {"DriverOpts", Value()},
                                       {"GwPriority", known ? endpoint->gateway_priority : 0},
                                       {"NetworkID", network ? network->id : ""},
                                       {"EndpointID", ""},
                                       {"Gateway", ""},
                                       {"IPAddress", ""},
                                       {"IPPrefixLen", 0},
                                       {"IPv6Gateway", ""},
                                       {"GlobalIPv6Address", ""},
                                       {"GlobalIPv6PrefixLen", 0},
                                       {"DNSNames", Value()}});
  }
  return networks;
}

Value network_settings(Engine& engine, const Row& row, const Definition& definition) {
  if (!row.state.network.empty())
    if (auto settings = json::parse(row.state.network)) return std::move(*settings);
  const bool runs = is_running(row);
  return Object{{"Bridge", ""},
                {"SandboxID", ""},
                {"SandboxKey", ""},
                {"Ports", runs ? container::ports_json({}, definition.exposed_ports) : Value(Object{})},
                {"HairpinMode", false},
                {"LinkLocalIPv6Address", ""},
                {"LinkLocalIPv6PrefixLen", 0},
                {"SecondaryIPAddresses", Value()},
                {"SecondaryIPv6Addresses", Value()},
                {"EndpointID", ""},
                {"Gateway", ""},
                {"GlobalIPv6Address", ""},
                {"GlobalIPv6PrefixLen", 0},
                {"IPAddress", ""},
                {"IPPrefixLen", 0},
                {"IPv6Gateway", ""},
                {"MacAddress", ""},
                {"Networks", idle_networks(engine, definition)}};
}

Value graph_driver(Engine& engine, const Row& row, const std::string& folder) {
  std::string lower;
  for (auto layer = row.layers.rbegin(); layer != row.layers.rend(); ++layer) lower += (lower.empty() ? "" : ":") + engine.layers().directory(*layer);
  Object data{{"ID", row.id}};
  if (snapshot::has_overlay_changes(folder)) data.emplace_back("LowerDir", lower);
  data.emplace_back("MergedDir", folder + "/merged");
  data.emplace_back("UpperDir", folder + "/fs");
  data.emplace_back("WorkDir", folder + "/work");
  return Object{{"Data", std::move(data)}, {"Name", snapshot::has_overlay_changes(folder) ? "overlay2" : "vfs"}};
}

}  // namespace

Result<Value> inspect_container(Engine& engine, const Row& row, bool with_size) {
  const auto definition = TRY(container::from_document(row.definition));
  const std::string folder = container_folder(engine, row.id);
  std::vector<std::string> words = definition.entrypoint.value_or(std::vector<std::string>());
  if (definition.cmd) words.insert(words.end(), definition.cmd->begin(), definition.cmd->end());
  const std::string path = words.empty() ? "" : words[0];
  if (!words.empty()) words.erase(words.begin());
  Value out(Object{{"Id", row.id},
                   {"Created", rfc3339(row.created)},
                   {"Path", path},
                   {"Args", json::from(words)},
                   {"State", state_json(row.state)},
                   {"Image", row.image_id},
                   {"ResolvConfPath", folder + "/resolv.conf"},
                   {"HostnamePath", folder + "/hostname"},
                   {"HostsPath", folder + "/hosts"},
                   {"LogPath", definition.log_driver == "none" ? "" : container_log_path(folder, row.id)},
                   {"Name", "/" + row.name},
                   {"RestartCount", row.state.restart_count},
                   {"Driver", snapshot::has_overlay_changes(folder) ? "overlay2" : "vfs"},
                   {"Platform", "linux"},
                   {"MountLabel", ""},
                   {"ProcessLabel", ""},
                   {"AppArmorProfile", ""},
                   {"ExecIDs", Value()},
                   {"HostConfig", container::host_config_json(definition)},
                   {"GraphDriver", graph_driver(engine, row, folder)}});
  if (with_size) {
    const std::int64_t own = container_size(engine, row.id);
    std::int64_t all = own;
    if (const auto id = oci::Digest::parse(row.image_id))
      if (const auto image = engine.images().find(oci::ImageId{*id}); image && *image) all += (*image)->bytes;
    out.set("SizeRw", own);
    out.set("SizeRootFs", all);
  }
  out.set("Mounts", container::mounts_json(definition));
  out.set("Config", container::config_json(definition));
  out.set("NetworkSettings", network_settings(engine, row, definition));
  return out;
}

}  // namespace mica::engine
