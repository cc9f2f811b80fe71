#include "engine/disk_usage.h"

#include <set>

namespace mica::engine {

Result<DiskUsage> disk_usage(Engine& engine) {
  DiskUsage usage;
  const auto layers = TRY(engine.layers().list());
  std::map<std::string, std::int64_t> bytes;
  for (const auto& layer : layers) bytes[layer.id] = layer.bytes;
  const auto images = TRY(list_images(engine, {}));
  std::map<std::string, int> users;
  for (const auto& image : images)
    for (const auto& layer : std::set<std::string>(image.image.layers.begin(), image.image.layers.end())) ++users[layer];
  for (const auto& [layer, count] : users) usage.image_bytes += bytes[layer];
  for (const auto& image : images) {
    ImageUsage one{image};
    for (const auto& layer : image.image.layers) (users[layer] > 1 ? one.shared : one.unique) += bytes[layer];
    usage.images.push_back(std::move(one));
  }
  usage.cache = TRY(cache_entries(engine, {}));
  std::set<std::string> counted;
  for (const auto& entry : usage.cache)
    if (!entry.shared && (entry.record == 0 || counted.insert(entry.layer).second)) usage.cache_bytes += entry.bytes;
  const auto blobs = TRY(engine.blobs().list());
  for (const auto& digest : blobs)
    if (const auto size = engine.blobs().size(digest)) usage.blob_bytes += *size;
  return usage;
}

}  // namespace mica::engine
