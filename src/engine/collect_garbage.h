/// Removes what nothing refers to: layers that no image, record or live process needs, and blobs of none of them.
///
/// The race with other mica processes: a process that is about to enter an image leases its layers first, and leases are read
/// before anything else here; whoever adds layers and an image in one go holds the collection lock in shared mode meanwhile, so
/// that a collection never falls between its steps.
#pragma once
#include <cstdint>

#include "engine/engine.h"
#include "sys/lock.h"

namespace mica::engine {

struct Collected {
  std::int64_t bytes = 0;
  bool skipped = false;               ///< other processes were adding to the store: nothing was removed
};
/// `wait_ms`: how long to wait for other processes that add layers before skipping. Needs a writable engine.
Result<Collected> collect_garbage(Engine& engine, int wait_ms = 0);

/// Held while layers and the image that needs them are entered.
Result<sys::FileLock> hold_off_collection(Engine& engine);

}  // namespace mica::engine
