/// RUN --mount: filling in what the user left out.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "dockerfile/tree.h"

namespace mica::build {

/// Fills id and target of cache, secret and ssh mounts, and joins targets to the folder `cwd`. `ssh_number` counts the RUN's ssh
/// mounts. Errors: invalid_argument (target "/" or none).
Result<> complete_mount(dockerfile::MountSpec& mount, const std::string& cwd, int& ssh_number);

/// One folder for equal keys: namespace and id, and what a new cache is made from, as caches with other seeds are others.
std::string cache_mount_key(std::string_view name_space, const dockerfile::MountSpec& mount, std::string_view seed);

}  // namespace mica::build
