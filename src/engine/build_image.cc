#include "engine/build_image.h"

#include <cstdlib>

#include "base/format.h"
#include "base/guarded.h"
#include "base/text.h"
#include "build/assemble_image.h"
#include "build/planner.h"
#include "build/progress.h"
#include "build/solver.h"
#include "dockerfile/parser.h"
#include "engine/add_image.h"
#include "engine/build_bases.h"
#include "engine/build_outputs.h"
#include "engine/collect_garbage.h"
#include "engine/download.h"
#include "engine/extra_hosts.h"
#include "engine/host_ca.h"
#include "engine/image_trend.h"
#include "engine/layout.h"
#include "engine/lock_bases.h"
#include "engine/step_cache_reader.h"
#include "engine/step_cache_writer.h"

namespace mica::engine {
namespace {

using Arguments = std::vector<std::pair<std::string, std::optional<std::string>>>;

constexpr const char* kEpoch = "SOURCE_DATE_EPOCH";
constexpr int kSolvesWithCaches = 3;

/// "K=V" as it is; "K" takes our own value and is dropped when there is none. SOURCE_DATE_EPOCH of the environment and --timestamp
/// are arguments as well, so that stages that declare it see the time they are built for.
Arguments arguments_of(const BuildImage& request) {
  Arguments arguments;
  bool has_epoch = false;
  for (const auto& text : request.build_args) {
    if (const auto pair = split_once(text, '=')) arguments.emplace_back(std::string(pair->first), std::string(pair->second));
    else if (const char* value = std::getenv(text.c_str())) arguments.emplace_back(text, value);
    has_epoch = has_epoch || text == kEpoch || text.starts_with(std::string(kEpoch) + "=");
  }
  if (has_epoch) return arguments;
  const char* variable = std::getenv(kEpoch);
  const std::string epoch = !request.timestamp.empty() ? request.timestamp : variable ? variable : "";
  if (!epoch.empty()) arguments.emplace_back(kEpoch, epoch);
  return arguments;
}

/// --timestamp, else SOURCE_DATE_EPOCH as build argument (or variable: arguments_of), else as global ARG with a default; empty is
/// none. "context" is the commit's time.
Result<std::optional<Timestamp>> epoch_of(const BuildImage& request, const build::Graph& graph, const build::Context& context) {
  std::string text = request.timestamp;
  if (text.empty()) text = graph.source_date_epoch.value_or("");
  if (text.empty()) return std::nullopt;
  if (text == "context") {
    if (context.commit_time.empty())
      return failf(Errc::invalid_argument, "SOURCE_DATE_EPOCH=context needs a git context, and {} has no commit time", context.description);
    text = context.commit_time;
  }
  const auto seconds = parse_int(text);
  const char* from = request.timestamp.empty() ? kEpoch : "--timestamp";
  if (!seconds || *seconds < 0) return failf(Errc::invalid_argument, "{}={} is not a number of seconds", from, quoted(text));
  return std::optional(Timestamp::from_seconds(*seconds));
}

Result<std::vector<std::pair<std::string, std::string>>> pairs_of(const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& text : texts) {
    const auto pair = split_once(text, '=');
    pairs.emplace_back(pair ? pair->first : text, pair ? pair->second : "");
    if (pairs.back().first.empty()) return failf(Errc::invalid_argument, "invalid label {}: the name is empty", quoted(text));
  }
  return pairs;
}

Result<std::vector<std::pair<std::string, std::string>>> hosts_of(const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> hosts;
  for (const auto& text : texts) {
    auto host = TRY(parse_extra_host(text));
    hosts.push_back(std::move(host));
  }
  return hosts;
}

Result<std::vector<build::NamedContext>> contexts_of(const std::vector<std::string>& texts) {
  std::vector<build::NamedContext> contexts;
  for (const auto& text : texts) {
    const auto pair = split_once(text, '=');
    if (!pair || pair->first.empty()) return failf(Errc::invalid_argument, "invalid build context {}: expected NAME=VALUE", quoted(text));
    contexts.push_back({std::string(pair->first), std::string(pair->second)});
  }
  return contexts;
}

/// Lends a session the main context; the next platform's build needs it again.
class LentContext {
 public:
  LentContext(std::unique_ptr<build::SourceTree>& owner, build::Session& session) : owner_(owner), session_(session) {
    session_.contexts.insert(session_.contexts.begin(), std::move(owner_));
  }
  ~LentContext() { owner_ = std::move(session_.contexts.front()); }
  LentContext(const LentContext&) = delete;

