/// Volumes: folders volumes/<name>/_data that outlive containers.
#pragma once
#include <string>
#include <vector>

#include "container/volume_table.h"
#include "engine/engine.h"

namespace mica::engine {

/// volumes/<name>/_data
std::string volume_folder(Engine& engine, const std::string& name);
/// A volume of this name; one that is there stays as it is. "" makes an anonymous one with a name of 64 hex digits. The folder is made before the row.
/// Errors: invalid_argument (name, driver, options), conflict (it is there with another driver or other options).
Result<container::VolumeRow> make_volume(Engine& engine, container::VolumeRow wanted);
/// Errors: not_found, conflict ("volume is in use - [ID, ...]").
Result<> remove_volume(Engine& engine, const std::string& name);

}  // namespace mica::engine
