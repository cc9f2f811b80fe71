/// The last steps that every way of getting an image shares: durable layers, the config blob, the row and its names.
#pragma once
#include <vector>

#include "engine/engine.h"
#include "oci/image.h"
#include "stream/stream.h"

namespace mica::engine {

/// Applies one layer tar (`from`: compressed or not, any format that stream knows) on top of `chain` and appends it.
/// `expected` not empty: the tar's digest must be that (corrupt otherwise). Empty: the layer goes by its canonical tar's digest.
/// Returns the DiffID.
Result<oci::DiffId> add_layer(Engine& engine, snapshot::Chain& chain, stream::Source& from, const oci::DiffId& expected, task::Cancel cancel);

/// Enters an image whose layers are `chain`; `config_bytes` is stored as it is. `manifest`: the one it came with, if any. Returns the id.
Result<oci::ImageId> add_image(Engine& engine, const snapshot::Chain& chain, const oci::ImageConfig& config, const std::string& config_bytes,
                               const std::vector<oci::Reference>& names, const oci::Digest& manifest = {});

/// SOURCE_DATE_EPOCH as a time, if it is set. Errors: invalid_argument.
Result<std::optional<Timestamp>> source_date_epoch();

}  // namespace mica::engine
