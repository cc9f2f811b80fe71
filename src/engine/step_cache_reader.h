/// --cache-from: finds steps in a step cache and brings their layers here when the build needs them.
#pragma once
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "build/cache_source.h"
#include "build/progress.h"
#include "engine/step_cache_format.h"
#include "engine/step_cache_places.h"

namespace mica::engine {

/// The list of steps is read (a manifest and its config) when a step is first looked for, so that a build which finds all steps in the store asks nobody.
/// Layers are fetched several at once, each unpacked while it comes.
class StepCacheReader : public build::CacheSource {
 public:
  /// `engine` and `progress` must outlive it.
  StepCacheReader(Engine& engine, CacheStore store, build::Progress& progress, task::Cancel cancel);
  Result<std::optional<build::Offer>> find(const std::string& strong, task::Cancel cancel) override;
  Result<std::optional<build::Offer>> find_by_trees(const std::string& tree_key, task::Cancel cancel) override;

  std::string name() const { return store_.name(); }
  /// Reads the list already, in the background: for builds that have to wait for other things before their first step.
  void prepare();
  /// Says that no more layers will be asked for.
  void finish();
  /// Why the cache as a whole was of no use; empty: it was, or was never asked.
  std::string failure() const;
  /// Steps that were found, but whose layers could not be had. They are not found again.
  struct Lost {
    std::string instruction, reason;
    oci::Digest layer;
  };
  std::vector<Lost> lost() const;
  std::vector<oci::Digest> lost_layers() const;

 private:
  class Layer;
  friend class Layer;
  Result<> load(const task::Cancel& cancel);
  Result<CachedSteps> read_steps(const task::Cancel& cancel);
  Result<std::optional<build::Offer>> offer(const std::map<std::string, std::size_t>& by, const std::string& key, const task::Cancel& cancel);
  void tell_fetched(const oci::Descriptor& layer);
  void lose(const CachedStep& step, const Error& error);

  Engine& engine_;
  const CacheStore store_;
  build::Progress& progress_;
  std::unique_ptr<CachePlace> place_;
  std::mutex loading_;
  bool loaded_ = false;                            // under loading_; what follows does not change once it is set
  std::string failure_;
  CachedSteps steps_;
  std::map<std::string, std::size_t> by_strong_, by_trees_;
  mutable Guarded<std::map<std::string, Lost>> lost_;       // by strong key
  Guarded<std::optional<build::Stage>> fetched_;
  task::Limit fetching_;
  task::Group group_;                              // last: its tasks use the rest
};

}  // namespace mica::engine
