/// `fsck`: proves the store whole, or says what is broken and what a repair would do.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace mica::engine {

struct Finding {
  std::string what;                       ///< "layer 91c0…: file etc/passwd differs from its listing"
  std::string repair;                     ///< "move it to quarantine/layers/91c0…"; empty: nothing can be done by us
  bool repaired = false;
};
struct CheckReport {
  std::vector<Finding> findings;
  std::int64_t images = 0, names = 0, layers = 0, blobs = 0, records = 0;
};
struct CheckStore {
  bool repair = false;
  bool quick = false;                     ///< do not read file contents: structure only
};
/// Checks, in this order: database integrity, blobs against their digests, layers against their listings, images against layers,
/// configs and names, records against layers and blobs. Repair moves what is broken to `quarantine/` and removes rows that need it.
/// `progress` is called with a line per stage.
Result<CheckReport> check_store(Engine& engine, const CheckStore& request, const std::function<void(std::string)>& progress, task::Cancel cancel);

}  // namespace mica::engine
