/// A registry's storage over mica's own store: its images are there to pull, and what is pushed becomes an image of the store.
///
/// - The repository "team/app" has the images called team/app, "alpine" and "library/alpine" both those called alpine, and
///   "ghcr.io/team/app" those of that host. Names with a port in their host are not reached.
/// - An image that came with a manifest goes out under it, byte for byte, as long as its blobs are here. Others get one when they are first
///   asked for; their layers are compressed then, and remembered.
/// - A pushed manifest is entered as `pull` would: layers verified and unpacked, its name pointing to it. Of an index, the image for this machine
///   is entered; the others are not kept. What is no image (an artifact) is refused.
/// - A tag can be deleted, as `rmi` without its last step; images and blobs go with `rmi` and `prune` only.
#pragma once
#include <memory>

#include "engine/engine.h"
#include "registry/storage.h"

namespace mica::engine {

/// `engine`: opened for writing unless nobody pushes or pulls what has no manifest yet. `cancel` ends compressing and unpacking.
std::unique_ptr<registry::Storage> store_registry(Engine& engine, task::Cancel cancel);

}  // namespace mica::engine
