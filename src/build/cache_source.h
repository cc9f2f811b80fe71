/// Results of steps that are in another store (--cache-from): found by their keys at once, brought here when something needs their files.
///
/// What a step leaves is known without its layer: the identity of the root filesystem after it follows from that of the one before and
/// from the layer's content id. So the steps after it get their keys, and can be found too, while nothing has been fetched but records.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "build/records.h"
#include "snapshot/layer_store.h"
#include "task/task.h"

namespace mica::build {

/// A step's result that is elsewhere so far. Thread-safe.
class RemoteResult {
 public:
  virtual ~RemoteResult() = default;
  /// Begins to fetch it in the background. Does nothing the second time.
  virtual void fetch() = 0;
  /// Brings the layer into this store, on top of `below`, whose layers are all here; fetches it when that has not begun. Returns the record with
  /// `layer`, `bytes`, `parts` and `log`, not stored yet. Errors: corrupt (not what the offer promised), those of fetching, cancelled.
  virtual Result<Record> take(const snapshot::Chain& below, task::Cancel cancel) = 0;
};

struct Offer {
  Record record;                          ///< without what take() adds, and without `tree` and `place`
  std::string content_id;                 ///< of the layer: snapshot::next_tree
  std::string from;                       ///< "the cache example.com/app:cache"
  std::shared_ptr<RemoteResult> result;   ///< valid as long as its source
};

/// Thread-safe. A source that cannot be read has nothing: only being stopped is an error.
class CacheSource {
 public:
  virtual ~CacheSource() = default;
  virtual Result<std::optional<Offer>> find(const std::string& strong, task::Cancel cancel) = 0;
  /// By the key over whole trees (Step::tree_key).
  virtual Result<std::optional<Offer>> find_by_trees(const std::string& tree_key, task::Cancel cancel) = 0;
};

}  // namespace mica::build
