/// `build`.
#pragma once
#include "cli/command.h"
#include "engine/build_image.h"

namespace mica::cli {

/// The request that the flags make. Errors: invalid_argument, unsupported, not_found (secrets, keys).
Result<engine::BuildImage> build_request(const Args& args);
Result<int> command_build(Context& context);

}  // namespace mica::cli
