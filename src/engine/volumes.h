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

/// Docker's object. Errors: not_found ("get X: no such volume").
Result<json::Value> inspect_volume(Engine& engine, const std::string& name);
/// By name. Filters: dangling, driver, label, name. Errors: invalid_argument.
Result<std::vector<container::VolumeRow>> list_volumes(Engine& engine, const std::vector<std::string>& filters);
struct PruneVolumes {
  bool all = false;                                     ///< named ones too
  std::vector<std::string> filters;                     ///< label, label!, all
};
struct PrunedVolumes {
  std::vector<std::string> names;
  std::int64_t bytes = 0;
};
/// Those that no container uses.
Result<PrunedVolumes> prune_volumes(Engine& engine, const PruneVolumes& request);
/// Bytes of the files in it.
std::int64_t volume_bytes(Engine& engine, const std::string& name);

}  // namespace mica::engine
