/// Kinds of tar entries as kinds of tree entries.
#pragma once
#include "archive/tar.h"
#include "snapshot/listing.h"

namespace mica::build {

/// A hard link is the file that it names.
snapshot::Type type_of(archive::EntryType type);

}  // namespace mica::build
