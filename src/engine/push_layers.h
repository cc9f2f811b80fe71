/// Blobs and manifest of one image on their way to a registry.
#pragma once
#include "engine/engine.h"
#include "engine/transfer.h"
#include "oci/image.h"
#include "registry/client.h"
#include "stream/compression.h"

namespace mica::engine {

struct LayerForm {
  stream::Compression compression = stream::Compression::gzip;   ///< of layers that are not compressed yet; none: as plain tars
  int level = -1;
  bool force = false;                ///< also where a layer is here in another compression
};

struct PushedManifest {
  oci::Descriptor descriptor;        ///< without platform
  std::string bytes;
  bool was_there = false;            ///< nothing had to be sent, not even the manifest
};

/// Sends what the repository lacks, the manifest last and under its digest, or under `tag`. An image that was pulled goes as it came,
/// byte for byte; others get an OCI manifest whose layers are compressed once, while they are sent, and remembered: the same image gives the same
/// digest again, also from another store. Blobs that the registry has are not sent; those that it has elsewhere are mounted.
/// `annotations` are for new manifests. The caller has leased the layers.
/// Errors: those of registry::Repository; corrupt (a layer is not what it was), cancelled.
Result<PushedManifest> push_manifest(Engine& engine, const registry::Repository& repository, const store::ImageRow& image, const std::string& tag,
                                     const LayerForm& form, const oci::Annotations& annotations, const TransferEvents& events, task::Cancel cancel);

}  // namespace mica::engine
