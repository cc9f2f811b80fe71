/// Changing containers that are there: name, limits, restart policy.
#pragma once
#include <functional>
#include <string>

#include "container/definition.h"
#include "engine/engine.h"

namespace mica::engine {

/// Errors: not_found, conflict (the name is taken, or its own), invalid_argument.
Result<> rename_container(Engine& engine, std::string_view name, std::string new_name);
/// `change` edits the definition's limits and restart policy. One that runs gets the limits at once. Errors: not_found, those of `change`, unavailable (the runtime's words).
Result<> update_container(Engine& engine, std::string_view name, const std::function<Result<>(container::Definition&)>& change);

}  // namespace mica::engine
