/// Linux capabilities by Docker's names.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace mica::runtime {

/// Capabilities of a container, as "CAP_..." names in kernel order: Docker's default fourteen (everything that this process may hand on
/// when `privileged`) without `drop`, and then with `add`, so that a name in both is there. `add` of ALL is everything that may be
/// handed on but `drop`; `drop` of ALL leaves `add` alone. Names with or without "CAP_", any case.
/// Errors: invalid_argument (no such capability, with a suggestion).
Result<std::vector<std::string>> container_capabilities(bool privileged, const std::vector<std::string>& add,
                                                        const std::vector<std::string>& drop);

/// The kernel's capability names, index = number.
std::vector<std::string_view> all_capabilities();

}  // namespace mica::runtime
