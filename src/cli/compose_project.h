/// The project that a verb of `compose` works on.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "compose/project.h"
#include "compose/up.h"

namespace mica::cli {

/// From the flags between `compose` and the verb; warnings go to standard error. `services`: those named behind the verb.
Result<compose::Project> load_compose(const Context& context, std::vector<std::string> services, bool without_dependencies = false);
/// The same where the files may be missing: then the project of this name (-p, COMPOSE_PROJECT_NAME) is known by its containers.
Result<compose::Project> load_compose_or_containers(const Context& context, engine::Engine& engine);
/// Lines on standard error, as docker compose prints them where there is no terminal; nothing with --progress quiet.
compose::Progress compose_progress(const Context& context);
/// Containers of the named services, or of all; errors: not_found ("no such service: X").
Result<std::vector<compose::ProjectContainer>> containers_of(engine::Engine& engine, const compose::Project& project, const std::vector<std::string>& services, bool one_offs = false);
/// One container by service and --index (0: the first). Errors: conflict ("service X is not running").
Result<compose::ProjectContainer> container_of(engine::Engine& engine, const compose::Project& project, const std::string& service, int index, bool running = true);
Result<std::optional<int>> timeout_of(const Args& args);
/// The same flags as a request.
compose::ProjectRequest compose_request(const Context& context);

}  // namespace mica::cli