 private:
  std::unique_ptr<build::SourceTree>& owner_;
  build::Session& session_;
};

/// One build from its request to its result.
class Build {
 public:
  Build(Engine& engine, const BuildImage& request, build::EventSink* events, task::Cancel cancel)
      : engine_(engine), request_(request), progress_(events), cancel_(cancel), bases_(engine, request.pull, progress_), records_(engine.database()) {}

  Result<BuildResult> run() {
    // The registry client may outlive this build.
    engine_.on_registry_remark([to = shown_in_](std::string text) {
      auto progress = to->lock();
      if (*progress) build::Stage(**progress, "[internal] " + text).done();
    });
    auto result = recorded();
    *shown_in_->lock() = nullptr;
    return result;
  }

 private:
  Result<BuildResult> recorded() {
    begun_ = monotonic_ns();
    result_.report.started = now();
    auto outcome = steps();
    result_.report.duration_ns = monotonic_ns() - begun_;
    if (outcome) result_.report.image = result_.image_id.digest.hex();
    else result_.report.error = outcome.error().text();
    if (!result_.report.steps.empty() && request_.action == BuildAction::build) {
      auto stored = build::Reports(engine_.database()).put(result_.report);
      if (outcome && !stored) return fail(std::move(stored).error());
      if (stored) result_.report.id = *stored;
      if (outcome) remember_build(engine_, result_.report, result_.image_id, request_.build_args);
    }
    if (!outcome) return fail(std::move(outcome).error());
    return std::move(result_);
  }

  Result<> steps() {
    std::vector<oci::Platform> platforms;
    for (const auto& text : request_.platforms) {
      auto platform = TRY(oci::Platform::parse(text));
      platforms.push_back(std::move(platform));
    }
    if (platforms.empty()) platforms.push_back(oci::Platform::host());
    TRY(check_outputs(request_, platforms.size()));
    collection_ = TRY(hold_off_collection(engine_));
    TRY(open_context());
    if (request_.action == BuildAction::targets) return list_targets();
    if (!request_.no_lock) lock_ = TRY(find_lock(request_.context, context_));
    if (request_.locked) TRY(require_lock());
    const auto arguments = arguments_of(request_);
    std::vector<Built> built;
    for (const auto& platform : platforms) {
      auto one = TRY(build_platform(platform, arguments));
      if (one) built.push_back(std::move(*one));
    }
    if (request_.action != BuildAction::build) return {};
    result_.config = built[0].image.config;
    TRY(write_outputs(engine_, request_, built, epoch_, progress_, result_, cancel_));
    if (result_.names.empty()) return {};
    for (const auto& name : result_.names) result_.report.tags.push_back(name);
    return {};
  }

  /// --locked.
  Result<> require_lock() {
    DockerfileQuestions questions{.build_args = request_.build_args, .platforms = request_.platforms, .contexts = {}};
    const auto contexts = TRY(contexts_of(request_.build_contexts));
    for (const auto& context : contexts) questions.contexts.emplace_back(context.name, context.value);
    return require_whole_lock(file_, base_name(context_.dockerfile_name), lock_, questions, engine_.pool(), cancel_);
  }

  build::ContextTools tools() {
    return {.database = &engine_.database(), .pool = &engine_.pool(), .temporary = engine_.workspace().path(), .download = downloader(engine_)};
  }

  Result<> open_context() {
    build::Stage stage(progress_, "[internal] load build definition from " + (request_.context.dockerfile.empty() ? "Dockerfile" : request_.context.dockerfile));
    auto opened = build::open_context(request_.context, tools(), cancel_);
    if (opened) {
      context_ = std::move(*opened);
      auto file = dockerfile::parse_file(context_.dockerfile_name, context_.dockerfile);
      if (file) {
        file_ = std::move(*file);
        stage.progress("transferring dockerfile", static_cast<std::int64_t>(context_.dockerfile.size()), static_cast<std::int64_t>(context_.dockerfile.size()), true);
        stage.done();
        result_.report.dockerfile = context_.dockerfile_name;
        result_.report.source = context_.dockerfile;
        result_.report.context = context_.description;
        result_.report.target = request_.target;
        return {};
      }
      opened = fail(std::move(file).error());
    }
    stage.failed(opened.error().text());
    return fail(std::move(opened).error());
  }

