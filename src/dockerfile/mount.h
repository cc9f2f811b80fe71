/// What of a --mount value is checked before its variables are known. Internal to the module.
#pragma once
#include <string_view>

#include "base/error.h"

namespace mica::dockerfile {

/// Errors: invalid_argument (not CSV, a variable in `from`).
Result<> check_mount_form(std::string_view csv);

}  // namespace mica::dockerfile
