/// `load`: images from a Docker archive (with manifest.json) or an OCI layout, as a tar in any compression or as a folder.
#pragma once
#include <functional>
#include <string>

#include "engine/engine.h"

namespace mica::engine {

struct LoadImages {
  std::string input;                   ///< path of a tar or of an OCI layout folder; empty: stdin
  std::string platform;                ///< of an index with several; empty: the host's
  std::string tag;                     ///< only the layout's image of this name (org.opencontainers.image.ref.name); empty: all
  oci::Digest manifest;                ///< only this manifest or index of the layout; empty: all
  bool keep_names = true;              ///< false: the images get no names
};
struct Loaded {
  oci::ImageId id;
  std::vector<oci::Reference> names;
};
/// Every layer's and config's digest is checked. Layers that are here already are not unpacked again.
/// Errors: not_found, corrupt, unsupported, resource_exhausted, cancelled.
Result<std::vector<Loaded>> load_images(Engine& engine, const LoadImages& request, task::Cancel cancel);

}  // namespace mica::engine
