/// Base images of builds: from the store, else from their registries, by the same path as `pull`.
#pragma once
#include <map>

#include "base/guarded.h"
#include "build/base_images.h"
#include "build/progress.h"
#include "engine/engine.h"
#include "engine/fetch_image.h"

namespace mica::engine {

/// An image that is not here is asked for when it is resolved (manifest and config) and fetched when its layers are needed; it then
/// gets its name in the store, so that the next build needs no registry. One thread resolves; layers() may be called by several.
class StoreBases : public build::BaseImages {
 public:
  /// `pull`: registries are asked even for what is here. `progress` must outlive this.
  StoreBases(Engine& engine, bool pull, build::Progress& progress) : engine_(engine), pull_(pull), progress_(progress) {}
  Result<build::BaseImage> resolve(const std::string& name, const oci::Platform& platform, task::Cancel cancel) override;
  Result<snapshot::Chain> layers(const build::BaseImage& image, task::Cancel cancel) override;
  /// Some that have been resolved are not here yet.
  bool has_to_fetch();

 private:
  Result<build::BaseImage> ask_registry(const std::string& name, const oci::Platform& platform, task::Cancel cancel);
  Result<build::BaseImage> from_store(const store::ImageRow& row, std::string shown, const oci::Platform& platform);

  Engine& engine_;
  bool pull_;
  build::Progress& progress_;
  Guarded<std::map<oci::ImageId, RemoteImage>> remote_;   ///< resolved, not fetched yet
};

}  // namespace mica::engine
