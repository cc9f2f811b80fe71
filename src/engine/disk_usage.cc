#include "engine/disk_usage.h"

#include <set>

#include "engine/volumes.h"

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
  usage.containers = TRY(list(engine, {.all = true, .definitions = true, .sizes = true}));
  std::set<std::string> stood_on;
  for (const auto& one : usage.containers) stood_on.insert(one.row.layers.begin(), one.row.layers.end());
  for (const auto& layer : stood_on)
    if (users.contains(layer)) usage.used_image_bytes += bytes[layer];
  for (const auto& image : images) {
    ImageUsage one{image};
    for (const auto& user : usage.containers) one.containers += user.row.image_id == image.image.id.digest.str();
    for (const auto& layer : image.image.layers) (users[layer] > 1 ? one.shared : one.unique) += bytes[layer];
    usage.images.push_back(std::move(one));
  }
  container::VolumeTable table(engine.database());
  const auto volumes = TRY(table.list());
  for (const auto& volume : volumes) {
    const auto volume_users = TRY(table.users(volume.name));
    usage.volumes.push_back({volume, volume_bytes(engine, volume.name), volume_users.size()});
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
