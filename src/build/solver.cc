#include "build/solver.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "build/explain.h"
#include "build/step_lock.h"
#include "build/step_log.h"
#include "dockerfile/parser.h"

namespace mica::build {
namespace {

constexpr std::size_t kMaxInstructionBytes = 200;   // of Record::instruction: one line in a table

class Solver {
 public:
  Solver(const Graph& graph, Session& session, Records& records, store::BlobStore& blobs, const SolveOptions& options, Progress& progress,
         Solved& solved, task::Cancel cancel)
      : graph_(graph), session_(session), records_(records), blobs_(blobs), options_(options), progress_(progress), solved_(solved),
        cancel_(cancel), runs_(options.parallel_runs), group_(*session.pool, cancel), tasks_(graph.vertices.size()) {}

  Result<> run() {
    solved_.steps.resize(graph_.vertices.size());
    for (const Vertex& vertex : graph_.vertices) {
      Task& task = tasks_[at(vertex.id)];
      task.step = make_step(vertex);
      std::set<VertexId> needed(vertex.inputs.begin(), vertex.inputs.end());
      needed.insert(vertex.parent);
      needed.erase(kNoVertex);
      task.waiting = static_cast<int>(needed.size()) + 1;   // and its own prepare()
      for (const VertexId id : needed) tasks_[at(id)].dependents.push_back(vertex.id);
      result(vertex).number = progress_.announce(vertex.title);
    }
    for (VertexId id = graph_.stages[static_cast<std::size_t>(graph_.target)].last; id != kNoVertex; id = graph_.vertices[at(id)].parent) tasks_[at(id)].in_result = true;
    place_steps();
    for (const Vertex& vertex : graph_.vertices) group_.run([this, &vertex](task::Cancel stop) { return prepare(vertex, stop); });
    auto ended = group_.wait();
    if (ended && !options_.dry_run) ended = settle(graph_.stages[static_cast<std::size_t>(graph_.target)].last, cancel_);
    if (auto lost = lost_.lock(); *lost && !cancel_.stopped()) {
      solved_.lost = true;
      return fail(std::move(**lost));
    }
    TRY(std::move(ended));
    return records_.touch(hits_.lock().operator*());
  }

 private:
  struct Task {
    std::unique_ptr<Step> step;              // null for BaseOp
    std::string place;
    std::vector<VertexId> dependents;
    std::atomic<int> waiting{0};
    bool in_result = false;                  // the target's root filesystem consists of it
    // Of the step's result:
    std::shared_ptr<RemoteResult> remote;    // null: here, or not elsewhere
    std::atomic<bool> settled{true};         // its layer and all below are here, and state.chain says which
    std::mutex settling;
  };
  static std::size_t at(VertexId id) { return static_cast<std::size_t>(id); }
  StepResult& result(const Vertex& vertex) { return solved_.steps[at(vertex.id)]; }
  bool is_settled(VertexId id) const { return id == kNoVertex || tasks_[at(id)].settled; }
  /// Without the chain, while layers of it are elsewhere.
  State state_of(VertexId id) const {
    if (id == kNoVertex) return {};
    if (is_settled(id)) return solved_.steps[at(id)].state;
    return {.chain = {}, .tree = solved_.steps[at(id)].state.tree};
  }

  std::unique_ptr<Step> make_step(const Vertex& vertex) {
    if (std::holds_alternative<CopyOp>(vertex.op)) return make_copy_step(vertex, graph_, session_);
    if (std::holds_alternative<RunOp>(vertex.op)) return make_run_step(vertex, graph_, session_);
    if (std::holds_alternative<WorkdirOp>(vertex.op)) return make_workdir_step(vertex, graph_, session_);
    return nullptr;
  }

  /// A place is stable when other instructions come and go: the stage and the number among the stage's steps of the same kind.
  void place_steps() {
    std::map<std::pair<int, std::string>, int> counts;
    for (const Vertex& vertex : graph_.vertices) {
      const std::string keyword = vertex.text.substr(0, vertex.text.find(' '));
      const int number = counts[{vertex.stage, keyword}]++;
      Sha256 hash;
      hash.field(options_.place).field(graph_.stages[static_cast<std::size_t>(vertex.stage)].name);
      hash.field(static_cast<std::uint64_t>(vertex.stage)).field(keyword).field(static_cast<std::uint64_t>(number));
      tasks_[at(vertex.id)].place = hash.finish_hex();
    }
  }

