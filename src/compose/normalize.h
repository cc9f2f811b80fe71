/// What a compose model means without saying it: default networks, names, dependencies that links imply, environments from files.
#pragma once
#include "compose/project.h"
#include "engine/compose_variables.h"

namespace mica::compose {

/// network_mode, ipc, pid of another service, links and volumes_from mean depends_on.
void imply_dependencies(json::Value& model);
/// env_file and label_file become part of environment and labels; keys without a value get this process's, or stay empty. Errors: not_found (a file that is required).
Result<> resolve_environment(Project& project, const engine::ComposeVariables& variables);
/// Default networks and names; what no active service uses goes.
void normalize(Project& project);
/// The model with the members that `config` prints first: name, services, networks...
json::Value in_order_of_files(const Project& project);

}  // namespace mica::compose
