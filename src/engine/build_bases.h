/// Base images of builds from the store.
#pragma once
#include "build/base_images.h"
#include "engine/engine.h"

namespace mica::engine {

class StoreBases : public build::BaseImages {
 public:
  explicit StoreBases(Engine& engine) : engine_(engine) {}
  Result<build::BaseImage> resolve(const std::string& name, const oci::Platform& platform, task::Cancel cancel) override;
  Result<snapshot::Chain> layers(const build::BaseImage& image, task::Cancel cancel) override;

 private:
  Engine& engine_;
};

}  // namespace mica::engine
