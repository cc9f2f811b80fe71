/// ADD of local archives: tar, plain or compressed (gzip, bzip2, xz, zstd), recognised by content and unpacked like `tar -x`.
///
/// Owners, modes, times, links, devices and attributes are the archive's. A folder merges with a folder and takes the archive's
/// metadata; anything else replaces what is there, whole folders too. A hard link's own metadata goes to the inode it shares.
/// Folders that the archive lacks are 0755 0:0. Names and links are resolved inside the destination folder: absolute links start
/// there, what climbs out fails.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "build/session.h"
#include "snapshot/layer_writer.h"
#include "sys/fd.h"
#include "task/task.h"

namespace mica::build {

struct UnpackRules {
  std::string folder;                    ///< destination: relative, without links, there already; "" is the root
  std::optional<Owner> owner;            ///< --chown: for all that the archive lists
  std::int64_t now_ns = 0;               ///< time of folders that the archive lacks
  std::optional<std::int64_t> clamp_ns;  ///< no time is later
};

/// A file that begins like an archive.
class Archive {
 public:
  /// Null when the file is something else, or an archive without entries (Docker copies that as a file).
  static Result<std::unique_ptr<Archive>> open(sys::Fd file);
  ~Archive();
  /// Once. `lower` is the tree below the layer. Returns the devices that only root could have made.
  /// Errors: corrupt (truncated, damaged), invalid_argument (names that climb out, links to nothing), conflict, cancelled.
  Result<std::vector<std::string>> unpack(snapshot::LayerWriter& layer, const snapshot::TreeView& lower, const UnpackRules& rules,
                                          task::Cancel cancel);

 private:
  struct Impl;
  explicit Archive(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mica::build