  Result<> prepare(const Vertex& vertex, task::Cancel stop) {
    if (auto& step = tasks_[at(vertex.id)].step) {
      auto prepared = step->prepare(stop);
      if (!prepared) return fail(failed(vertex, std::move(prepared).error(), monotonic_ns()));
    }
    release(vertex);
    return {};
  }
  /// One thing less that the vertex waits for.
  void release(const Vertex& vertex) {
    if (--tasks_[at(vertex.id)].waiting == 0) group_.run([this, &vertex](task::Cancel stop) { return advance(vertex, stop); });
  }

  Result<> advance(const Vertex& vertex, task::Cancel stop) {
    const std::int64_t begun = result(vertex).started_ns = monotonic_ns();
    auto done = std::holds_alternative<BaseOp>(vertex.op) ? take_base(vertex, stop) : take_step(vertex, stop);
    if (!done) return fail(failed(vertex, std::move(done).error(), begun));
    result(vertex).duration_ns = monotonic_ns() - begun;
    progress_.finished(result(vertex).number, result(vertex).outcome, result(vertex).duration_ns);
    if (result(vertex).outcome == Outcome::cancelled) return {};   // a dry run: what needs this step is not known
    for (const VertexId id : tasks_[at(vertex.id)].dependents) release(graph_.vertices[at(id)]);
    return {};
  }

  /// Reports the failure and gives the error its position.
  Error failed(const Vertex& vertex, Error error, std::int64_t begun) {
    const bool cancelled = error.code() == Errc::cancelled;
    result(vertex).outcome = cancelled ? Outcome::cancelled : Outcome::failed;
    result(vertex).duration_ns = monotonic_ns() - begun;
    progress_.finished(result(vertex).number, result(vertex).outcome, result(vertex).duration_ns, error.text());
    if (cancelled) return error;
    if (vertex.where.line > 0 && !error.position())
      std::move(error).at({graph_.file.name, vertex.where.line, vertex.where.column, dockerfile::excerpt(graph_.file.source, vertex.where)});
    return error;
  }

  Result<> take_base(const Vertex& vertex, task::Cancel stop) {
    StepResult& mine = result(vertex);
    progress_.started(mine.number);
    mine.state.chain = TRY(session_.bases->layers(std::get<BaseOp>(vertex.op).image, stop));
    mine.state.tree = TRY(session_.layers->tree_id(mine.state.chain));
    mine.outcome = Outcome::cached;
    return {};
  }

  Result<> take_step(const Vertex& vertex, task::Cancel stop) {
    TRY(stop.check());
    Step& step = *tasks_[at(vertex.id)].step;
    StepStates states = states_of(vertex);
    Parts parts = {{"instruction", vertex.text, true}, {"platform", graph_.stages[static_cast<std::size_t>(vertex.stage)].platform.str(), true}};
    if (step.needs_parent()) parts.push_back({"parent", states.parent.tree, false});
    if (step.looks_into_trees()) {
      const bool hit = TRY(use_trees(vertex, step, states, parts, stop));
      if (hit) return {};
      TRY(settle_states(vertex, states, stop));
    }
    TRY(step.key(states, parts, stop));
    const std::string strong = strong_key(parts), weak = weak_key(parts);
    if (!vertex.no_cache) {
      const bool hit = TRY(use_record(vertex, strong, states, parts, stop));
      if (hit) return {};
      for (CacheSource* source : options_.imports) {
        const auto offer = TRY(source->find(strong, stop));
        if (offer) return use_offer(vertex, *offer, states, parts, stop);
      }
    }
    if (options_.dry_run) return would_run(vertex, parts, weak, strong);
    TRY(settle_states(vertex, states, stop));
    bool waited = false;
    const auto lock = TRY(lock_step(strong, stop, waited));
    if (waited && !vertex.no_cache) {
      const bool hit = TRY(use_record(vertex, strong, states, parts, stop));
      if (hit) return {};
    }
    return execute(vertex, step, states, std::move(parts), weak, strong, stop);
  }

