/// `--annotation` of index tools.
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "oci/platform.h"

namespace mica::engine {

struct IndexAnnotation {
  enum class Target { index, entry } target = Target::index;
  std::string platform;                  ///< entry: of these only, as Platform::str() has it; empty: of all
  std::string key, value;
};
/// "TYPE[PLATFORM]:KEY=VALUE", with several TYPEs separated by commas; TYPE is "index" or "manifest-descriptor".
/// Errors: invalid_argument (form), unsupported (another type).
Result<std::vector<IndexAnnotation>> parse_index_annotations(const std::vector<std::string>& texts);

}  // namespace mica::engine