  Result<> list_targets() {
    for (const auto& stage : file_.stages) result_.targets.push_back(stage.name);
    result_.file = std::move(file_);
    return {};
  }

  Result<std::optional<Built>> build_platform(const oci::Platform& platform, const Arguments& arguments) {
    build::PlanRequest plan{.target = request_.target, .build_args = arguments, .platform = platform, .network = request_.network,
                            .no_cache = request_.no_cache, .no_cache_filter = request_.no_cache_filter};
    plan.ignore_patterns = context_.ignore_patterns;
    plan.all_stages = request_.action == BuildAction::check && request_.target.empty();
    plan.labels = TRY(pairs_of(request_.labels));
    plan.named_contexts = TRY(contexts_of(request_.build_contexts));
    plan.entitlements.insert(request_.allow.begin(), request_.allow.end());
    const auto graph = TRY(build::plan_build(file_, plan, locked_, cancel_));
    epoch_ = TRY(epoch_of(request_, graph, context_));
    result_.warnings = graph.warnings;
    result_.file = graph.file;
    for (const auto& warning : graph.warnings)
      progress_.send(build::Warned{warning, graph.file.name, dockerfile::excerpt(graph.file.source, warning.where)});
    if (request_.action == BuildAction::check) return std::optional<Built>();

    build::Session session;
    TRY(set_up(session, graph, arguments));
    const LentContext lent(context_.tree, session);
    build::SolveOptions options{.place = place(platform), .locks = engine_.folder(kLocksFolder), .explain = request_.explain || request_.action == BuildAction::dry_run,
                                .replay_logs = request_.replay_logs, .dry_run = request_.action == BuildAction::dry_run};
    Caches caches;
    open_caches(graph, caches, options);
    build::Solved solved;
    auto outcome = solve(graph, session, options, caches, solved);
    report_steps(graph, solved);
    TRY(std::move(outcome));
    if (request_.action == BuildAction::dry_run) return std::optional<Built>();
    Built built{.platform = platform};
    built.image = TRY_DOING(build::assemble_image(graph, solved, session, epoch_, cancel_), "assembling the image");
    TRY(export_caches(caches, solved));
    return std::optional(std::move(built));
  }

  struct Caches {
    std::vector<std::unique_ptr<StepCacheReader>> from;
    std::vector<std::unique_ptr<StepCacheWriter>> to;   // as request_.cache_to
  };

  void open_caches(const build::Graph& graph, Caches& caches, build::SolveOptions& options) {
    for (const auto& store : request_.cache_from) {
      caches.from.push_back(std::make_unique<StepCacheReader>(engine_, store, progress_, cancel_));
      options.imports.push_back(caches.from.back().get());
      if (bases_.has_to_fetch()) caches.from.back()->prepare();
    }
    if (request_.action != BuildAction::build || request_.cache_to.empty()) return;
    for (const auto& store : request_.cache_to) caches.to.push_back(std::make_unique<StepCacheWriter>(engine_, store, graph, cancel_));
    options.on_layer = [&caches](const build::Vertex& vertex, const snapshot::LayerId& layer) {
      for (const auto& cache : caches.to) cache->add(vertex, layer);
    };
  }

  /// A cache may fail to keep what it promised when later steps have been found by that promise: then the build is gone through again without it. What was
  /// done is in the store, so little is done twice.
  Result<> solve(const build::Graph& graph, build::Session& session, build::SolveOptions& options, Caches& caches, build::Solved& solved) {
    Result<> outcome;
    for (int left = kSolvesWithCaches; left >= 0; --left) {
      if (left == 0) options.imports.clear();
      solved = {};
      outcome = build::solve(graph, session, records_, engine_.blobs(), options, progress_, solved, cancel_);
      for (const auto& cache : caches.from) cache->finish();
      for (const auto& cache : caches.from)
        for (const auto& target : caches.to) target->distrust(cache->lost_layers());
      if (outcome || !solved.lost) break;
      build::Stage stage(progress_, "[internal] going on without what a cache lacks");
      progress_.send(build::StepOutput{stage.number(), 2, format("warning: {}\n", outcome.error().text()), false});
      stage.done();
    }
    for (const auto& cache : caches.from) {
      if (!cache->failure().empty()) result_.remarks.push_back(format("the cache {} was not used: {}", cache->name(), cache->failure()));
      for (const auto& lost : cache->lost())
        result_.remarks.push_back(format("{} was not taken from the cache {}: {}", quoted(lost.instruction), cache->name(), lost.reason));
    }
    return outcome;
  }

