/// `inspect -f`.
#pragma once
#include <string>

#include "cli/template.h"

namespace mica::cli {

enum class Inspected { image, container, network, volume };

/// First the typed object, then, when a field is unknown there, the JSON as a plain map with missing keys as errors: Docker's
/// order, which shows in what null and absent members print. `value` is one as `inspect` prints it.
/// Errors: invalid_argument, "template parsing error: ...".
Result<std::string> inspect_line(const Template& parsed, const json::Value& value, Inspected kind);

}  // namespace mica::cli
