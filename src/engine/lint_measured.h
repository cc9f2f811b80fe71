/// What a Dockerfile costs, measured on an image that was built from it: findings with bytes and seconds that no text tells.
#pragma once
#include <string>

#include "engine/analyze_image.h"
#include "engine/engine.h"
#include "lint/linter.h"

namespace mica::engine {

struct MeasureRequest {
  std::string image;                  ///< of the store, or whatever analyze_image takes
  std::string platform;
};

/// Adds to the report of a Dockerfile what its image tells: bytes that a later step deletes (delete-later) or stores again (rewrite-later), caches of package managers
/// (package-cache-left), files that are there twice (duplicate-files), credentials in layers and configuration (secret-in-image), scripts with carriage returns, and a base whose name
/// stands for another image by now (base-drift). Findings of cache-order get the seconds of the step's last run.
///
/// A layer belongs to the line that the record of the build gives, or else to the instruction whose text the history has. What belongs to the base image, or to no line of this
/// file, is left out. A rule that looked at the text alone yields to what was measured at its line: bytes are added to its finding, and where there are none in the whole image the
/// finding of a cache is dropped.
/// Errors: those of analyze_image.
Result<> add_measured_findings(Engine& engine, const MeasureRequest& request, lint::Report& report, const lint::Options& options, task::Cancel cancel);

}  // namespace mica::engine
