/// Mounts of containers: volumes made and filled, bind sources looked for, all turned into what the runtime mounts.
#pragma once
#include <string>
#include <vector>

#include "container/definition.h"
#include "engine/engine.h"
#include "runtime/spec.h"
#include "task/task.h"

namespace mica::engine {

/// When container `id` is made: turns definition.mounts, .volumes and .volumes_from into definition.mount_points, making the volumes that are missing
/// (anonymous ones get a name of 64 hex digits) and registering their use. Undone by release_mounts() when creation fails later.
/// Errors: invalid_argument (bind source does not exist, duplicate target, bad option: Docker's words), not_found (container of volumes_from, image).
Result<> resolve_mounts(Engine& engine, const std::string& id, container::Definition& definition, const task::Cancel& cancel);
/// At each start, with the image's tree mounted at `root` but nothing over it: fills empty volumes from it, makes missing bind sources where -v asked for
/// that, mounts images; returns the mounts in order. Errors as above: a bind source that has gone, a volume whose folder is not there.
Result<std::vector<runtime::BindMount>> prepare_mounts(Engine& engine, const std::string& id, const container::Definition& definition, const std::string& root,
                                                       const task::Cancel& cancel);
/// When the container is removed: its uses; with `anonymous` also its anonymous volumes that nobody else uses. Named ones stay.
Result<> release_mounts(Engine& engine, const std::string& id, bool anonymous);

}  // namespace mica::engine
