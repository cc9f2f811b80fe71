/// The processes of running containers, as the machine sees them.
#pragma once
#include <string>
#include <vector>

#include "engine/engine.h"

namespace mica::engine {

/// Process ids, ascending. Errors: conflict when it does not run.
Result<std::vector<int>> container_pids(Engine& engine, std::string_view name);

struct Processes {
  std::vector<std::string> titles;
  std::vector<std::vector<std::string>> rows;           ///< as many fields as titles
};
/// What the machine's `ps` (procps) with `arguments` (none: -ef) says about them. Errors: conflict, unsupported (no ps), invalid_argument (no PID column; ps's own words).
Result<Processes> container_top(Engine& engine, std::string_view name, const std::vector<std::string>& arguments);

}  // namespace mica::engine