  Result<> export_caches(Caches& caches, const build::Solved& solved) {
    for (std::size_t i = 0; i < caches.to.size(); ++i) {
      const CacheStore& store = request_.cache_to[i];
      build::Stage stage(progress_, "exporting cache to " + store.name());
      auto written = caches.to[i]->finish(solved, stage, cancel_);
      if (!written && written.error().code() != Errc::cancelled && store.ignore_error) {
        const std::string why = written.error().text();
        result_.remarks.push_back(format("the cache {} was not written: {}", store.name(), why));
        progress_.send(build::StepOutput{stage.number(), 2, format("warning: the cache is not written: {}\n", why), false});
        written = {};
      }
      if (!written) {
        stage.failed(written.error().text());
        return fail(std::move(written).error().doing("exporting the cache to " + store.name()));
      }
      stage.done();
    }
    return {};
  }

  /// What makes a step the same step of the same build, for finding its earlier record.
  std::string place(const oci::Platform& platform) const {
    Sha256 hash;
    hash.field(context_.root.empty() ? context_.description : context_.root).field(context_.dockerfile_name).field(platform.str());
    return hash.finish_hex();
  }

  Result<> set_up(build::Session& session, const build::Graph& graph, const Arguments& arguments) {
    session.layers = &engine_.layers();
    session.snapshotter = [this] { return engine_.snapshotter(); };
    session.runtime = [this] { return engine_.runtime(); };
    session.download = downloader(engine_);
    session.pool = &engine_.pool();
    session.database = &engine_.database();
    session.bases = &locked_;
    session.state_folder = engine_.root();
    session.temporary = engine_.workspace().path();
    session.cache_mounts = engine_.folder(kCacheMountsFolder);
    session.secrets = request_.secrets;
    session.ssh = request_.ssh;
    session.proxy_env = build::proxy_environment(arguments);
    session.extra_hosts = TRY(hosts_of(request_.add_hosts));
    session.shm_bytes = request_.shm_bytes;
    session.rlimits = request_.rlimits;
    session.cgroup_parent = request_.cgroup_parent;
    session.debug_shell = request_.debug_shell;
    if (!request_.ca.empty()) session.ca_bundle = TRY(find_ca_bundle(request_.ca));
    if (epoch_) session.clamp_ns = epoch_->ns;
    for (std::size_t i = 1; i < graph.contexts.size(); ++i) {
      auto tree = TRY(build::open_named_context(graph.contexts[i].name, graph.contexts[i].value, tools(), cancel_));
      session.contexts.push_back(std::move(tree));
    }
    return {};
  }

  void report_steps(const build::Graph& graph, const build::Solved& solved) {
    for (std::size_t i = 0; i < solved.steps.size(); ++i) {
      const auto& step = solved.steps[i];
      const auto& vertex = graph.vertices[i];
      result_.report.steps.push_back({.number = step.number, .title = vertex.title, .text = vertex.text, .line = vertex.where.line, .outcome = step.outcome,
                                      .reasons = step.reasons, .started_ns = step.started_ns < 0 ? -1 : step.started_ns - begun_, .duration_ns = step.duration_ns, .record = step.record.strong, .layer = step.record.layer,
                                      .log = step.record.log});
    }
  }

  Engine& engine_;
  const BuildImage& request_;
  build::Progress progress_;
  task::Cancel cancel_;
  std::shared_ptr<Guarded<build::Progress*>> shown_in_ = std::make_shared<Guarded<build::Progress*>>(&progress_);
  StoreBases bases_;
  std::optional<LockFile> lock_;
  LockedBases locked_{bases_, lock_};
  build::Records records_;
  std::optional<sys::FileLock> collection_;
  build::Context context_;
  dockerfile::File file_;
  std::optional<Timestamp> epoch_;
  BuildResult result_;
  std::int64_t begun_ = 0;
};

}  // namespace

Result<BuildResult> build_image(Engine& engine, const BuildImage& request, build::EventSink* events, task::Cancel cancel) {
  BuildImage complete = request;
  if (complete.outputs.empty()) complete.outputs.push_back({});
  return Build(engine, complete, events, cancel).run();
}

}  // namespace mica::engine
