/// The executable form of a vertex. One class an op: copy_step.cc, run_step.cc, workdir_step.cc.
///
/// The solver calls prepare() as soon as it likes (it needs no other step), then, when parent and inputs are there, key(), and
/// on a miss execute(). Each is called once, from one thread at a time.
#pragma once
#include <memory>
#include <optional>

#include "base/error.h"
#include "build/graph.h"
#include "build/key.h"
#include "build/records.h"
#include "build/session.h"

namespace mica::build {

/// The root filesystems that a step sees.
struct StepStates {
  State parent;
  std::vector<State> inputs;                     ///< in the order of Vertex::inputs
  /// State of an origin with Kind::vertex (kNoVertex: the empty tree).
  const State& of(const Vertex& vertex, VertexId id) const;
};

/// Where a RUN step's output goes.
class OutputSink {
 public:
  virtual ~OutputSink() = default;
  virtual void write(int stream, std::string_view bytes) = 0;
  /// The terminal belongs to a debug shell of this step from now on (true), or no longer.
  virtual void shell(bool open) = 0;
};

class Step {
 public:
  virtual ~Step() = default;
  virtual Result<> prepare(task::Cancel) { return {}; }
  /// Appends the parts that this step's result depends on. The solver adds "instruction" text and "parent" itself where
  /// `needs_parent()`. Errors end the build (a missing source, an unknown stage file).
  virtual Result<> key(const StepStates& states, Parts& parts, task::Cancel cancel) = 0;
  /// Whether key() reads files of root filesystems: then their layers must be here before.
  virtual bool looks_into_trees() const { return false; }
  /// For steps that look into trees: appends parts that say no less than key()'s, naming whole trees by their identity instead of the files that matter in
  /// them. Equal ones mean equal work, so that the step is found in another store without fetching what it only reads from. False: there are none.
  virtual bool tree_key(const StepStates&, Parts&) { return false; }
  /// False for steps whose result does not depend on the parent's content beyond what key() names.
  virtual bool needs_parent() const { return true; }
  /// Does the work and commits the layer. `earlier`: the newest record of the same recipe, whose layer may hold files to link to.
  /// Errors: the step's failure, with the command's exit_status() for RUN.
  virtual Result<snapshot::LayerInfo> execute(const StepStates& states, const std::optional<Record>& earlier, OutputSink& output,
                                              task::Cancel cancel) = 0;
};

std::unique_ptr<Step> make_copy_step(const Vertex& vertex, const Graph& graph, Session& session);
std::unique_ptr<Step> make_run_step(const Vertex& vertex, const Graph& graph, Session& session);
std::unique_ptr<Step> make_workdir_step(const Vertex& vertex, const Graph& graph, Session& session);

}  // namespace mica::build
