/// Verbs that take several names: each is done, failures are reported, the names that succeeded are printed.
#pragma once
#include <functional>
#include <string>

#include "cli/command.h"

namespace mica::cli {

/// The exit code: 0, or 1 when one failed. `work` returns what to print for a name; "" prints nothing.
Result<int> for_each_name(const Context& context, const std::function<Result<std::string>(const std::string& name)>& work);

}  // namespace mica::cli
