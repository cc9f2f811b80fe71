/// `inspect -f`.
#pragma once
#include <string>

#include "cli/template.h"

namespace mica::cli {

/// First the typed object, then, when a field is unknown there, the JSON as a plain map with missing keys as errors: Docker's
/// order, which shows in what null and absent members print. `value` is an image as inspect_image() makes it.
/// Errors: invalid_argument, "template parsing error: ...".
Result<std::string> inspect_line(const Template& parsed, const json::Value& value);

}  // namespace mica::cli
