/// `system df`.
#pragma once
#include <vector>

#include "container/volume_table.h"
#include "engine/cache_entries.h"
#include "engine/container_list.h"
#include "engine/images.h"

namespace mica::engine {

struct ImageUsage {
  ListedImage image;
  std::int64_t shared = 0;                ///< bytes in layers that other images have too
  std::int64_t unique = 0;
  std::size_t containers = 0;             ///< that are made from it
};
struct VolumeUsage {
  container::VolumeRow volume;
  std::int64_t bytes = 0;
  std::size_t links = 0;                  ///< containers that use it
};
struct DiskUsage {
  std::vector<ListedContainer> containers;
  std::vector<VolumeUsage> volumes;
  std::int64_t used_image_bytes = 0;      ///< of image_bytes, what containers stand on
  std::vector<ImageUsage> images;
  std::int64_t image_bytes = 0;           ///< each layer once
  std::vector<CacheEntry> cache;
  std::int64_t cache_bytes = 0;           ///< what no image shares, each layer once
  std::int64_t blob_bytes = 0;
};
Result<DiskUsage> disk_usage(Engine& engine);

}  // namespace mica::engine
