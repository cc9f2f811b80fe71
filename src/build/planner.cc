#include "build/planner.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "build/plan_stage.h"

namespace mica::build {
namespace {

namespace df = dockerfile;

constexpr std::string_view kEpoch = "SOURCE_DATE_EPOCH";

/// Asks for all images that the target (or with all_stages the file) needs. What triggers of these images need is found on the
/// way, until nothing new comes. Returns the stages needed; empty when there were faults.
std::vector<int> resolve_stages(StageTable& table, Bases& bases, const Planning& planning, Faults& faults, int target,
                                task::Cancel cancel) {
  for (;;) {
    const std::vector<int> needed = planning.request.all_stages ? table.all() : table.reachable(target);
    for (const int stage : needed) {
      const StageEntry& entry = table.stages()[static_cast<std::size_t>(stage)];
      if (entry.base_stage < 0 && (entry.replacement || entry.base_name != "scratch")) planning.base_of(entry);
      for (const Order& order : entry.orders)
        for (const Source& source : order.sources)
          if (source.kind == Source::Kind::image) planning.image_of(source, order.spot.where);
    }
    if (!bases.resolve(faults, table.names(), cancel)) return {};
    bool fired = false;
    for (const int stage : needed) {
      StageEntry& entry = table.stages()[static_cast<std::size_t>(stage)];
      if (std::exchange(entry.triggers_known, true) || entry.replacement) continue;
      std::vector<std::string> triggers;
      if (entry.base_stage >= 0) {
        for (const Order& order : table.stages()[static_cast<std::size_t>(entry.base_stage)].orders)
          if (const auto* trigger = std::get_if<df::OnBuild>(&order.instruction->command)) triggers.push_back(trigger->text);
      } else if (entry.base_name != "scratch") {
        if (const Base& base = bases.at(planning.base_of(entry)); base.image) triggers = base.image->config.on_build;
      }
      if (triggers.empty()) continue;
      table.add_triggers(stage, triggers);
      fired = true;
    }
    if (!faults.empty()) return {};
    if (!fired) return needed;
  }
}

/// An image built for a platform says so, whatever its base said; without a wish for one it stays what the base is.
void set_platform(oci::ImageConfig& config, const PlanRequest& request) {
  const oci::Platform& wanted = request.platform;
  if (config.platform.os.empty() || config.platform.architecture.empty()) config.platform = wanted;
  if (wanted == request.build_platform) return;
  const bool same = wanted.os == config.platform.os && wanted.architecture == config.platform.architecture;
  config.platform.os = wanted.os;
  config.platform.architecture = wanted.architecture;
  if (!wanted.variant.empty() || !same) config.platform.variant = wanted.variant;
  if (!wanted.os_version.empty() || !same) config.platform.os_version = wanted.os_version;
}

void set_labels(oci::ImageConfig& config, const PlanRequest& request) {
  for (const auto& [name, value] : request.labels) {
    std::erase_if(config.labels, [&](const auto& label) { return label.first == name; });
    config.labels.emplace_back(name, value);
  }
}

std::optional<std::string> source_date_epoch(const BuildArguments& given, const Environment& globals) {
  if (auto value = given.get(kEpoch)) return value;
  auto value = globals.get(kEpoch);
  return value && !value->empty() ? value : std::nullopt;
}

}  // namespace

Result<Graph> plan_build(df::File file, const PlanRequest& request, BaseImages& images, task::Cancel cancel) {
  const BuildArguments given(request);
  auto options = TRY(parse_check_options(given.get_or("BUILDKIT_DOCKERFILE_CHECK", file.directives.check)));
  Checks checks(std::move(options));
  checks.take_over(file);
  if (file.stages.empty())
    return fail(Error(Errc::invalid_argument, "dockerfile contains no stages to build")
                    .with_hint("a Dockerfile needs a FROM")
                    .at({.file = file.name}));
  const NamedContexts named = TRY(NamedContexts::make(request.named_contexts, request.platform));
  IgnoreRules ignore{.patterns = request.ignore_patterns, .matcher = {}};
  ignore.matcher = TRY_DOING(df::PatternMatcher::compile(request.ignore_patterns), "reading the ignore file");

  Faults faults(file);
  const Environment predefined =
      predefined_arguments(request, request.target.empty() ? file.stages.back().name : request.target, given);
  check_default_bases(file, predefined, checks);
  std::vector<std::string_view> declared;
  const Environment globals = global_arguments(file, predefined, &given, &faults, declared);
  StageTable table(file, globals, declared, named, faults, checks);
  if (!faults.empty()) return fail(faults.take());
  const int target = TRY(table.find_target(request.target));

  Bases bases(images, named, request);
  Planning planning{.file = file,
                    .request = request,
                    .given = given,
                    .globals = globals,
                    .table = table,
                    .bases = bases,
                    .faults = faults,
                    .checks = checks,
                    .ignore = std::move(ignore),
                    .graph_index = std::vector<int>(table.stages().size(), -1),
                    .states = std::vector<StageState>(table.stages().size()),
                    .graph = {},
                    .base_vertices = {}};
  planning.graph.contexts.emplace_back();
  const std::vector<int> needed = resolve_stages(table, bases, planning, faults, target, cancel);
  if (!faults.empty()) return fail(faults.take());
  for (std::size_t i = 0; i < needed.size(); ++i) planning.graph_index[static_cast<std::size_t>(needed[i])] = static_cast<int>(i);
  for (const int stage : needed) {
    const bool is_continued = std::ranges::any_of(
        needed, [&](int other) { return table.stages()[static_cast<std::size_t>(other)].base_stage == stage; });
    StagePlanner(planning, stage).run(stage == target || is_continued);
  }
  if (!faults.empty()) return fail(faults.take());
  TRY(checks.verdict(file));

  Graph graph = std::move(planning.graph);
  for (const int stage : needed) graph.stages.push_back(std::move(planning.states[static_cast<std::size_t>(stage)].plan));
  graph.target = planning.graph_index[static_cast<std::size_t>(target)];
  oci::ImageConfig& config = graph.stages[static_cast<std::size_t>(graph.target)].config;
  set_platform(config, request);
  set_labels(config, request);
  graph.warnings = checks.take();
  graph.source_date_epoch = source_date_epoch(given, globals);
  graph.file = std::move(file);
  return graph;
}

}  // namespace mica::build
