/// Planning one stage: its instructions, in order, become vertices, config and history.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "build/plan_bases.h"
#include "build/plan_config.h"
#include "build/plan_stage_table.h"

namespace mica::build {

/// A stage while it is planned and for those that continue it.
struct StageState {
  bool planned = false;
  StagePlan plan;
  Environment environment;
  std::vector<std::pair<std::string, std::optional<std::string>>>
      arguments;             ///< ARGs in force, in order, as often as they were declared
  bool has_workdir = false;  ///< a WORKDIR of this file was seen
  Origin files;              ///< what COPY --from sees of it
};

/// What the planners of one build share.
struct Planning {
  const dockerfile::File& file;
  const PlanRequest& request;
  const BuildArguments& given;
  const Environment& globals;
  StageTable& table;
  Bases& bases;
  Faults& faults;
  Checks& checks;
  IgnoreRules ignore;
  std::vector<int> graph_index;           ///< of a stage of the table, or -1: not needed
  std::vector<StageState> states;         ///< by index in the table
  Graph graph;                            ///< vertices and contexts so far
  std::map<int, VertexId> base_vertices;  ///< by number in Bases

  /// Number of a stage's base in `bases`, of a source's image likewise.
  int base_of(const StageEntry& entry) const;
  int image_of(const Source& source, const dockerfile::Range& where) const;
  Origin context_origin(const NamedContext& context);
};

class StagePlanner {
 public:
  StagePlanner(Planning& planning, int stage);
  /// `is_root`: the stage is the result or continued by another one, so that a folder in its place must become a layer.
  void run(bool is_root);

 private:
  // plan_stage.cc
  void start_from_parent(const StageState& parent);
  void start_from_base(const Base& base, int number, bool is_root);
  void start_empty(const oci::Platform& platform);
  void enter_environment();
  VertexId base_vertex(const Base& base, int number, const dockerfile::Range& where, bool titled);
  VertexId add_vertex(const Order& order, Op op, std::vector<VertexId> inputs, std::string title);
  void number_titles();
  void commit(std::string text, bool empty_layer);
  Result<> apply(const Order& order);
  WordExpander expander(const Order& order);
  Result<Origin> origin_of(const Source& source, const Order& order, std::string_view what);

  // plan_instructions.cc: after expansion
  friend struct Instructions;

  // plan_copy.cc, plan_run.cc
  Result<> copy(const dockerfile::Copy& copy, const Order& order);
  Result<> run_command(const dockerfile::Run& run, const Order& order);
  Result<std::vector<RunMount>> mounts_of(const dockerfile::Run& run, const Order& order, std::vector<VertexId>& inputs);
  Result<> check_entitlements(const RunOp& run) const;
  std::string run_history(const std::vector<std::string>& argv) const;

  Planning& planning_;
  const int stage_;
  StageEntry& entry_;
  StageState& state_;
  std::vector<std::pair<VertexId, std::string>> titles_;  ///< numbered when the stage is complete
  std::string failed_word_;                               ///< what the last expansion failed on
  std::optional<Spot> cmd_, entrypoint_, healthcheck_;    ///< the last of its kind in this stage
};

/// WORKDIR and the destination of COPY joined; a trailing "/" or "/." is kept as '/', and "." is a folder.
std::string copy_destination(const std::string& working_dir, const std::string& destination);

}  // namespace mica::build
