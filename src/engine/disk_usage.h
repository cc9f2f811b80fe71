/// `system df`.
#pragma once
#include <vector>

#include "engine/cache_entries.h"
#include "engine/images.h"

namespace mica::engine {

struct ImageUsage {
  ListedImage image;
  std::int64_t shared = 0;                ///< bytes in layers that other images have too
  std::int64_t unique = 0;
};
struct DiskUsage {
  std::vector<ImageUsage> images;
  std::int64_t image_bytes = 0;           ///< each layer once
  std::vector<CacheEntry> cache;
  std::int64_t cache_bytes = 0;           ///< what no image shares, each layer once
  std::int64_t blob_bytes = 0;
};
Result<DiskUsage> disk_usage(Engine& engine);

}  // namespace mica::engine
