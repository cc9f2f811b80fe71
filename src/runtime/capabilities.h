/// Linux capabilities by Docker's names.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace mica::runtime {

/// Capabilities of a container, as "CAP_..." names in kernel order: Docker's default fourteen (everything we hold when
/// `privileged`), plus `add`, minus `drop`; "ALL" in either; names with or without "CAP_", any case. What an `add` of ALL gives is
/// limited to what this process itself may hand on.
/// Errors: invalid_argument (no such capability, with a suggestion).
Result<std::vector<std::string>> container_capabilities(bool privileged, const std::vector<std::string>& add,
                                                        const std::vector<std::string>& drop);

/// The kernel's capability names, index = number.
std::vector<std::string_view> all_capabilities();

}  // namespace mica::runtime
