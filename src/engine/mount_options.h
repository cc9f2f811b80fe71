/// -v, --mount and --tmpfs as people write them.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "container/definition.h"

namespace mica::engine {

/// [SOURCE:]TARGET[:OPTIONS]; a source with a slash, "." or "~" is a path, relative to `folder`; without a source the volume is anonymous.
/// Errors: invalid_argument, in Docker's words.
Result<container::MountRequest> parse_volume_flag(std::string_view text, const std::string& folder);
/// type=bind|volume|tmpfs|image,source=...,target=...,readonly,...
Result<container::MountRequest> parse_mount_flag(std::string_view text, const std::string& folder);
/// TARGET[:OPTIONS]
Result<container::MountRequest> parse_tmpfs_flag(std::string_view text);

}  // namespace mica::engine