  Result<StepLock> lock_step(const std::string& strong, task::Cancel stop, bool& waited) {
    const task::Blocking blocking(*session_.pool);
    return StepLock::acquire(options_.locks, strong, stop, waited);
  }

  bool ran(VertexId id) const { return id != kNoVertex && solved_.steps[at(id)].outcome == Outcome::done; }

  Result<bool> use_record(const Vertex& vertex, const std::string& strong, const StepStates& states, const Parts& parts, task::Cancel stop) {
    StepResult& mine = result(vertex);
    TRY(stop.check());
    const auto record = TRY(records_.find(strong));
    if (!record) return false;
    mine.outcome = Outcome::cached;
    if (is_settled(vertex.parent)) {
      mine.state.chain = states.parent.chain;
      mine.state.chain.push_back(record->layer);
    } else {
      tasks_[at(vertex.id)].settled = false;
    }
    mine.state.tree = record->tree;
    if (!tasks_[at(vertex.id)].step->needs_parent()) {   // the record may be of a build on another parent
      const snapshot::LayerInfo layer = TRY(session_.layers->info(record->layer));
      mine.state.tree = snapshot::next_tree(states.parent.tree, layer.content_id);
    }
    mine.record = *record;
    explained(vertex, true, why_it_hit(parts, *record, ran(vertex.parent)));
    hits_.lock()->push_back(record->id);
    if (options_.replay_logs && !record->log.empty()) replay(mine, record->log);
    if (options_.on_layer) options_.on_layer(vertex, record->layer);
    hash_later(record->layer);
    return true;
  }

  StepStates states_of(const Vertex& vertex) const {
    StepStates states{.parent = state_of(vertex.parent), .inputs = {}};
    for (const VertexId id : vertex.inputs) states.inputs.push_back(state_of(id));
    return states;
  }

  /// Finds a step that looks into trees by the trees' identities, when what it would look into is not here.
  Result<bool> use_trees(const Vertex& vertex, Step& step, const StepStates& states, Parts parts, const task::Cancel& stop) {
    if (!step.tree_key(states, parts)) return false;
    const std::string key = result(vertex).tree_key = strong_key(parts);
    const bool all_here = is_settled(vertex.parent) && std::all_of(vertex.inputs.begin(), vertex.inputs.end(), [&](VertexId id) { return is_settled(id); });
    if (all_here || vertex.no_cache) return false;
    for (CacheSource* source : options_.imports) {
      const auto offer = TRY(source->find_by_trees(key, stop));
      if (!offer) continue;
      TRY(use_offer(vertex, *offer, states, parts, stop));
      return true;
    }
    return false;
  }

  Result<> use_offer(const Vertex& vertex, const Offer& offer, const StepStates& states, const Parts& parts, const task::Cancel& stop) {
    StepResult& mine = result(vertex);
    Task& task = tasks_[at(vertex.id)];
    mine.outcome = Outcome::cached;
    mine.record = offer.record;
    mine.state.tree = snapshot::next_tree(states.parent.tree, offer.content_id);
    task.remote = offer.result;
    task.settled = false;
    auto reasons = why_it_hit(parts, offer.record, ran(vertex.parent));
    reasons.push_back("found in " + offer.from);
    explained(vertex, true, std::move(reasons));
    if (options_.dry_run) return {};
    if (task.in_result) task.remote->fetch();   // others only when they turn out to be needed
    if (!options_.replay_logs) return {};
    TRY(settle(vertex.id, stop));
    if (!mine.record.log.empty()) replay(mine, mine.record.log);
    return {};
  }

  Result<> settle_states(const Vertex& vertex, StepStates& states, const task::Cancel& stop) {
    TRY(settle(vertex.parent, stop));
    for (const VertexId id : vertex.inputs) TRY(settle(id, stop));
    states = states_of(vertex);
    return {};
  }

