/// Folders that a step makes, as mkdir(2) would make them.
#pragma once
#include <optional>

#include "snapshot/layer_writer.h"

namespace mica::build {

/// In a folder with the set-group-id bit a new folder has that bit too, and belongs to that group unless it is given an owner
/// (inode(7), S_ISGID). `parent`: the nearest folder that is there already; what lies between is made with the same metadata.
snapshot::Meta new_folder(snapshot::Meta fresh, const std::optional<snapshot::Entry>& parent, bool has_owner);

}  // namespace mica::build
