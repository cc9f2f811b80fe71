/// The project that a verb of `compose` works on.
#pragma once
#include <string>
#include <vector>

#include "cli/command.h"
#include "compose/project.h"

namespace mica::cli {

/// From the flags between `compose` and the verb; warnings go to standard error. `services`: those named behind the verb.
Result<compose::Project> load_compose(const Context& context, std::vector<std::string> services, bool without_dependencies = false);
/// The same flags as a request.
compose::ProjectRequest compose_request(const Context& context);

}  // namespace mica::cli
