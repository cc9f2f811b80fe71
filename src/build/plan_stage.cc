#include "build/plan_stage.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "build/plan_history.h"
#include "build/plan_titles.h"

namespace mica::build {
namespace {

namespace df = dockerfile;

constexpr std::string_view kDefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool has_layers(const oci::ImageConfig& config) {
  // Images of schema 1 may come without DiffIDs: their history tells.
  return !config.diff_ids.empty() || std::ranges::any_of(config.history, [](const oci::History& h) { return !h.empty_layer; });
}

bool is_no_cache(const PlanRequest& request, const std::string& stage) {
  if (request.no_cache) return true;
  return !stage.empty() &&
         std::ranges::any_of(request.no_cache_filter, [&](const std::string& name) { return equals_ignoring_case(name, stage); });
}

}  // namespace

int Planning::base_of(const StageEntry& entry) const {
  return bases.want(entry.base_name, entry.platform.value_or(request.platform), entry.replacement, entry.spot.where);
}

int Planning::image_of(const Source& source, const df::Range& where) const {
  return bases.want(source.name, request.platform, nullptr, where);
}

Origin Planning::context_origin(const NamedContext& context) {
  for (std::size_t i = 1; i < graph.contexts.size(); ++i)
    if (graph.contexts[i].name == context.name) return {Origin::Kind::context, static_cast<int>(i), kNoVertex};
  graph.contexts.push_back(context);
  return {Origin::Kind::context, static_cast<int>(graph.contexts.size()) - 1, kNoVertex};
}

StagePlanner::StagePlanner(Planning& planning, int stage)
    : planning_(planning),
      stage_(stage),
      entry_(planning.table.stages()[static_cast<std::size_t>(stage)]),
      state_(planning.states[static_cast<std::size_t>(stage)]) {}

void StagePlanner::run(bool is_root) {
  StagePlan& plan = state_.plan;
  if (entry_.base_stage >= 0) {
    start_from_parent(planning_.states[static_cast<std::size_t>(entry_.base_stage)]);
  } else if (entry_.base_name == "scratch" && !entry_.replacement) {
    start_empty(planning_.request.platform);
  } else {
    const int number = planning_.base_of(entry_);
    start_from_base(planning_.bases.at(number), number, is_root || !entry_.replacement);
  }
  plan.name = entry_.source->name_as_written;
  plan.base_name = entry_.base_name;
  if (!entry_.replacement) {
    enter_environment();
    for (const Order& order : entry_.orders)
      if (auto applied = apply(order); !applied) planning_.faults.add(std::move(applied).error(), order.spot.where, failed_word_);
    state_.files = {Origin::Kind::vertex, 0, plan.last};
  }
  number_titles();
  state_.planned = true;
}

void StagePlanner::start_from_parent(const StageState& parent) {
  state_ = parent;
  state_.planned = false;
  state_.plan.config.on_build.clear();
}

void StagePlanner::start_empty(const oci::Platform& platform) {
  StagePlan& plan = state_.plan;
  plan.platform = platform;
  plan.config.platform = platform;
  plan.config.working_dir = "/";
  plan.config.env = {std::string(kDefaultPath)};
}

void StagePlanner::start_from_base(const Base& base, int number, bool is_root) {
  StagePlan& plan = state_.plan;
  if (base.image) {
    plan.config = base.image->config;
    plan.config.created.reset();
    plan.config.on_build.clear();
    plan.platform = base.platform;
    plan.base = plan.last = base_vertex(base, number, entry_.spot.where, true);
    state_.files = {Origin::Kind::vertex, 0, plan.last};
    const oci::Platform& found = base.image->config.platform;
    if (plan.last != kNoVertex && !entry_.replacement &&
        (found.os != base.platform.os || found.architecture != base.platform.architecture))
      planning_.checks.warn("InvalidBaseImagePlatform",
                            format("Base image {} was pulled with platform {}, expected {} for current build", entry_.base_name,
                                   quoted(found.str()), quoted(base.platform.str())),
                            entry_.spot);
    return;
  }
  start_empty(base.platform);
  state_.files = planning_.context_origin(*base.folder);
  if (!is_root) return;
  // A folder in the place of a base: its files become the first layer.
  const Order order{.instruction = nullptr, .spot = entry_.spot, .on_build = false, .sources = {}};
  add_vertex(order, CopyOp{.from = state_.files, .sources = {"."}, .destination = "/"}, {}, "FROM " + base.folder->name);
  plan.history.push_back(
      {.created_by = "local source for " + base.folder->name, .comment = "buildkit.exporter.image.v0", .empty_layer = false});
}

/// The environment that the stage's first instruction sees; the image's own variables win over ARGs of the parent stage.
void StagePlanner::enter_environment() {
  oci::ImageConfig& config = state_.plan.config;
  const bool has_path =
      std::ranges::any_of(config.env, [](const std::string& entry) { return split_variable(entry).first == "PATH"; });
  if (!has_path && state_.plan.platform.os != "windows") config.env.emplace_back(kDefaultPath);
  for (const std::string& entry : config.env) {
    const auto [name, value] = split_variable(entry);
    state_.environment.set(name, std::string(value));
  }
  if (!config.working_dir.empty()) config.working_dir = joined_workdir("", config.working_dir);
}

VertexId StagePlanner::base_vertex(const Base& base, int number, const df::Range& where, bool titled) {
  if (!has_layers(base.image->config)) return kNoVertex;
  const auto known = planning_.base_vertices.find(number);
  VertexId id = known == planning_.base_vertices.end() ? kNoVertex : known->second;
  if (id == kNoVertex) {
    id = static_cast<VertexId>(planning_.graph.vertices.size());
    planning_.base_vertices.emplace(number, id);
    planning_.graph.vertices.push_back({.id = id,
                                        .op = BaseOp{*base.image},
                                        .stage = planning_.graph_index[static_cast<std::size_t>(stage_)],
                                        .text = "FROM " + base.image->name,
                                        .where = where});
    if (!titled) planning_.graph.vertices.back().title = "FROM " + base.shown;
  }
  if (titled) titles_.emplace_back(id, "FROM " + base.shown);
  return id;
}

VertexId StagePlanner::add_vertex(const Order& order, Op op, std::vector<VertexId> inputs, std::string title) {
  StagePlan& plan = state_.plan;
  const auto id = static_cast<VertexId>(planning_.graph.vertices.size());
  std::string text = order.instruction ? one_line(*order.instruction) : title;
  planning_.graph.vertices.push_back({.id = id,
                                      .parent = plan.last,
                                      .inputs = std::move(inputs),
                                      .op = std::move(op),
                                      .stage = planning_.graph_index[static_cast<std::size_t>(stage_)],
                                      .text = std::move(text),
                                      .where = order.spot.where,
                                      .no_cache = is_no_cache(planning_.request, entry_.source->name)});
  titles_.emplace_back(id, (order.on_build ? "ONBUILD " : "") + std::move(title));
  plan.last = id;
  return id;
}

/// A base that several stages share keeps the title of the first.
void StagePlanner::number_titles() {
  for (std::size_t i = 0; i < titles_.size(); ++i) {
    Vertex& vertex = planning_.graph.vertices[static_cast<std::size_t>(titles_[i].first)];
    if (vertex.title.empty()) vertex.title = step_prefix(entry_.title_name, i + 1, titles_.size()) + titles_[i].second;
  }
}

void StagePlanner::commit(std::string text, bool empty_layer) {
  state_.plan.history.push_back(
      {.created_by = std::move(text), .comment = std::string(kHistoryComment), .empty_layer = empty_layer});
}

WordExpander StagePlanner::expander(const Order& order) {
  const auto expand = [this, &order](const std::string& text, df::ExpandOptions options) -> Result<std::string> {
    if (text.find_first_of("$\\'\"`") == text.npos) return text;
    auto expanded = df::expand(text, state_.environment.lookup(), options);
    if (!expanded) {
      failed_word_ = text;
      return fail(std::move(expanded).error());
    }
    for (const std::string& name : expanded->unset) {
      const bool is_declared =
          std::ranges::any_of(state_.arguments, [&](const auto& argument) { return argument.first == name; });
      if (!is_declared && !is_hidden_argument(name))
        planning_.checks.undefined_variable(name, state_.environment.names(), order.spot);
    }
    return std::move(expanded->text);
  };
  const char escape = planning_.file.directives.escape;
  return {
      .word = [expand, escape](const std::string& text) { return expand(text, {.escape = escape}); },
      .words = [this, escape](
                   const std::string& text) { return df::expand_words(text, state_.environment.lookup(), {.escape = escape}); },
      .document = [expand](const std::string& text) { return expand(text, {.escape = '\\', .keep_quotes = true}); }};
}

Result<Origin> StagePlanner::origin_of(const Source& source, const Order& order, std::string_view what) {
  switch (source.kind) {
    case Source::Kind::context:
      return Origin{};
    case Source::Kind::nothing:
      return Origin{Origin::Kind::vertex, 0, kNoVertex};
    case Source::Kind::stage: {
      if (source.stage == stage_)
        return Origin{Origin::Kind::vertex, 0, state_.plan.last};  // only a trigger can name its own stage
      const StageState& other = planning_.states[static_cast<std::size_t>(source.stage)];
      if (other.planned) return other.files;
      const std::string here = !entry_.source->name.empty() ? entry_.source->name : format("stage-{}", stage_);
      Error error(Errc::invalid_argument,
                  what.empty() ? format("cannot copy from stage {}, it needs to be defined before current stage {}",
                                        quoted(source.name), quoted(here))
                               : format("cannot mount from stage {} to {}, stage needs to be defined before current command",
                                        quoted(source.name), quoted(what)));
      return fail(std::move(error).with_hint(format("move the stage {} above line {}", source.name, entry_.spot.where.line)));
    }
    case Source::Kind::image:
      break;
  }
  const int number = planning_.image_of(source, order.spot.where);
  const Base& base = planning_.bases.at(number);
  if (base.folder) return planning_.context_origin(*base.folder);
  return Origin{Origin::Kind::vertex, 0, base_vertex(base, number, order.spot.where, false)};
}

}  // namespace mica::build
