/// Runs a graph: every step once its parent and inputs are there, side by side, from the cache where a record says so.
///
/// A step asks for its key when all that it sees is known. A record with that strong key is a hit. Otherwise the step runs under a lock
/// of its key, shared with all other processes, and leaves a record. When its result equals that of the nearest earlier record, that
/// one's layer is taken, so that what follows (and the image's digest) stays as it was: early cutoff. The layer's DiffID is
/// computed while later steps run.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "build/graph.h"
#include "build/progress.h"
#include "build/records.h"
#include "build/session.h"
#include "build/step.h"
#include "store/blob_store.h"

namespace mica::build {

/// Records of another store (--cache-from). A hit brings the layer into this store and returns the new record, not yet stored.
class CacheSource {
 public:
  virtual ~CacheSource() = default;
  virtual Result<std::optional<Record>> find(const std::string& strong, const State& parent, task::Cancel cancel) = 0;
};

struct SolveOptions {
  std::string place;                        ///< identity of Dockerfile and context, the start of Record::place
  std::string locks;                        ///< folder of lock files
  bool explain = false;                     ///< send StepExplained
  bool replay_logs = false;                 ///< send the kept output of cached steps
  bool diff_ids = true;                     ///< compute DiffIDs of the layers made
  bool dry_run = false;                     ///< only say which steps would run: these, and those that need them, keep Outcome::cancelled
  std::vector<CacheSource*> imports;
  int parallel_runs = 16;                   ///< RUN steps at once
};

struct StepResult {
  StepNumber number = 0;
  Outcome outcome = Outcome::cancelled;
  State state;                              ///< after the step
  Record record;                            ///< of steps with a key; id 0: none
  std::vector<std::string> reasons;
  std::int64_t duration_ns = 0;
};
/// By vertex id. Steps that never started keep Outcome::cancelled.
struct Solved {
  std::vector<StepResult> steps;
};

/// On error `solved` holds what was done. Errors: the first failing step's, with the Dockerfile position.
Result<> solve(const Graph& graph, Session& session, Records& records, store::BlobStore& blobs, const SolveOptions& options,
               Progress& progress, Solved& solved, task::Cancel cancel);

}  // namespace mica::build
