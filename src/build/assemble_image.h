/// From a finished graph to an image: config bytes with creation times, history and DiffIDs, and the chain of layers.
#pragma once
#include <optional>
#include <string>

#include "build/graph.h"
#include "build/solver.h"
#include "oci/image.h"

namespace mica::build {

struct BuiltImage {
  oci::ImageConfig config;
  std::string config_bytes;              ///< what the image id is the digest of
  oci::ImageId id;
  snapshot::Chain chain;
};

/// Creation times come from the layers, so that a build without changes gives the same bytes: an empty history entry takes the time
/// of the layer before it, or of the first new layer. With `epoch` (SOURCE_DATE_EPOCH) times of this build after it become it, and
/// layers with later file times are made anew with lowered ones. Errors: cancelled, resource_exhausted.
Result<BuiltImage> assemble_image(const Graph& graph, const Solved& solved, Session& session, std::optional<Timestamp> epoch, task::Cancel cancel);

}  // namespace mica::build
