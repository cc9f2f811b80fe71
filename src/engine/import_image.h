/// `import`: a root file system tar becomes an image of one layer.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "engine/engine.h"

namespace mica::engine {

struct ImportImage {
  std::string source;                  ///< path, "-" (stdin) or an http(s) URL
  std::string name;                    ///< REPOSITORY[:TAG]; empty: no name
  std::vector<std::string> changes;    ///< Dockerfile instructions
  std::string message;                 ///< history comment; empty: "Imported from SOURCE"
  std::string platform;                ///< empty: the host's
  /// Set when the tar was just made: files from then on bear the time of their making. They, and the image, get the time of the newest file
  /// that is older, so that the same content gives the same image at any time. SOURCE_DATE_EPOCH goes first.
  std::optional<Timestamp> made_since;
};
/// `created` is SOURCE_DATE_EPOCH when that is set. Errors: not_found, invalid_argument, corrupt, unavailable, cancelled.
Result<oci::ImageId> import_image(Engine& engine, const ImportImage& request, task::Cancel cancel);

}  // namespace mica::engine
