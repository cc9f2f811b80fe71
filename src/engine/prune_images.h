/// `image prune`.
#pragma once
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/remove_image.h"

namespace mica::engine {

struct PruneImages {
  bool all = false;                       ///< every image, not only those without a name
  std::vector<std::string> filters;       ///< until, label, label!, dangling
};
struct PrunedImages {
  std::vector<Removal> removals;
  std::int64_t bytes = 0;
  bool layers_kept = false;               ///< other processes were at work: layers go with the next prune
};
Result<PrunedImages> prune_images(Engine& engine, const PruneImages& request);

}  // namespace mica::engine
