/// What `build` prints as its result when it builds nothing, or writes for other programs.
#pragma once
#include <string>
#include <vector>

#include "engine/build_image.h"
#include "json/json.h"

namespace mica::cli {

/// `--call=targets`: the stages with the comments above them.
std::string targets_page(const engine::BuildResult& result);
json::Value targets_record(const engine::BuildResult& result);

/// `--dry-run`: each step with CACHED, WOULD RUN (and why) or UNKNOWN (it needs the result of one that would run).
std::string dry_run_page(const build::BuildReport& report);

struct MetadataStyle {
  bool index = false;                ///< the result is an index: several platforms were built
  bool warnings = false;             ///< BUILDX_METADATA_WARNINGS is set
};
/// `--metadata-file`: buildx's members in its order.
json::Value metadata_record(const engine::BuildResult& result, const MetadataStyle& style);

}  // namespace mica::cli
