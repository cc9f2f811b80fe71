/// --cache-to: a build's steps into a step cache.
///
/// Layers are compressed and sent while later steps run, in one pass. What the cache has is not sent again; what others put there stays, within limits
/// (step_cache_format.h), also when several builds write at the same time (step_cache_root.h).
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "build/graph.h"
#include "build/progress.h"
#include "build/solver.h"
#include "engine/layer_body.h"
#include "engine/step_cache_format.h"
#include "engine/step_cache_places.h"
#include "engine/step_cache_root.h"

namespace mica::engine {

class StepCacheWriter {
 public:
  /// Begins to read what the cache has. `engine` and `graph` must outlive it.
  StepCacheWriter(Engine& engine, const CacheStore& store, const build::Graph& graph, task::Cancel cancel);
  /// A step's layer is in the store: it goes on its way. Any thread. See SolveOptions::on_layer.
  void add(const build::Vertex& vertex, const snapshot::LayerId& layer);
  /// Layers that the cache names, but that could not be read from it: they are sent again.
  void distrust(const std::vector<oci::Digest>& layers);
  /// Sends what has not been sent, and writes the list of steps. Once. Errors: conflict (something else than a step cache is there), those of the place.
  Result<> finish(const build::Solved& solved, build::Stage& stage, task::Cancel cancel);

 private:
  Result<StepCacheRoot> read_known(const task::Cancel& cancel);
  Result<const StepCacheRoot*> known(const task::Cancel& cancel);
  struct Sent {
    oci::Descriptor blob;
    std::string data;                     // as CachedStep::layer_data
  };
  std::optional<Sent> known_layer(const StepCacheRoot& known, const oci::DiffId& diff_id);
  Result<> send(const snapshot::LayerId& layer, bool anew, const task::Cancel& cancel);
  Result<std::string> make(const snapshot::LayerId& layer, const task::Cancel& cancel);
  Result<oci::Descriptor> make_and_send(const snapshot::LayerId& layer, const oci::DiffId& diff_id, const task::Cancel& cancel);
  Result<CachedText> text_of(const oci::Digest& blob, std::string_view media_type, const task::Cancel& cancel);
  Result<CachedStep> cached(const build::StepResult& step, const task::Cancel& cancel);
  Result<CachedSteps> steps_of_build(const build::Solved& solved, const StepCacheRoot& known, const task::Cancel& cancel);
  Result<> write(const CachedSteps& mine, const StepCacheRoot& known, build::Stage& stage, const task::Cancel& cancel);
  Result<CachedSteps> present(CachedSteps steps, const task::Cancel& cancel);

  Engine& engine_;
  const CacheStore store_;
  const build::Graph& graph_;
  LayerForm form_;
  std::set<build::VertexId> result_;      // steps of the target's root filesystem
  std::unique_ptr<CachePlace> place_;
  std::mutex reading_;
  std::optional<Result<StepCacheRoot>> known_;
  Guarded<std::set<oci::Digest>> distrusted_;
  Guarded<std::set<snapshot::LayerId>> begun_;
  Guarded<std::map<snapshot::LayerId, Sent>> sent_;
  task::Limit sending_;
  task::Group group_;                     // last: its tasks use the rest
};

}  // namespace mica::engine
