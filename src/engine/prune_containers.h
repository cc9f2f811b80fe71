/// `container prune`.
#pragma once
#include <string>
#include <vector>

#include "engine/engine.h"
#include "task/task.h"

namespace mica::engine {

struct PrunedContainers {
  std::vector<std::string> ids;
  std::int64_t bytes = 0;
};
/// All that do not run. Filters: until, label, label!. Errors: invalid_argument.
Result<PrunedContainers> prune_containers(Engine& engine, const std::vector<std::string>& filters, const task::Cancel& cancel);

}  // namespace mica::engine
