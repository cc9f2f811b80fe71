/// What `builder du` lists and `builder prune` removes: records of executed steps and cache mounts.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/filters.h"

namespace mica::engine {

struct CacheEntry {
  std::string id;                    ///< 25 hex digits of the record's key, or the cache mount's folder name
  std::string type;                  ///< "regular" or "exec.cachemount"
  std::string description;           ///< "RUN make" or "cached mount /root/.cache"
  std::int64_t bytes = 0;
  Timestamp created, used;
  bool shared = false;               ///< its layer is also part of an image: removing the record frees nothing
  bool in_use = false;               ///< a build works with it now
  std::int64_t record = 0;           ///< row id of a record; 0: cache mount
  std::string layer;
};
/// Records oldest use first, then cache mounts. Filters: id type description inuse shared private until.
Result<std::vector<CacheEntry>> cache_entries(Engine& engine, const std::vector<std::string>& filters);

struct PruneCache {
  bool all = false;                              ///< also cache mounts and what images share
  std::vector<std::string> filters;              ///< naming type=exec.cachemount takes cache mounts too
  std::optional<std::int64_t> max_used, reserved, min_free;   ///< bytes: stop removing as soon as these hold
};
struct PrunedCache {
  std::vector<CacheEntry> removed;
  std::int64_t bytes = 0;                        ///< freed on disk
  bool layers_kept = false;                      ///< other processes were at work: layers go with the next prune
};
Result<PrunedCache> prune_cache(Engine& engine, const PruneCache& request);

}  // namespace mica::engine