  /// Brings what is elsewhere of the root filesystem after a step: all layers at once, put in their places from the bottom.
  Result<> settle(VertexId id, const task::Cancel& stop) {
    std::vector<VertexId> waiting;
    for (; !is_settled(id); id = graph_.vertices[at(id)].parent) waiting.push_back(id);
    std::reverse(waiting.begin(), waiting.end());
    for (const VertexId each : waiting)
      if (const auto& remote = tasks_[at(each)].remote) remote->fetch();
    for (const VertexId each : waiting) TRY(settle_one(graph_.vertices[at(each)], stop));
    return {};
  }

  Result<> settle_one(const Vertex& vertex, const task::Cancel& stop) {
    Task& task = tasks_[at(vertex.id)];
    StepResult& mine = result(vertex);
    std::unique_lock lock(task.settling, std::try_to_lock);
    if (!lock) {
      const task::Blocking blocking(*session_.pool);
      lock.lock();
    }
    if (task.settled) return {};
    auto chain = state_of(vertex.parent).chain;
    if (task.remote) {
      auto taken = task.remote->take(task.step->needs_parent() ? chain : snapshot::Chain(), stop);
      if (!taken) return fail(not_taken(vertex, std::move(taken).error()));
      taken->place = task.place;
      taken->tree = mine.state.tree;
      taken->used = now();
      taken->id = TRY(records_.put(*taken));
      mine.record = std::move(*taken);
    }
    chain.push_back(mine.record.layer);
    mine.state.chain = std::move(chain);
    task.settled = true;
    return {};
  }

  /// Not the fault of the step that needs it: nothing is said of that one but that it was stopped.
  Error not_taken(const Vertex& vertex, Error error) {
    if (error.code() == Errc::cancelled) return error;
    auto lost = lost_.lock();
    if (!*lost) *lost = std::move(error).doing(format("taking {} from the cache", quoted(vertex.text)));
    return task::Cancel::error();
  }

  void replay(const StepResult& mine, const oci::Digest& log) {
    const auto read = read_step_log(blobs_, log, [&](int stream, std::int64_t, std::string_view bytes) {
      progress_.send(StepOutput{mine.number, stream, std::string(bytes), true});
    });
    if (!read) log::debug("replaying a log failed: {}", read.error().text());
  }

  void explained(const Vertex& vertex, bool hit, std::vector<std::string> reasons) {
    result(vertex).reasons = reasons;
    if (options_.explain) progress_.send(StepExplained{result(vertex).number, hit, std::move(reasons)});
  }

  Result<std::vector<Record>> explain_run(const Vertex& vertex, const Parts& parts, const std::string& weak, const std::string& strong) {
    auto near = TRY(records_.nearest(weak, tasks_[at(vertex.id)].place));
    if (vertex.no_cache) {
      explained(vertex, false, {"the cache was not to be used (--no-cache)"});
    } else {
      const auto eviction = TRY(records_.eviction(strong));
      const std::string parent = ran(vertex.parent) ? graph_.vertices[at(vertex.parent)].text : "";
      explained(vertex, false, why_it_ran(parts, near, eviction, blobs_, parent));
    }
    return near;
  }

  Result<> would_run(const Vertex& vertex, const Parts& parts, const std::string& weak, const std::string& strong) {
    TRY(explain_run(vertex, parts, weak, strong));
    result(vertex).outcome = Outcome::cancelled;
    return {};
  }

