/// Parts of starting a container that need other containers, networks or the machine's files.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "container/container_network.h"
#include "container/container_table.h"
#include "container/definition.h"
#include "engine/engine.h"
#include "runtime/spec.h"

namespace mica::engine {

/// containers/<id>/<id>-json.log
std::string container_log_path(const std::string& folder, const std::string& id);
/// Null for the host's network and another container's; `none` has a namespace of its own with nothing in it. Errors: those of
/// container::join_networks, not_found (network).
Result<std::unique_ptr<container::ContainerNetwork>> join_container_network(Engine& engine, const container::Row& row, const container::Definition& definition,
                                                                            const std::string& folder, const task::Cancel& cancel);
/// Path of the namespace to run in: our own network's, another container's; "" for the machine's.
Result<std::string> network_namespace(Engine& engine, const container::Definition& definition, const container::ContainerNetwork* network);
/// "container:ID" as /proc/PID/ns/<kind>; "" for any other mode. Errors: conflict when that one does not run.
Result<std::string> other_namespace(Engine& engine, const std::string& mode, std::string_view kind);
/// /etc/resolv.conf, /etc/hosts and /etc/hostname, in `folder`, added to `mounts` unless those are mounted over already.
Result<> add_etc_files(Engine& engine, const container::Definition& definition, const container::ContainerNetwork* network,
                       const std::string& folder, std::vector<runtime::BindMount>& mounts);
/// The command of the health check, with the shell for CMD-SHELL.
std::vector<std::string> health_command(const container::Definition& definition);

}  // namespace mica::engine
