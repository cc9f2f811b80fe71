/// `diff`: what differs between two images, wherever they are (analyze_image.h): config, layers, files, packages, sizes.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "analyze/diff.h"
#include "engine/analyze_image.h"
#include "json/json.h"

namespace mica::engine {

struct ConfigChange {
  std::string name;                    ///< "Cmd", "Env PATH", "Label version"
  std::optional<std::string> before, after;   ///< nothing: it was not there. Lists as JSON
};
struct ImageDifference {
  std::string before_name, after_name, before_id, after_id;
  std::vector<ConfigChange> config;    ///< by name; times and history do not count
  analyze::ImageChanges changes;
  std::int64_t compressed_before = -1, compressed_after = -1;   ///< -1: not known
  bool any() const;                    ///< config, files or packages differ, or the layers do
};
/// `before` and `after`: their `wanted` is set here. Errors: as read_image.
Result<ImageDifference> diff_images(Engine& engine, ReadImage before, ReadImage after, task::Cancel cancel);

/// docs/commands/diff.md has the members.
json::Value to_json(const ImageDifference& difference);

}  // namespace mica::engine
