/// Overlayfs's own extended attributes in an upper folder (kernel: Documentation/filesystems/overlayfs.rst), in both spellings:
/// trusted.overlay.NAME and, on mounts with userxattr, user.overlay.NAME.
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "sys/fd.h"

namespace mica::snapshot {

/// The attributes of one file, taken apart.
struct Attributes {
  std::string kept;                     ///< packed: what belongs to the layer (is_layer_xattr)
  bool opaque = false;                  ///< opaque=y
  bool holds_marked_whiteouts = false;  ///< opaque=x: files in this folder may be whiteouts by their mark
  bool whiteout = false;                ///< the mark of such a file
};

/// Errors: corrupt for redirect and metacopy: we mount with both off, so that every layer holds its own content.
Result<Attributes> sort_out(const std::vector<sys::Xattr>& attributes);

}  // namespace mica::snapshot
