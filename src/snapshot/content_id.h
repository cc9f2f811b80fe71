/// The normalised content of a layer: what it changes in the tree below, however it says so (decision 4).
#pragma once
#include <string>

#include "snapshot/listing.h"
#include "snapshot/tree_view.h"

namespace mica::snapshot {

/// 64 hex digits over the difference between `lower` and `lower` with `layer` on top: every path that is new or whose identity
/// differs, and the top-most path of everything that is gone. "" when there is no difference.
///
/// So none of these count: times, hard-link grouping, folders that are listed for their children only, files written again with
/// what they held, whiteouts of nothing. An opaque folder is the deletion of what it hides and does not bring back.
std::string content_id(const Listing& layer, const TreeView& lower);

}  // namespace mica::snapshot
