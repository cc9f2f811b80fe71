/// The values of --add-host.
#pragma once
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace mica::engine {

/// "NAME=IP" or "NAME:IP": name and address. The address may stand in brackets, and may be runtime::kHostGateway.
/// Errors: invalid_argument, in Docker's words.
Result<std::pair<std::string, std::string>> parse_extra_host(std::string_view text);

}  // namespace mica::engine
