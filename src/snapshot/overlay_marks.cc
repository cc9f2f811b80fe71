#include "snapshot/overlay_marks.h"

#include "base/format.h"
#include "snapshot/listing.h"

namespace mica::snapshot {

Result<Attributes> sort_out(const std::vector<sys::Xattr>& attributes) {
  Attributes sorted;
  std::vector<sys::Xattr> kept;
  for (const auto& attribute : attributes) {
    if (is_layer_xattr(attribute.name)) kept.push_back(attribute);
    std::string_view mark = attribute.name;
    if (mark.starts_with("trusted.overlay.")) mark.remove_prefix(sizeof "trusted.overlay." - 1);
    else if (mark.starts_with("user.overlay.")) mark.remove_prefix(sizeof "user.overlay." - 1);
    else continue;
    if (mark == "redirect" || mark == "metacopy")
      return failf(Errc::corrupt, "the mark {}: its content is in another layer, which only a mount with other options makes", attribute.name);
    if (mark == "opaque") {
      sorted.opaque |= attribute.value == "y";
      sorted.holds_marked_whiteouts |= attribute.value == "x";
    }
    sorted.whiteout |= mark == "whiteout";
  }
  sorted.kept = pack_xattrs(kept);
  return sorted;
}

}  // namespace mica::snapshot
