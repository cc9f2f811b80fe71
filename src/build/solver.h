/// Runs a graph: every step once its parent and inputs are there, side by side, from the cache where a record says so.
///
/// A step asks for its key when all that it sees is known. A record with that strong key is a hit. Otherwise the step runs under a lock
/// of its key, shared with all other processes, and leaves a record. When its result equals that of the nearest earlier record, that
/// one's layer is taken, so that what follows (and the image's digest) stays as it was: early cutoff. The layer's DiffID is
/// computed while later steps run.
///
/// A hit in another store (cache_source.h) does not bring its layer: the solver goes on with the identity of the tree that it leads to. Layers come
/// when a step has to run on them or to look into them, and those of the target in any case, side by side. What nothing needs stays where it is.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "build/cache_source.h"
#include "build/graph.h"
#include "build/progress.h"
#include "build/records.h"
#include "build/session.h"
#include "build/step.h"
#include "store/blob_store.h"

namespace mica::build {

struct SolveOptions {
  std::string place;                        ///< identity of Dockerfile and context, the start of Record::place
  std::string locks;                        ///< folder of lock files
  bool explain = false;                     ///< send StepExplained
  bool replay_logs = false;                 ///< send the kept output of cached steps
  bool diff_ids = true;                     ///< compute DiffIDs of the layers made
  bool dry_run = false;                     ///< only say which steps would run: these, and those that need them, keep Outcome::cancelled
  std::vector<CacheSource*> imports;
  /// Told of each step's layer as soon as it is in this store, its DiffID not known yet; not of hits in other stores. Any thread. May be empty.
  std::function<void(const Vertex&, const snapshot::LayerId&)> on_layer;
  int parallel_runs = 16;                   ///< RUN steps at once
};

struct StepResult {
  StepNumber number = 0;
  Outcome outcome = Outcome::cancelled;
  State state;                              ///< after the step; no chain: layers of it stayed in another store, as nothing needed them
  Record record;                            ///< of steps with a key; id 0: none, or (`layer` is empty then) it stayed in another store
  std::string tree_key;                     ///< see Step::tree_key; empty: the step has none
  std::vector<std::string> reasons;
  std::int64_t started_ns = -1;             ///< monotonic_ns() when all that it needs was there; -1: it never was
  std::int64_t duration_ns = 0;
};
/// By vertex id. Steps that never started keep Outcome::cancelled.
struct Solved {
  std::vector<StepResult> steps;
  bool lost = false;                        ///< something that was found elsewhere could not be brought here: without it, solving again may do
};

/// On error `solved` holds what was done. Errors: the first failing step's, with the Dockerfile position; with `solved.lost` that of RemoteResult::take,
/// although other steps may have been found by what it promised.
Result<> solve(const Graph& graph, Session& session, Records& records, store::BlobStore& blobs, const SolveOptions& options,
               Progress& progress, Solved& solved, task::Cancel cancel);

}  // namespace mica::build
