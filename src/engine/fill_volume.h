/// The first content of a volume.
#pragma once
#include <string>

#include "engine/engine.h"
#include "task/task.h"

namespace mica::engine {

/// When `volume` (a folder) is empty and the tree at `root` has a folder at `target`, copies what is in that, with owners, modes, times and extended
/// attributes, and gives the volume the folder's owner and mode. A copy that broke off is made anew. `target` is resolved within `root`.
Result<> fill_volume(Engine& engine, const std::string& volume, const std::string& root, const std::string& target, const task::Cancel& cancel);

}  // namespace mica::engine
