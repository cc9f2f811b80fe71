/// Images that FROM, COPY --from and mounts name, as planning and building need them: the config at once, the layers later.
/// The engine implements this over its store and the registries.
#pragma once
#include <string>

#include "base/error.h"
#include "oci/image.h"
#include "snapshot/layer_store.h"
#include "task/task.h"

namespace mica::build {

struct BaseImage {
  std::string name;                ///< as shown to users: "alpine:3.20"
  oci::ImageId id;
  oci::Digest manifest;            ///< empty when unknown (made or loaded here)
  oci::ImageConfig config;
};

class BaseImages {
 public:
  virtual ~BaseImages() = default;
  /// `name`: an expanded reference, or docker-image://REF or oci-layout://PATH[:TAG][@DIGEST]. Errors: not_found, invalid_argument,
  /// unavailable, unauthorized, unsupported (no such platform).
  virtual Result<BaseImage> resolve(const std::string& name, const oci::Platform& platform, task::Cancel cancel) = 0;
  /// The image's layers in the store, fetched when they are not; leased.
  virtual Result<snapshot::Chain> layers(const BaseImage& image, task::Cancel cancel) = 0;
};

}  // namespace mica::build
