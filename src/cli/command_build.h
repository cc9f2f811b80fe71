/// `build`.
#pragma once
#include "cli/command.h"

namespace mica::cli {

int command_build(Context& context);

}  // namespace mica::cli
