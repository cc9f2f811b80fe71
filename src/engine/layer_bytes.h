/// The tar of a layer, byte for byte as its DiffID says: from the blob it came in, else its canonical tar.
#pragma once
#include "engine/engine.h"
#include "store/layer_blobs.h"
#include "stream/compression.h"
#include "stream/stream.h"

namespace mica::engine {

/// The OCI media type of a layer under a compression that layers may have (none, gzip, zstd).
std::string_view layer_media_type(stream::Compression compression);

/// Writes the uncompressed tar of a layer; does not finish `to`. Errors: corrupt (what the store has is not what the DiffID says),
/// cancelled, those of `to`.
Result<> write_layer_bytes(Engine& engine, const snapshot::LayerId& layer, stream::Sink& to, task::Cancel cancel);

/// Keeps the bytes that a layer came in, if its canonical tar is another one. `bytes`: as they came, compressed or not; plain ones are
/// kept under zstd. Errors: corrupt, resource_exhausted, cancelled.
Result<> keep_original(Engine& engine, const snapshot::LayerId& layer, const oci::DiffId& diff_id, stream::Source& bytes, task::Cancel cancel);

}  // namespace mica::engine
