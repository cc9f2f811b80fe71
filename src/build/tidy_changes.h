/// What a step left in its writable layer, without what changes nothing.
#pragma once
#include "base/error.h"
#include "snapshot/layer_store.h"
#include "snapshot/tree_view.h"

namespace mica::build {

/// Removes from the staged layer, and from the returned listing: whiteouts of what the lower tree does not have, opaque marks on
/// folders that it does not have, and files and folders that overlayfs copied up but that are equal to the lower tree's in
/// everything, times included (a folder only when nothing is left in it).
Result<snapshot::Listing> tidy_changes(const snapshot::StagedLayer& staged, const snapshot::Listing& listing, const snapshot::TreeView& lower);

}  // namespace mica::build
