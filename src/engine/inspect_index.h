/// `buildx imagetools inspect`: what a name stands for at its registry, without the store.
#pragma once
#include <string>

#include "engine/copy_session.h"
#include "json/json.h"
#include "oci/reference.h"
#include "registry/client.h"

namespace mica::engine {

struct InspectedIndex {
  oci::Reference reference;
  registry::Document document;
  /// As buildx shows it to templates: {name, manifest, image, provenance, sbom}. `manifest` is the index with its digest and size, of an image only the
  /// descriptor. `image` is the config; of several platforms an object of them by platform, and so are `provenance` ({SLSA: predicate})
  /// and `sbom` ({SPDX: predicate}), which come from attestations beside the images ({}: there are none).
  json::Value value;
};
/// `with_images` false: configs and attestations are not read, and `value` has only `name` and `manifest`.
/// Errors: invalid_argument (the name), those of registry::Repository, corrupt.
Result<InspectedIndex> inspect_index(CopySession& session, const std::string& name, bool with_images, task::Cancel cancel);

}  // namespace mica::engine
