#include "engine/networks.h"

#include <algorithm>

#include "base/format.h"
#include "base/sha256.h"
#include "base/text.h"
#include "container/events.h"
#include "container/network_bridge.h"
#include "container/network_subnets.h"
#include "container/network_sweep.h"
#include "engine/containers.h"
#include "engine/filters.h"

namespace mica::engine {
namespace {

using container::NetworkRow;

constexpr std::size_t kIdBytes = 32, kBridgeDigits = 12;
constexpr std::string_view kPruneFilters[] = {"until", "label", "label!"};
constexpr std::string_view kListFilters[] = {"driver", "id", "label", "name", "scope", "type", "dangling"};

void tell(Engine& engine, const NetworkRow& network, std::string action, container::Pairs more = {}) {
  more.emplace_back("name", network.name);
  more.emplace_back("type", network.driver);
  container::record_event(engine.root(), {.type = "network", .action = std::move(action), .id = network.id, .attributes = std::move(more), .time = {}});
}

/// The container's object in NetworkSettings.Networks, while it runs.
std::optional<json::Value> place_of(const container::Row& row, const NetworkRow& network) {
  if (!is_running(row) || row.state.network.empty()) return std::nullopt;
  const auto settings = json::parse(row.state.network);
  const json::Value* networks = settings ? settings->find("Networks") : nullptr;
  if (!networks || !networks->is_object()) return std::nullopt;
  for (const auto& [name, place] : networks->as_object())
    if (place.string_or("NetworkID") == network.id) return place;
  return std::nullopt;
}

bool is_of(const container::Endpoint& endpoint, const NetworkRow& network) {
  return endpoint.network == network.name || endpoint.network == network.id || (endpoint.network == "default" && container::is_default_bridge(network));
}

/// The definition's endpoints, with the one that is not written when a container has only its default network.
void spell_out(container::Definition& definition) {
  if (!definition.endpoints.empty() || definition.network_mode == "none") return;
  definition.endpoints.push_back({.network = definition.network_mode == "default" ? "bridge" : definition.network_mode});
}

std::string with_prefix(const std::string& address, std::int64_t bits) { return address.empty() ? std::string() : format("{}/{}", address, bits); }

json::Value pairs(const container::Pairs& from) {
  json::Object out;
  for (const auto& [key, value] : from) out.emplace_back(key, value);
  std::ranges::sort(out, {}, [](const auto& one) { return one.first; });
  return out;
}

json::Value subnets(const NetworkRow& network) {
  json::Array out;
  for (const auto& one : network.subnets) {
    json::Object subnet{{"Subnet", one.subnet}};
    if (!one.ip_range.empty()) subnet.emplace_back("IPRange", one.ip_range);
    if (!one.gateway.empty()) subnet.emplace_back("Gateway", one.gateway);
    if (!one.auxiliary.empty()) subnet.emplace_back("AuxiliaryAddresses", pairs(one.auxiliary));
    out.emplace_back(std::move(subnet));
  }
  return out;
}

}  // namespace

Result<NetworkRow> make_network(Engine& engine, NetworkRow wanted, const task::Cancel& cancel) {
  if (wanted.name.empty()) return fail(Errc::invalid_argument, "invalid name: name is empty");
  if (wanted.name.find('/') != wanted.name.npos) return failf(Errc::invalid_argument, "invalid network name {}: a slash is not allowed", quoted(wanted.name));
  if (container::is_predefined(wanted)) return failf(Errc::permission_denied, "operation is not permitted on predefined {} network", wanted.name);
  constexpr std::string_view kDrivers[] = {"bridge", "macvlan", "ipvlan"};
  if (wanted.driver == "host" || wanted.driver == "null") return failf(Errc::permission_denied, "only one instance of \"{}\" network is allowed", wanted.driver);
  if (std::ranges::find(kDrivers, wanted.driver) == std::end(kDrivers)) return fail(Error(Errc::not_found, format("plugin \"{}\" not found", wanted.driver)).with_hint("the drivers are bridge, macvlan and ipvlan"));
  TRY(container::check_options(wanted));
  wanted.id = random_hex(kIdBytes);
  wanted.created = now();
  if (wanted.driver == "bridge") {
    wanted.interface = container::option(wanted.options, "com.docker.network.bridge.name");
    if (wanted.interface.empty()) wanted.interface = "br-" + wanted.id.substr(0, kBridgeDigits);
  }
  const std::string folder = TRY(container::network_folder(engine.root()));
  auto lock = TRY(container::lock_ground(folder, cancel));
  const auto ground = TRY(container::open_ground(folder, false));
  container::NetworkTable table(engine.database());
  const auto rows = TRY(table.list());
  if (std::ranges::count(rows, wanted.name, &NetworkRow::name)) return failf(Errc::conflict, "network with name {} already exists", wanted.name);
  TRY(container::claim_subnets(ground, engine.root(), rows, wanted));
  auto inserted = table.insert(wanted);
  if (!inserted) {
    (void)container::release_subnets(ground, wanted.id);
    return fail(std::move(inserted).error());
  }
  tell(engine, wanted, "create");
  return wanted;
}

Result<NetworkRow> remove_network(Engine& engine, std::string_view name, const task::Cancel& cancel) {
  container::NetworkTable table(engine.database());
  auto network = TRY(table.resolve(name));
  if (container::is_predefined(network)) return failf(Errc::permission_denied, "{} is a pre-defined network and cannot be removed", network.name);
  const std::string folder = TRY(container::network_folder(engine.root()));
  auto lock = TRY(container::lock_ground(folder, cancel));
  const auto ground = TRY(container::open_ground(folder, false));
  const auto rows = TRY(list_containers(engine));
  std::string users;
  for (const auto& row : rows)
    if (const auto place = place_of(row, network)) users += format("{}name:\"{}\" id:\"{}\"", users.empty() ? "" : " ", row.name, place->string_or("EndpointID").substr(0, kBridgeDigits));
  if (!users.empty())
    return failf(Errc::conflict, "error while removing network: network {} has active endpoints ({})", network.name, users);
  TRY(table.remove(network.id));
  container::remove_unused_bridge(ground, ground.folder_of(network));
  TRY(container::release_subnets(ground, network.id));
  tell(engine, network, "destroy");
  return network;
}

Result<std::vector<std::string>> prune_networks(Engine& engine, const PruneNetworks& request, const task::Cancel& cancel) {
  const auto filters = TRY(parse_filters(request.filters, kPruneFilters));
  const auto until = TRY(until_of(filters));
  const auto networks = TRY(container::NetworkTable(engine.database()).list());
  const auto rows = TRY(list_containers(engine, true));
  std::vector<std::string> removed;
  for (const auto& network : networks) {
    if (container::is_predefined(network) || (until && network.created.ns > until->ns) || !labels_match(filters, network.labels)) continue;
    bool used = false;
    for (const auto& row : rows) {
      auto definition = TRY(container::from_document(row.definition));
      spell_out(definition);
      used = used || std::ranges::any_of(definition.endpoints, [&](const auto& endpoint) { return is_of(endpoint, network); });
    }
    if (used) continue;
    if (remove_network(engine, network.id, cancel)) removed.push_back(network.name);
  }
  TRY(container::sweep_networks(engine.root(), cancel));
  return removed;
}

Result<> connect_network(Engine& engine, std::string_view name, std::string_view container, container::Endpoint endpoint, const task::Cancel& cancel) {
  (void)cancel;
  auto row = TRY(find_container(engine, container));
  const auto network = TRY(container::NetworkTable(engine.database()).resolve(name));
  auto definition = TRY(container::from_document(row.definition));
  if (network.driver == "host") return fail(Errc::invalid_argument, "cannot connect container to host network - container must be created in host network mode");
  if (definition.network_mode == "host") return fail(Errc::invalid_argument, "container sharing network namespace with another container or host cannot be connected to any other network");
  if (definition.network_mode.starts_with("container:")) return fail(Errc::invalid_argument, "container sharing network namespace with another container or host cannot be connected to any other network");
  if (definition.network_mode == "none" || network.driver == "null") return fail(Errc::invalid_argument, "container cannot be connected to multiple networks with one of the networks in private (none) mode");
  spell_out(definition);
  if (std::ranges::any_of(definition.endpoints, [&](const auto& one) { return is_of(one, network); }))
    return failf(Errc::conflict, "endpoint with name {} already exists in network {}", row.name, network.name);
  endpoint.network = network.name;
  const std::string before = row.definition;
  definition.endpoints.push_back(std::move(endpoint));
  container::ContainerTable table(engine.database());
  TRY(table.set_definition(row.id, container::to_document(definition)));
  if (is_running(row)) {
    auto joined = ask_monitor(engine, row.id, json::Object{{"connect", json::Object{{"network", network.id}}}});
    if (!joined) {
      TRY(table.set_definition(row.id, before));
      return fail(std::move(joined).error());
    }
  }
  tell(engine, network, "connect", {{"container", row.id}});
  return {};
}

Result<> disconnect_network(Engine& engine, std::string_view name, std::string_view container, bool force, const task::Cancel& cancel) {
  (void)cancel;
  auto row = TRY(find_container(engine, container));
  const auto network = TRY(container::NetworkTable(engine.database()).resolve(name));
  auto definition = TRY(container::from_document(row.definition));
  if (definition.network_mode == "host" || network.driver == "host") return fail(Errc::invalid_argument, "container cannot be disconnected from host network or connected to host network");
  spell_out(definition);
  const auto gone = std::erase_if(definition.endpoints, [&](const auto& one) { return is_of(one, network); });
  if (gone == 0) {
    if (force) return {};
    return failf(Errc::invalid_argument, "container {} is not connected to network {}", row.id, network.name);
  }
  // The container's mode names its first network; without any, it is on none.
  if (definition.endpoints.empty()) definition.network_mode = "none";
  else if (is_of({.network = definition.network_mode}, network)) definition.network_mode = definition.endpoints[0].network;
  TRY(container::ContainerTable(engine.database()).set_definition(row.id, container::to_document(definition)));
  if (is_running(row)) TRY(ask_monitor(engine, row.id, json::Object{{"disconnect", json::Object{{"network", network.id}}}}));
  tell(engine, network, "disconnect", {{"container", row.id}});
  return {};
}

Result<json::Value> inspect_network(Engine& engine, const NetworkRow& network) {
  const auto rows = TRY(list_containers(engine));
  json::Object containers;
  for (const auto& row : rows) {
    const auto place = place_of(row, network);
    if (!place) continue;
    const auto v4 = with_prefix(place->string_or("IPAddress"), place->int_or("IPPrefixLen"));
    const auto v6 = with_prefix(place->string_or("GlobalIPv6Address"), place->int_or("GlobalIPv6PrefixLen"));
    containers.emplace_back(row.id, json::Object{{"Name", row.name}, {"EndpointID", place->string_or("EndpointID")}, {"MacAddress", place->string_or("MacAddress")}, {"IPv4Address", v4}, {"IPv6Address", v6}});
  }
  std::ranges::sort(containers, {}, [](const auto& one) { return one.first; });
  NetworkRow shown = network;
  if (container::is_default_bridge(network)) {
    const std::string folder = TRY(container::network_folder(engine.root()));
    const auto ground = TRY(container::open_ground(folder, false));
    auto subnet = TRY(container::default_subnet(ground, network.interface));
    shown.subnets = {std::move(subnet)};
  }
  return json::Object{{"Name", network.name},
                      {"Id", network.id},
                      {"Created", rfc3339(network.created)},
                      {"Scope", "local"},
                      {"Driver", network.driver},
                      {"EnableIPv4", network.ipv4},
                      {"EnableIPv6", network.ipv6},
                      {"IPAM", json::Object{{"Driver", network.ipam_driver}, {"Options", container::is_predefined(network) ? json::Value() : pairs(network.ipam_options)}, {"Config", subnets(shown)}}},
                      {"Internal", network.internal},
                      {"Attachable", network.attachable},
                      {"Ingress", false},
                      {"ConfigFrom", json::Object{{"Network", ""}}},
                      {"ConfigOnly", false},
                      {"Containers", std::move(containers)},
                      {"Options", pairs(network.options)},
                      {"Labels", pairs(network.labels)}};
}

Result<std::vector<NetworkRow>> list_networks(Engine& engine, const std::vector<std::string>& texts) {
  const auto filters = TRY(parse_filters(texts, kListFilters));
  const auto dangling = TRY(boolean_of(filters, "dangling"));
  auto all = TRY(container::NetworkTable(engine.database()).list());
  std::vector<std::string> used;
  if (dangling) {
    const auto rows = TRY(list_containers(engine));
    for (const auto& network : all)
      if (std::ranges::any_of(rows, [&](const auto& row) { return place_of(row, network).has_value(); })) used.push_back(network.id);
  }
  std::erase_if(all, [&](const NetworkRow& network) {
    const bool builtin = container::is_predefined(network);
    const auto any = [&](std::string_view key, const auto& matches) {
      const auto values = filters.find(std::string(key));
      return values == filters.end() || std::ranges::any_of(values->second, matches);
    };
    return !any("driver", [&](const auto& value) { return value == network.driver; }) || !any("id", [&](const auto& value) { return network.id.starts_with(value); }) ||
           !any("name", [&](const auto& value) { return network.name.find(value) != network.name.npos; }) || !any("scope", [](const auto& value) { return value == "local"; }) ||
           !any("type", [&](const auto& value) { return value == (builtin ? "builtin" : "custom"); }) ||
           (dangling && *dangling != (!builtin && !std::ranges::count(used, network.id))) || !labels_match(filters, network.labels);
  });
  return all;
}

}  // namespace mica::engine
