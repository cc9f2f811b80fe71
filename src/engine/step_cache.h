/// Step caches outside the store: --cache-to writes the records of a build with what they need, --cache-from reads them while a build runs.
///
/// A step cache is an OCI artifact (docs/formats/step-cache.md): its config is JSON with one object a record, its "layers" are the
/// records' layers (tar+zstd), key parts and logs. Here it lies in an OCI layout.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "build/graph.h"
#include "build/solver.h"
#include "engine/build_image.h"

namespace mica::engine {

inline constexpr std::string_view kStepCacheType = "application/vnd.mica.step-cache.v1+json";

/// Opens a cache for reading; null when the folder has none yet. Errors: corrupt.
Result<std::unique_ptr<build::CacheSource>> open_step_cache(Engine& engine, const CacheStore& store);

/// Adds the records of a build to the cache; what it has already is not written again.
Result<> write_step_cache(Engine& engine, const CacheStore& store, const build::Graph& graph, const build::Solved& solved, task::Cancel cancel);

}  // namespace mica::engine
