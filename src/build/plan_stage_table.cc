#include "build/plan_stage_table.h"

#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/expand.h"
#include "dockerfile/parser.h"
#include "oci/reference.h"

namespace mica::build {
namespace {

namespace df = dockerfile;

constexpr std::string_view kScratch = "scratch";

/// An expansion that remembers which names it met.
struct Traced {
  Result<df::Expansion> expansion;
  std::set<std::string, std::less<>> found, missing;
};
Traced trace(const std::string& text, const Environment& environment, char escape) {
  Traced traced{.expansion = df::Expansion{}, .found = {}, .missing = {}};
  const auto lookup = [&](std::string_view name) {
    auto value = environment.get(name);
    (value ? traced.found : traced.missing).emplace(name);
    return value;
  };
  traced.expansion = df::expand(text, lookup, {.escape = escape});
  return traced;
}

bool is_number(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == text.npos; }

/// True when a word would change by expansion: quotes, escapes and variables.
bool is_plain(const std::string& text) {
  const auto nothing = [](std::string_view) -> std::optional<std::string> { return std::nullopt; };
  const auto expanded = df::expand(text, nothing);
  return expanded && expanded->text == text;
}

/// A fault of the file, with BuildKit's suggestion in brackets when a known name is near.
Error fault_near(std::string text, std::string_view word, std::span<const std::string_view> known) {
  if (const auto near = closest(word, known)) text += format(" (did you mean {}?)", *near);
  return Error(Errc::invalid_argument, std::move(text));
}

}  // namespace

StageTable::StageTable(const df::File& file, const Environment& globals, const std::vector<std::string_view>& declared,
                       const NamedContexts& named, Faults& faults, Checks& checks)
    : file_(file), faults_(faults), checks_(checks) {
  stages_.reserve(file.stages.size());
  for (const df::Stage& stage : file.stages) {
    StageEntry entry{.source = &stage, .spot = {stage.where, &stage.comments}};
    read_from(entry, globals, declared, named);
    if (file.stages.size() > 1) entry.title_name = stage.name.empty() ? format("stage-{}", stages_.size()) : stage.name;
    stages_.push_back(std::move(entry));
  }
  for (StageEntry& entry : stages_)
    for (const df::Instruction& instruction : entry.source->instructions) {
      const Spot spot{instruction.where, &instruction.comments};
      Order order{.instruction = &instruction, .spot = spot};
      order.sources = sources_of(instruction, spot);
      // The instructions of a replaced stage are checked like all others, and forgotten.
      if (!entry.replacement) entry.orders.push_back(std::move(order));
    }
  check_circles();
}

void StageTable::read_from(StageEntry& entry, const Environment& globals, const std::vector<std::string_view>& declared,
                           const NamedContexts& named) {
  const df::Stage& stage = *entry.source;
  const Traced traced = trace(stage.base, globals, file_.directives.escape);
  std::vector<std::string_view> known = globals.names();
  known.insert(known.end(), declared.begin(), declared.end());
  if (!traced.expansion) {
    faults_.add(traced.expansion.error(), stage.where, stage.base);
    return;
  }
  for (const std::string& name : traced.expansion->unset)
    if (std::ranges::find(known, name) == known.end()) checks_.undefined_from_argument(name, known, entry.spot);
  entry.base_name = traced.expansion->text;
  if (entry.base_name.empty()) {
    const std::string_view name = traced.missing.empty() ? std::string_view() : std::string_view(*traced.missing.begin());
    const bool is_declared = std::ranges::find(declared, name) != declared.end();
    Error error = fault_near(format("base name ({}) should not be blank", stage.base), is_declared ? "" : name, known);
    if (is_declared)
      error = std::move(error).with_hint(format("{} has no value: give it a default, or pass --build-arg {}=VALUE", name, name));
    else if (!name.empty())
      error = std::move(error).with_hint(format("FROM sees only ARGs before the first FROM: declare ARG {} there", name));
    faults_.add(std::move(error), stage.where);
    return;
  }
  read_platform(entry, globals, declared);
  const auto earlier = find(entry.base_name);
  if (earlier)
    entry.base_stage = *earlier;
  else if (entry.base_name != kScratch)
    if (const auto reference = oci::Reference::parse(entry.base_name); !reference)
      faults_.add(fault_near(format("failed to parse stage name {}: {}", quoted(entry.base_name), reference.error().message()),
                             entry.base_name, names()),
                  stage.where);
  if (!stage.name.empty()) entry.replacement = named.find(stage.name, entry.platform ? &*entry.platform : nullptr);
  if (entry.replacement) entry.base_stage = -1;
}

void StageTable::read_platform(StageEntry& entry, const Environment& globals, const std::vector<std::string_view>& declared) {
  const df::Stage& stage = *entry.source;
  if (stage.platform.empty()) return;
  const Traced traced = trace(stage.platform, globals, file_.directives.escape);
  std::vector<std::string_view> known = globals.names();
  known.insert(known.end(), declared.begin(), declared.end());
  if (!traced.expansion) {
    faults_.add(traced.expansion.error(), stage.where, stage.platform);
    return;
  }
  for (const std::string& name : traced.expansion->unset)
    if (std::ranges::find(known, name) == known.end()) checks_.undefined_from_argument(name, known, entry.spot);
  const std::string& text = traced.expansion->text;
  if (traced.missing.empty() && traced.found.size() == 1 && traced.found.contains("TARGETPLATFORM") &&
      text == globals.get("TARGETPLATFORM"))
    checks_.warn("RedundantTargetPlatform",
                 format("Setting platform to predefined {} in FROM is redundant as this is the default behavior", stage.platform),
                 entry.spot);
  if (traced.found.empty() && traced.missing.empty()) checks_.constant_platform(stage.name, text, entry.spot);
  const std::string_view unknown = traced.missing.empty() ? std::string_view() : std::string_view(*traced.missing.begin());
  if (text.empty()) {
    faults_.add(fault_near(format("empty platform value from expression {}", stage.platform), unknown, known), stage.where);
    return;
  }
  auto platform = oci::Platform::parse(text);
  if (!platform) {
    faults_.add(fault_near(format("failed to parse platform {}: {}", stage.platform, platform.error().message()), unknown, known),
                stage.where);
    return;
  }
  entry.platform = std::move(*platform);
}

std::vector<Source> StageTable::sources_of(const df::Instruction& instruction, const Spot& spot) {
  std::vector<Source> sources;
  if (const auto* copy = std::get_if<df::Copy>(&instruction.command)) {
    if (copy->from.empty()) return sources;
    if (is_plain(copy->from)) {
      sources.push_back(source_of(copy->from, true, spot));
    } else {
      faults_.add(Error(Errc::invalid_argument,
                        "variable expansion is not supported for --from, define a new stage with FROM using ARG from global "
                        "scope as a workaround"),
                  spot.where);
    }
  } else if (const auto* run = std::get_if<df::Run>(&instruction.command)) {
    for (const std::string& csv : run->mounts) {
      sources.push_back({.kind = Source::Kind::nothing, .stage = -1, .name = ""});
      const auto mount = df::parse_mount(csv);  // variables may stand in all values but the one that counts here
      if (!mount) {
        faults_.add(mount.error(), spot.where);
      } else if (!mount->from.empty() && (mount->type == df::MountType::bind || mount->type == df::MountType::cache)) {
        sources.back() = source_of(mount->from, false, spot);
      } else if (mount->type == df::MountType::bind) {
        sources.back().kind = Source::Kind::context;
      }
    }
  }
  return sources;
}

Source StageTable::source_of(std::string_view name, bool index_allowed, const Spot& spot) {
  Source source{.kind = Source::Kind::image, .stage = -1, .name = std::string(name)};
  if (index_allowed && is_number(name)) {
    const auto index = parse_int(name);
    if (index && *index < static_cast<std::int64_t>(stages_.size())) {
      source.kind = Source::Kind::stage;
      source.stage = static_cast<int>(*index);
    } else {
      source.kind = Source::Kind::nothing;
      faults_.add(
          Error(Errc::invalid_argument, format("invalid stage index {}", name))
              .with_hint(format("this file has {} stage{}, counted from 0", stages_.size(), stages_.size() == 1 ? "" : "s")),
          spot.where);
    }
  } else if (const auto stage = find(name)) {
    source.kind = Source::Kind::stage;
    source.stage = *stage;
  } else if (name == kScratch) {
    source.kind = Source::Kind::nothing;
  } else if (const auto reference = oci::Reference::parse(name); !reference) {
    source.kind = Source::Kind::nothing;
    faults_.add(fault_near(format("failed to parse stage name {}: {}", quoted(name), reference.error().message()), name, names()),
                spot.where);
  }
  return source;
}

std::optional<int> StageTable::find(std::string_view name) const {
  for (std::size_t i = stages_.size(); i-- > 0;)
    if (!stages_[i].source->name.empty() && equals_ignoring_case(stages_[i].source->name, name)) return static_cast<int>(i);
  return std::nullopt;
}

std::vector<std::string_view> StageTable::names() const {
  std::vector<std::string_view> names;
  for (const StageEntry& entry : stages_)
    if (!entry.source->name.empty()) names.push_back(entry.source->name);
  return names;
}

Result<int> StageTable::find_target(const std::string& target) const {
  if (target.empty()) return static_cast<int>(stages_.size()) - 1;
  if (const auto found = find(target)) return *found;
  const std::vector<std::string_view> known = names();
  Error error = fault_near(format("target stage {} could not be found", quoted(target)), target, known);
  if (closest(target, known)) return fail(std::move(error));
  if (known.empty()) return fail(std::move(error).with_hint("no stage of this file has a name: add AS NAME to a FROM"));
  std::string list;
  for (const std::string_view name : known) list += (list.empty() ? "" : ", ") + std::string(name);
  return fail(std::move(error).with_hint("stages of this file: " + list));
}

/// Only links by files can make a circle: FROM sees nothing but what stands before it.
void StageTable::check_circles() {
  enum class Mark { fresh, open, done };
  std::vector<Mark> marks(stages_.size(), Mark::fresh);
  const auto visit = [&](const auto& self, std::size_t stage) -> bool {
    marks[stage] = Mark::open;
    for (const Order& order : stages_[stage].orders)
      for (const Source& source : order.sources) {
        if (source.kind != Source::Kind::stage) continue;
        const auto next = static_cast<std::size_t>(source.stage);
        if (marks[next] == Mark::open) {
          const std::string& name = stages_[next].source->name;
          faults_.add(Error(Errc::invalid_argument,
                            format("circular dependency detected on stage: {}", name.empty() ? format("stage-{}", next) : name)),
                      order.spot.where);
          return true;
        }
        if (marks[next] == Mark::fresh && self(self, next)) return true;
      }
    marks[stage] = Mark::done;
    return false;
  };
  for (std::size_t stage = 0; stage < stages_.size(); ++stage)
    if (marks[stage] == Mark::fresh && visit(visit, stage)) return;
}

void StageTable::add_triggers(int stage, const std::vector<std::string>& triggers) {
  StageEntry& entry = stages_[static_cast<std::size_t>(stage)];
  std::vector<Order> orders;
  for (const std::string& text : triggers) {
    auto instruction = df::parse_trigger(text, format("ONBUILD of {}", entry.base_name));
    if (!instruction) {
      Error error(instruction.error().code(), instruction.error().message());
      if (!instruction.error().hint().empty()) error = std::move(error).with_hint(instruction.error().hint());
      faults_.add(std::move(error).doing(format("ONBUILD {}", text.substr(0, text.find('\n')))), entry.spot.where);
      continue;
    }
    triggers_.push_back(std::move(*instruction));
    Order order{.instruction = &triggers_.back(), .spot = entry.spot, .on_build = true};
    order.sources = sources_of(triggers_.back(), order.spot);
    orders.push_back(std::move(order));
  }
  entry.orders.insert(entry.orders.begin(), std::make_move_iterator(orders.begin()), std::make_move_iterator(orders.end()));
}

std::vector<int> StageTable::reachable(int target) const {
  std::vector<bool> seen(stages_.size());
  std::vector<int> open = {target};
  while (!open.empty()) {
    const auto stage = static_cast<std::size_t>(open.back());
    open.pop_back();
    if (seen[stage]) continue;
    seen[stage] = true;
    if (stages_[stage].base_stage >= 0) open.push_back(stages_[stage].base_stage);
    for (const Order& order : stages_[stage].orders)
      for (const Source& source : order.sources)
        if (source.kind == Source::Kind::stage) open.push_back(source.stage);
  }
  std::vector<int> sorted;
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (seen[i]) sorted.push_back(static_cast<int>(i));
  return sorted;
}

std::vector<int> StageTable::all() const {
  std::vector<int> indexes;
  for (std::size_t i = 0; i < stages_.size(); ++i) indexes.push_back(static_cast<int>(i));
  return indexes;
}

Environment global_arguments(const df::File& file, Environment arguments, const BuildArguments* given, Faults* faults,
                             std::vector<std::string_view>& declared) {
  for (const df::Instruction& instruction : file.global_args) {
    const auto* arg = std::get_if<df::Arg>(&instruction.command);
    if (!arg) continue;
    for (const df::KeyValue& pair : arg->args) {
      declared.push_back(pair.key);
      if (const auto value = given ? given->get(pair.key) : std::nullopt) {
        arguments.set(pair.key, *value);
      } else if (pair.value) {
        auto expanded = df::expand(*pair.value, arguments.lookup(), {.escape = file.directives.escape});
        if (expanded)
          arguments.set(pair.key, std::move(expanded->text));
        else if (faults)
          faults->add(expanded.error(), instruction.where, *pair.value);
      }
    }
  }
  return arguments;
}

void check_default_bases(const df::File& file, const Environment& predefined, Checks& checks) {
  std::vector<std::string_view> declared;
  const Environment defaults = global_arguments(file, predefined, nullptr, nullptr, declared);
  for (const df::Stage& stage : file.stages) {
    const auto expanded = df::expand(stage.base, defaults.lookup(), {.escape = file.directives.escape});
    if (!expanded) return;  // a fault, told elsewhere
    if (!oci::Reference::parse(expanded->text))
      checks.warn("InvalidDefaultArgInFrom",
                  format("Default value for ARG {} results in empty or invalid base image name", stage.base),
                  {stage.where, &stage.comments});
  }
}

}  // namespace mica::build
