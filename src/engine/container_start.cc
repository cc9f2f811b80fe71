#include "engine/container_start.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "engine/containers.h"
#include "engine/extra_hosts.h"
#include "runtime/network.h"

namespace mica::engine {
namespace {

using container::Definition;

constexpr std::string_view kContainer = "container:";
constexpr std::size_t kMaxHostsBytes = 16 << 20;

bool has_own_network(const Definition& definition) { return definition.network_mode != "host" && !definition.network_mode.starts_with(kContainer); }

/// With -P, every exposed port gets a free one.
std::vector<container::PortBinding> published(const Definition& definition) {
  std::vector<container::PortBinding> ports = definition.ports;
  if (!definition.publish_all) return ports;
  for (const auto& exposed : definition.exposed_ports) {
    const auto parts = split_once(exposed, '/');
    const auto number = static_cast<std::uint16_t>(parse_int(parts ? parts->first : exposed).value_or(0));
    const std::string protocol(parts ? parts->second : "tcp");
    const bool known = std::any_of(ports.begin(), ports.end(), [&](const auto& port) { return port.container_port == number && port.protocol == protocol; });
    if (!known) ports.push_back({.container_port = number, .protocol = protocol});
  }
  return ports;
}

Result<container::Row> running_container(Engine& engine, std::string_view mode) {
  auto row = TRY(find_container(engine, mode.substr(kContainer.size())));
  if (!is_running(row) || row.state.pid == 0) return failf(Errc::conflict, "cannot join the namespace of a non running container: container {} is {}", row.name, container::word(row.state.status));
  return row;
}

Result<std::string> host_hosts(const Definition& definition) {
  runtime::HostNames extra;
  for (const auto& text : definition.extra_hosts) {
    auto host = TRY(parse_extra_host(text));
    extra.push_back(std::move(host));
  }
  return runtime::host_hosts_file(sys::read_file("/etc/hosts", kMaxHostsBytes).value_or(""), runtime::with_gateway(std::move(extra), nullptr));
}

}  // namespace

std::string container_log_path(const std::string& folder, const std::string& id) { return format("{}/{}-json.log", folder, id); }

Result<std::unique_ptr<container::ContainerNetwork>> join_container_network(Engine& engine, const container::Row& row, const Definition& definition, const std::string& folder,
                                                                            const task::Cancel& cancel) {
  if (!has_own_network(definition)) return nullptr;
  container::NetworkRequest request{.state_root = engine.root(), .folder = folder, .id = row.id, .name = row.name, .hostname = definition.hostname, .domainname = definition.domainname,
                                    .networks = {}, .ports = published(definition), .exposed = definition.exposed_ports, .dns = definition.dns, .dns_options = definition.dns_options, .dns_search = definition.dns_search,
                                    .extra_hosts = definition.extra_hosts};
  if (definition.network_mode != "none") {
    container::NetworkTable table(engine.database());
    std::vector<container::Endpoint> endpoints = definition.endpoints;
    if (endpoints.empty()) endpoints.push_back({.network = definition.network_mode == "default" ? "bridge" : definition.network_mode});
    for (auto& endpoint : endpoints) {
      auto network = TRY_DOING(table.resolve(endpoint.network == "default" ? "bridge" : endpoint.network), "failed to set up container networking");
      request.networks.emplace_back(std::move(network), std::move(endpoint));
    }
  }
  return TRY_DOING(container::join_networks(request, cancel), "failed to set up container networking");
}

Result<std::string> network_namespace(Engine& engine, const Definition& definition, const container::ContainerNetwork* network) {
  if (network) return network->namespace_path();
  return other_namespace(engine, definition.network_mode, "net");
}

Result<std::string> other_namespace(Engine& engine, const std::string& mode, std::string_view kind) {
  if (!mode.starts_with(kContainer)) return std::string();
  const auto row = TRY(running_container(engine, mode));
  return format("/proc/{}/ns/{}", row.state.pid, kind);
}

Result<> add_etc_files(Engine& engine, const Definition& definition, const container::ContainerNetwork* network, const std::string& folder,
                       std::vector<runtime::BindMount>& mounts) {
  std::string from = folder;
  if (definition.network_mode.starts_with(kContainer)) {
    const auto other = TRY(running_container(engine, definition.network_mode));
    from = container_folder(engine, other.id);
  } else if (network) {
    TRY(sys::write_file(folder + "/resolv.conf", network->resolv_conf()));
    TRY(sys::write_file(folder + "/hosts", network->hosts()));
  } else {
    const std::string resolv = TRY(runtime::resolv_conf(definition.dns, true));
    const std::string hosts = TRY(host_hosts(definition));
    TRY(sys::write_file(folder + "/resolv.conf", resolv));
    TRY(sys::write_file(folder + "/hosts", hosts));
  }
  if (from == folder) TRY(sys::write_file(folder + "/hostname", definition.hostname + "\n"));
  for (const char* name : {"resolv.conf", "hostname", "hosts"}) {
    const std::string target = std::string("/etc/") + name;
    const bool taken = std::any_of(mounts.begin(), mounts.end(), [&](const auto& mount) { return mount.destination == target; });
    if (!taken) mounts.push_back({.source = from + "/" + name, .destination = target, .read_only = definition.read_only, .recursive = false});
  }
  return {};
}

std::vector<std::string> health_command(const Definition& definition) {
  std::vector<std::string> test = definition.healthcheck ? definition.healthcheck->test : std::vector<std::string>();
  if (test.empty()) return {};
  const bool shell = test[0] == "CMD-SHELL";
  test.erase(test.begin());
  if (!shell) return test;
  std::vector<std::string> command = definition.shell.empty() ? std::vector<std::string>{"/bin/sh", "-c"} : definition.shell;
  command.insert(command.end(), test.begin(), test.end());
  return command;
}

}  // namespace mica::engine