  Result<> execute(const Vertex& vertex, Step& step, const StepStates& states, Parts parts, const std::string& weak,
                   const std::string& strong, task::Cancel stop) {
    StepResult& mine = result(vertex);
    const auto near = TRY(explain_run(vertex, parts, weak, strong));
    const std::string packed = TRY(pack_parts(parts));
    Parts().swap(parts);
    std::optional<task::Limit::Hold> hold;
    const bool is_run = std::holds_alternative<RunOp>(vertex.op);
    if (is_run) {
      const task::Blocking blocking(*session_.pool);
      hold.emplace(TRY(runs_.take(stop)));
    }
    progress_.started(mine.number);
    const std::int64_t begun = monotonic_ns();
    StepLog output(progress_, mine.number, blobs_);
    std::optional<Record> earlier;
    for (const Record& record : near)
      if (!earlier && session_.layers->info(record.layer)) earlier = record;
    std::optional<task::Blocking> blocking;
    if (is_run) blocking.emplace(*session_.pool);
    auto made = step.execute(states, earlier, output, stop);
    blocking.reset();
    if (!made) {
      // What a failed step said is kept for who asks later; that this fails is not worth another error.
      if (const auto log = output.commit()) mine.record.log = *log;
      return fail(std::move(made).error());
    }

    Record& record = mine.record;
    record = {.weak = weak, .strong = strong, .place = tasks_[at(vertex.id)].place, .instruction = vertex.text.substr(0, kMaxInstructionBytes)};
    record.layer = made->id;
    record.bytes = made->bytes;
    record.tree = snapshot::next_tree(states.parent.tree, made->content_id);
    record.duration_ns = monotonic_ns() - begun;
    record.created = record.used = now();
    if (!vertex.no_cache) keep_equal_result(near, *made, record);
    record.parts = TRY(blobs_.put(packed, store::Sync::later));
    record.log = TRY(output.commit());
    record.id = TRY(records_.put(record));
    mine.outcome = Outcome::done;
    mine.state.chain = states.parent.chain;
    mine.state.chain.push_back(record.layer);
    mine.state.tree = record.tree;
    if (options_.on_layer) options_.on_layer(vertex, record.layer);
    hash_later(record.layer);
    return {};
  }

  /// Early cutoff: the same delta as an earlier run's keeps that run's layer, and its time.
  void keep_equal_result(const std::vector<Record>& near, const snapshot::LayerInfo& made, Record& record) {
    for (const Record& earlier : near) {
      if (earlier.tree != record.tree || earlier.layer == record.layer) continue;
      const auto layer = session_.layers->info(earlier.layer);
      if (!layer || layer->content_id != made.content_id || layer->parent_key != made.parent_key) continue;
      record.layer = earlier.layer;
      record.bytes = layer->bytes;
      record.created = earlier.created;
      return;
    }
  }

  void hash_later(const std::string& layer) {
    if (!options_.diff_ids || options_.dry_run) return;
    group_.run([this, layer](task::Cancel stop) -> Result<> {
      TRY_DOING(session_.layers->diff_id(layer, stop), "hashing a layer");
      return {};
    });
  }

  const Graph& graph_;
  Session& session_;
  Records& records_;
  store::BlobStore& blobs_;
  const SolveOptions& options_;
  Progress& progress_;
  Solved& solved_;
  task::Cancel cancel_;
  task::Limit runs_;
  Guarded<std::vector<std::int64_t>> hits_;
  Guarded<std::optional<Error>> lost_;         // why something elsewhere could not be brought here
  task::Group group_;
  std::vector<Task> tasks_;
};

}  // namespace

Result<> solve(const Graph& graph, Session& session, Records& records, store::BlobStore& blobs, const SolveOptions& options,
               Progress& progress, Solved& solved, task::Cancel cancel) {
  return Solver(graph, session, records, blobs, options, progress, solved, cancel).run();
}

const State& StepStates::of(const Vertex& vertex, VertexId id) const {
  static const State empty;
  for (std::size_t i = 0; i < vertex.inputs.size(); ++i)
    if (vertex.inputs[i] == id) return inputs[i];
  if (id == vertex.parent && id != kNoVertex) return parent;
  return empty;
}

Result<runtime::BuildNetwork*> Session::network(task::Cancel cancel) {
  auto network = network_.lock();
  const bool reach_host = std::any_of(extra_hosts.begin(), extra_hosts.end(), [](const auto& host) { return host.second == runtime::kHostGateway; });
  if (!*network)
    *network = TRY_DOING(runtime::make_build_network(state_folder, temporary, cancel, {.reach_host = reach_host}), "setting up the build's network");
  return network->get();
}

}  // namespace mica::build
