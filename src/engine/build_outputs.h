/// What happens with the result of a build: -o, tags, archives, folders.
#pragma once
#include <vector>

#include "build/assemble_image.h"
#include "build/progress.h"
#include "engine/build_image.h"

namespace mica::engine {

/// One platform's result.
struct Built {
  oci::Platform platform;
  build::BuiltImage image;
};

/// Checks what can be checked before the work: names, combinations. Errors: invalid_argument, unsupported.
Result<> check_outputs(const BuildImage& request, std::size_t platforms);
/// Writes every output. Fills image id, manifest and names of `result`.
Result<> write_outputs(Engine& engine, const BuildImage& request, const std::vector<Built>& built, std::optional<Timestamp> epoch,
                       build::Progress& progress, BuildResult& result, task::Cancel cancel);

}  // namespace mica::engine
