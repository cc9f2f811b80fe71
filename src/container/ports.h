/// Ports as people write them: --publish, --expose, and compose's short form.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "container/definition.h"

namespace mica::container {

/// [IP:][HOST]:CONTAINER[/PROTOCOL], or CONTAINER alone; ranges on both sides. Several for a range. Errors: invalid_argument in Docker's words.
Result<std::vector<PortBinding>> parse_publish(std::string_view text);
/// PORT[-PORT][/PROTOCOL]: "80/tcp", one for each.
Result<std::vector<std::string>> parse_expose(std::string_view text);

}  // namespace mica::container
