/// `compose up` and its parts: networks and volumes made, containers made or kept, started in the order of what they depend on, stopped and removed the other way.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compose/project.h"
#include "compose/state.h"

namespace mica::compose {

/// "Container", "p-web-1", "Started". From any thread, one at a time.
using Progress = std::function<void(const std::string& kind, const std::string& name, const std::string& state)>;

struct UpRequest {
  std::vector<std::string> services;                     ///< empty: all; what they need comes along
  std::map<std::string, int> scale;
  bool force_recreate = false, no_recreate = false, no_dependencies = false, always_recreate_dependencies = false;
  bool renew_volumes = false;                            ///< anonymous volumes are not carried over
  bool remove_orphans = false;
  std::optional<int> timeout;                            ///< seconds, of stops
};
/// Names of the services that a request is about, each after those it depends on.
std::vector<std::string> selected(const Project& project, const std::vector<std::string>& services, bool no_dependencies);

/// Makes networks, volumes and containers, and replaces containers that are not as the model says. Images must be here. `warn` hears of orphans.
/// Errors: those of the engine, with the container's name; cancelled.
Result<> create_all(engine::Engine& engine, const Project& project, const UpRequest& request, const Progress& progress, const std::function<void(std::string_view)>& warn, const task::Cancel& cancel);
/// Starts what does not run. A service starts when its dependencies are as far as their conditions say. Errors: unavailable ("dependency failed to start: container X is unhealthy").
Result<> start_all(engine::Engine& engine, const Project& project, const std::vector<std::string>& services, const Progress& progress, const task::Cancel& cancel);
/// --wait: until all run, and are healthy where they have a health check. `seconds` 0: for ever. Errors: unavailable.
Result<> wait_until_up(engine::Engine& engine, const Project& project, const std::vector<std::string>& services, int seconds, const Progress& progress, const task::Cancel& cancel);

/// Dependents first. Without services: all, orphans and one-offs too when `everything`.
Result<> stop_all(engine::Engine& engine, const Project& project, const std::vector<std::string>& services, std::optional<int> timeout, const Progress& progress, const task::Cancel& cancel);

struct DownRequest {
  std::vector<std::string> services;
  bool remove_orphans = false, volumes = false;
  std::string images;                                    ///< "", "local", "all"
  std::optional<int> timeout;
};
/// Stops and removes containers, then networks, and volumes and images where asked. Returns false when there was nothing.
Result<bool> remove_all(engine::Engine& engine, const Project& project, const DownRequest& request, const Progress& progress, const task::Cancel& cancel);

/// Runs `work` for each at the same time; the first error in their order.
Result<> each_at_once(const std::vector<ProjectContainer>& containers, const std::function<Result<>(const ProjectContainer&)>& work);

}  // namespace mica::compose
