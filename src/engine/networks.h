/// Networks that users make: their rows, who is in them, joining and leaving while a container runs. What they are on the machine is made with
/// their first running container and goes with their last (container/network_bridge.h).
#pragma once
#include <string>
#include <vector>

#include "container/network_table.h"
#include "engine/engine.h"
#include "task/task.h"

namespace mica::engine {

/// `wanted` has name, driver, subnets (none: one is chosen), options, labels and switches; id, time and interface are filled in.
/// Errors: conflict (the name, or a subnet that overlaps with another network or a route of the machine), invalid_argument, unsupported (driver, option).
Result<container::NetworkRow> make_network(Engine& engine, container::NetworkRow wanted, const task::Cancel& cancel);
/// By name or id. Errors: not_found, permission_denied (predefined), conflict (a container that runs is in it).
Result<container::NetworkRow> remove_network(Engine& engine, std::string_view name, const task::Cancel& cancel);
struct PruneNetworks {
  std::vector<std::string> filters;                     ///< until=, label=, label!=
};
/// Those of the user that no container mentions; their names.
Result<std::vector<std::string>> prune_networks(Engine& engine, const PruneNetworks& request, const task::Cancel& cancel);

/// The container keeps the network for its next starts; one that runs joins at once. Errors: not_found, conflict (it is in it, it runs on the host's network, the
/// address is taken).
Result<> connect_network(Engine& engine, std::string_view network, std::string_view container, container::Endpoint endpoint, const task::Cancel& cancel);
/// `force`: a container that is not in it is no error.
Result<> disconnect_network(Engine& engine, std::string_view network, std::string_view container, bool force, const task::Cancel& cancel);

/// Docker's object (GET /networks/ID).
Result<json::Value> inspect_network(Engine& engine, const container::NetworkRow& network);
/// Filters: driver, id, label, name, scope, type=custom|builtin, dangling, as Docker has them. Errors: invalid_argument ("invalid filter 'x'").
Result<std::vector<container::NetworkRow>> list_networks(Engine& engine, const std::vector<std::string>& filters);

}  // namespace mica::engine
