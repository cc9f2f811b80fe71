/// One compose file, with what it includes and extends, as a canonical and still marked model (compose/merge.h).
#pragma once
#include <set>
#include <string>
#include <vector>

#include "compose/schema.h"
#include "engine/compose_variables.h"

namespace mica::compose {

struct LoadContext {
  engine::ComposeVariables& variables;
  bool interpolate = true, resolve_paths = true;
  std::vector<Problem> problems;
  std::vector<std::string> warnings;
  std::vector<std::string> reading;                      ///< files that include or extend one another now
};

/// `path`: a file or "-"; `folder`: what its relative paths mean. Problems are added to the context; what could be read is returned.
Result<json::Value> load_file(LoadContext& context, const std::string& path, const std::string& folder);

}  // namespace mica::compose
