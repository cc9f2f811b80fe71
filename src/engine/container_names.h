/// Names of containers, and events about them.
#pragma once
#include <string>

#include "base/error.h"
#include "container/container_table.h"
#include "container/events.h"

namespace mica::engine {

/// "quiet_harbour"; from the third try on with a digit.
std::string random_container_name(int tries);
/// Errors: invalid_argument, in Docker's words.
Result<> check_container_name(const std::string& name);
/// With the attributes that events of containers have: image, name, labels.
container::Event container_event(const container::Row& row, std::string action, container::Pairs more = {});

}  // namespace mica::engine
