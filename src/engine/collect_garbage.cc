#include "engine/collect_garbage.h"

#include <dirent.h>
#include <poll.h>

#include <algorithm>

#include "base/log.h"
#include "build/records.h"
#include "build/report.h"
#include "container/container_table.h"
#include "container/monitor_protocol.h"
#include "engine/blob_download.h"
#include "engine/layout.h"
#include "oci/image.h"
#include "registry/document_links.h"
#include "store/kept_indexes.h"
#include "store/layer_blobs.h"

namespace mica::engine {
namespace {

std::string lock_path(Engine& engine) { return engine.folder(kLocksFolder) + "/collect"; }

template <class T>
void sort_unique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

Result<std::optional<sys::FileLock>> take_lock(Engine& engine, int wait_ms) {
  TRY(sys::make_directories(engine.folder(kLocksFolder)));
  for (;; wait_ms -= 50) {
    auto lock = sys::FileLock::try_acquire(lock_path(engine), sys::LockMode::exclusive);
    if (lock) return std::optional(std::move(*lock));
    if (lock.error().code() != Errc::conflict) return fail(lock.error());
    if (wait_ms <= 0) return std::optional<sys::FileLock>();
    ::poll(nullptr, 0, 50);
  }
}

Result<std::vector<std::string>> leased_layers(Engine& engine) {
  const auto live = TRY(store::Workspace::live_tokens(engine.root()));
  std::vector<std::string> layers;
  auto database = engine.database().lock();
  auto rows = TRY(database->prepare("SELECT token, layer FROM lease"));
  while (TRY(rows.step()))
    if (std::find(live.begin(), live.end(), rows.text(0)) != live.end()) layers.push_back(rows.text(1));
  return layers;
}

/// The manifest, its config and its layers, as far as they are here.
void keep_manifest(Engine& engine, const oci::Digest& digest, std::vector<oci::Digest>& keep) {
  if (digest.empty()) return;
  keep.push_back(digest);
  const auto bytes = engine.blobs().read(digest);
  if (!bytes) return;
  if (const auto manifest = oci::Manifest::parse(*bytes)) {
    keep.push_back(manifest->config.digest);
    for (const auto& layer : manifest->layers) keep.push_back(layer.digest);
  }
}

/// Of indexes that were pushed here, all platforms' images.
Result<> keep_indexes(Engine& engine, std::vector<oci::Digest>& keep) {
  store::KeptIndexes indexes(engine.database());
  TRY(indexes.drop_stale());
  std::vector<oci::Digest> kept = TRY(indexes.list());
  sort_unique(kept);
  // Indexes within them grow the list; each is looked into once.
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const oci::Digest digest = kept[i];
    keep.push_back(digest);
    const auto bytes = engine.blobs().read(digest);
    if (!bytes) continue;
    const auto links = registry::read_links("", *bytes);
    if (!links) continue;
    for (const auto& blob : links->blobs) keep.push_back(blob.digest);
    for (const auto& inner : links->documents)
      if (std::find(kept.begin(), kept.end(), inner.digest) == kept.end()) kept.push_back(inner.digest);
  }
  return {};
}

/// Blobs of layers that are still here; rows of others go.
Result<> keep_layer_blobs(Engine& engine, std::vector<oci::Digest>& keep) {
  std::vector<oci::DiffId> here;
  const auto layers = TRY(engine.layers().list());
  for (const auto& layer : layers)
    if (layer.diff_id) here.push_back(*layer.diff_id);
  sort_unique(here);
  store::LayerBlobs table(engine.database());
  const auto rows = TRY(table.list());
  for (const auto& row : rows) {
    if (std::binary_search(here.begin(), here.end(), row.diff_id)) keep.push_back(row.digest);
    else TRY(table.remove(row.digest));
  }
  return {};
}

/// Containers keep the layers that they stand on, and the config of their image, also when the image itself was removed by force.
Result<> keep_containers(Engine& engine, std::vector<std::string>& layers, std::vector<oci::Digest>& blobs) {
  const auto rows = TRY(container::ContainerTable(engine.database()).list());
  for (const auto& row : rows) {
    layers.insert(layers.end(), row.layers.begin(), row.layers.end());
    if (auto id = oci::Digest::parse(row.image_id)) blobs.push_back(std::move(*id));
  }
  return {};
}

/// Folders of containers that have no row: whoever made or removed them was killed. One that is being made is locked.
Result<> sweep_container_folders(Engine& engine) {
  const std::string parent = engine.folder(kContainersFolder);
  DIR* directory = ::opendir(parent.c_str());
  if (!directory) return {};
  std::vector<std::string> names;
  while (const auto* entry = ::readdir(directory))
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  ::closedir(directory);
  container::ContainerTable table(engine.database());
  for (const auto& name : names) {
    const std::string folder = parent + "/" + name;
    const auto lock = sys::FileLock::try_acquire(folder + "/" + container::kMonitorLock, sys::LockMode::exclusive);
    if (!lock) continue;
    const auto row = TRY(table.find(name));
    if (row) continue;
    log::debug("removing what is left of container {}", name);
    TRY(sys::remove_tree(folder));
  }
  return {};
}

constexpr int kKeptFailures = 20;

/// Steps that failed have no record that would keep their output: that of the newest builds stays.
Result<> keep_failure_logs(Engine& engine, std::vector<oci::Digest>& blobs) {
  const auto reports = TRY(build::Reports(engine.database()).newest(kKeptFailures));
  for (const auto& report : reports)
    for (const auto& step : report.steps)
      if (step.outcome == build::Outcome::failed && !step.log.empty()) blobs.push_back(step.log);
  return {};
}

}  // namespace

Result<sys::FileLock> hold_off_collection(Engine& engine) {
  TRY(sys::make_directories(engine.folder(kLocksFolder)));
  return sys::FileLock::acquire(lock_path(engine), sys::LockMode::shared);
}

Result<Collected> collect_garbage(Engine& engine, int wait_ms) {
  const auto lock = TRY(take_lock(engine, wait_ms));
  if (!lock) return Collected{.skipped = true};
  const Timestamp began = store::BlobStore::file_time();
  std::vector<std::string> layers = TRY(leased_layers(engine));
  std::vector<oci::Digest> blobs;
  const auto images = TRY(engine.images().list());
  for (const auto& image : images) {
    layers.insert(layers.end(), image.layers.begin(), image.layers.end());
    blobs.push_back(image.id.digest);
    keep_manifest(engine, image.manifest, blobs);
  }
  TRY(keep_containers(engine, layers, blobs));
  TRY(keep_indexes(engine, blobs));
  build::Records records(engine.database());
  const auto list = TRY(records.list());
  for (const auto& record : list) {
    layers.push_back(record.layer);
    for (const oci::Digest& digest : {record.parts, record.log})
      if (!digest.empty()) blobs.push_back(digest);
  }
  TRY(keep_failure_logs(engine, blobs));
  sort_unique(layers);
  Collected collected;
  collected.bytes = TRY_DOING(engine.layers().sweep(layers), "removing unused layers");
  TRY(keep_layer_blobs(engine, blobs));
  sort_unique(blobs);
  collected.bytes += TRY_DOING(engine.blobs().sweep(blobs, began), "removing unused blobs");
  collected.bytes += TRY_DOING(sweep_partial_downloads(engine), "removing old partial downloads");
  TRY_DOING(sweep_container_folders(engine), "removing what is left of containers");
  log::debug("collected bytes={}", collected.bytes);
  return collected;
}

}  // namespace mica::engine
