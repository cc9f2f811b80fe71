// Stages: their names, and who uses whom.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/parser.h"
#include "lint/rule.h"
#include "lint/texts.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;

Span name_span(const Inspection& in, const df::Stage& stage) {
  const TextWord name = from_words(stage).name;
  return in.span(stage, name.begin, name.end);
}

void check_duplicate_name(Inspection& in) {
  static const Rule& rule = rule_of("DL3024");
  for (const StageView& view : in.stages) {
    if (view.stage->name.empty()) continue;
    const auto earlier = in.stage_named(view.stage->name, view.index, false);
    if (earlier)
      in.report(rule, name_span(in, *view.stage), view.stage->where.line,
                format("the stage on line {} is called {} as well", in.stages[*earlier].stage->where.line, view.stage->name));
  }
}

/// Places where a stage is called by name: FROM, --from, mounts.
struct NameUse {
  Span where;
  std::string text;
};
std::vector<NameUse> uses_of(const Inspection& in, std::size_t index) {
  std::vector<NameUse> uses;
  for (const StageView& view : in.stages) {
    if (view.base_stage != index || view.stage->base.find('$') != std::string::npos) continue;
    const TextWord image = from_words(*view.stage).image;
    uses.push_back({in.span(*view.stage, image.begin, image.end), std::string(image.text)});
  }
  for (const InstructionView& view : in.instructions) {
    const df::Instruction& instruction = *view.instruction;
    const auto use = [&](std::string_view name, std::string_view flag) {
      if (name.empty() || parse_int(name) || in.stage_named(name, view.stage) != index) return;
      const auto word = find_flag(in, instruction, flag);
      const std::string from = format("from={}", name);
      const std::size_t at = word ? word->text.find(from) : std::string_view::npos;
      if (at == std::string_view::npos) return;
      const std::size_t begin = word->begin + at + 5;
      uses.push_back({in.span(instruction, begin, begin + name.size()), std::string(name)});
    };
    if (const auto* copy = std::get_if<df::Copy>(&instruction.command)) use(copy->from, "from");
    if (const auto* run = std::get_if<df::Run>(&instruction.command))
      if (run->mounts.size() == 1)
        if (const auto spec = df::parse_mount(run->mounts[0])) use(spec->from, "mount");
  }
  return uses;
}

void rename(Fix& fix, const Inspection& in, const StageView& view, std::string_view to) {
  fix.edits.push_back({name_span(in, *view.stage), std::string(to)});
  for (const NameUse& use : uses_of(in, view.index))
    if (use.text != to) fix.edits.push_back({use.where, std::string(to)});
  std::ranges::sort(fix.edits, {}, &Edit::where);
}

void check_reserved_name(Inspection& in) {
  static const Rule& rule = rule_of("DL3063");
  for (const StageView& view : in.stages) {
    const std::string& name = view.stage->name;
    if (name != "scratch" && name != "context") continue;
    const std::string better = name + "-stage";
    Fix fix{FixKind::ask, format("call it {}", better), {}};
    rename(fix, in, view, better);
    in.report(rule, name_span(in, *view.stage), view.stage->where.line, format("{} is a name that the builder itself gives a meaning", quoted(name)),
              std::move(fix));
  }
}

void check_name_casing(Inspection& in) {
  static const Rule& rule = rule_of("StageNameCasing");
  for (const StageView& view : in.stages) {
    const df::Stage& stage = *view.stage;
    if (stage.name_as_written == stage.name) continue;
    Fix fix{FixKind::safe, format("write {}", stage.name), {}};
    rename(fix, in, view, stage.name);
    in.report(rule, name_span(in, stage), stage.where.line, format("the stage name {} should be in lower case", quoted(stage.name_as_written)),
              std::move(fix));
  }
}

void check_unknown_from(Inspection& in) {
  static const Rule& rule = rule_of("DL3022");
  for (const InstructionView& view : in.instructions) {
    const auto* copy = std::get_if<df::Copy>(&view.instruction->command);
    if (!copy || copy->from.empty() || view.outer) continue;
    const std::string_view name = without_quotes(copy->from);
    // What has a tag or a registry is an image; a variable may be anything; its own stage is another rule's.
    if (name.find_first_of(":/@$") != name.npos || in.stage_named(name, view.stage)) continue;
    const df::Stage& own = *in.stages[view.stage].stage;
    if (equals_ignoring_case(own.name, name)) continue;
    const auto word = find_flag(in, *view.instruction, "from");
    const Span where = word ? in.span(*view.instruction, word->begin, word->end) : in.keyword(*view.instruction);
    std::vector<std::string_view> known;
    for (std::size_t i = 0; i < view.stage; ++i)
      if (!in.stages[i].stage->name.empty()) known.push_back(in.stages[i].stage->name);
    std::string message = format("no stage above is called {}: an image of this name would be pulled", quoted(name));
    for (std::size_t i = view.stage + 1; i < in.stages.size(); ++i)
      if (equals_ignoring_case(in.stages[i].stage->name, name))
        message = format("the stage {} stands below, on line {}: only stages above can be copied from", quoted(name), in.stages[i].stage->where.line);
    if (const auto near = closest(name, known)) message += format(" (did you mean {}?)", *near);
    in.report(rule, where, view, std::move(message));
  }
}

void check_own_from(Inspection& in) {
  static const Rule& rule = rule_of("DL3023");
  for (const InstructionView& view : in.instructions) {
    const auto* copy = std::get_if<df::Copy>(&view.instruction->command);
    if (!copy || copy->from.empty()) continue;
    const df::Stage& own = *in.stages[view.stage].stage;
    const bool by_name = !own.name.empty() && equals_ignoring_case(own.name, without_quotes(copy->from)) && !in.stage_named(own.name, view.stage, false);
    const bool by_number = parse_int(copy->from) == static_cast<std::int64_t>(view.stage) && !own.implied;
    if (!by_name && !by_number) continue;
    const auto word = find_flag(in, *view.instruction, "from");
    in.report(rule, word ? in.span(*view.instruction, word->begin, word->end) : in.keyword(*view.instruction), view,
              "a stage cannot copy from itself: it is not finished yet");
  }
}

/// Names that only stages below have: the reader means a stage, and the builder takes an image.
void check_ring(Inspection& in) {
  static const Rule& rule = rule_of("stage-ring");
  const auto below = [&](std::string_view name, std::size_t stage) -> const StageView* {
    if (name.empty() || in.stage_named(name, stage)) return nullptr;
    for (std::size_t i = stage + 1; i < in.stages.size(); ++i)
      if (equals_ignoring_case(in.stages[i].stage->name, name)) return &in.stages[i];
    return nullptr;
  };
  // An edge goes from a stage to what it needs, named above or below.
  std::vector<std::vector<std::size_t>> needs(in.stages.size());
  struct Back {
    std::size_t from, to;
    Span where;
    int line;
  };
  std::vector<Back> backward;
  const auto add = [&](std::string_view name, std::size_t stage, Span where, int line) {
    if (const auto earlier = in.stage_named(name, stage)) {
      needs[stage].push_back(*earlier);
    } else if (const StageView* later = below(name, stage)) {
      needs[stage].push_back(later->index);
      backward.push_back({stage, later->index, where, line});
    }
  };
  for (const StageView& view : in.stages) {
    if (view.stage->implied) continue;
    const TextWord image = from_words(*view.stage).image;
    add(view.base, view.index, in.span(*view.stage, image.begin, image.end), view.stage->where.line);
  }
  for (const InstructionView& view : in.instructions)
    if (const auto* copy = std::get_if<df::Copy>(&view.instruction->command)) {
      const auto word = find_flag(in, *view.instruction, "from");
      if (word) add(without_quotes(copy->from), view.stage, in.span(*view.instruction, word->begin, word->end), view.line());
    }
  const auto reaches = [&](std::size_t from, std::size_t to) {
    std::vector<bool> seen(needs.size());
    std::vector<std::size_t> open = {from};
    while (!open.empty()) {
      const std::size_t at = open.back();
      open.pop_back();
      if (at == to) return true;
      if (seen[at]) continue;
      seen[at] = true;
      open.insert(open.end(), needs[at].begin(), needs[at].end());
    }
    return false;
  };
  for (const Back& edge : backward)
    if (reaches(edge.to, edge.from))
      in.report(rule, edge.where, edge.line,
                format("this stage and {} need each other: neither can be built first", in.stages[edge.to].stage->name_as_written));
}

void check_unused(Inspection& in) {
  static const Rule& rule = rule_of("unused-stage");
  for (const StageView& view : in.stages) {
    if (view.needed || view.stage->implied) continue;
    const df::Stage& stage = *view.stage;
    const TextWord name = from_words(stage).name;
    const Span where = name.text.empty() ? in.whole(stage) : in.span(stage, name.begin, name.end);
    // Its lines with the comments above it; what follows belongs to the next stage.
    const int first = stage.where.line;
    int last = std::max(first, stage.where.end_line);
    if (!stage.instructions.empty()) last = std::max(last, stage.instructions.back().where.end_line);
    Span lines = {in.lines.offset(first, 1), in.lines.line(last).end};
    if (const std::size_t end = in.source.find('\n', lines.end); end != std::string::npos) lines.end = end + 1;
    in.report(rule, where, stage.where.line, "nothing that the last stage needs comes from here, so it is not built by default",
              Fix{FixKind::ask, "remove the stage", {{lines, ""}}});
  }
}

void check_scratch(Inspection& in) {
  static const Rule& rule = rule_of("scratch-run");
  std::vector<bool> has_files(in.stages.size());
  for (const StageView& view : in.stages)
    has_files[view.index] = view.base_stage ? has_files[*view.base_stage] : !view.from_scratch;
  for (const InstructionView& view : in.instructions) {
    if (view.outer || has_files[view.stage]) continue;
    if (std::holds_alternative<df::Copy>(view.instruction->command)) {
      has_files[view.stage] = true;
    } else if (std::holds_alternative<df::Run>(view.instruction->command)) {
      has_files[view.stage] = true;
      in.report(rule, in.keyword(*view.instruction), view, "the stage is still empty: there is no shell and no program to run");
    }
  }
}

void check_empty_source(Inspection& in) {
  static const Rule& rule = rule_of("copy-from-empty-stage");
  for (const InstructionView& view : in.instructions) {
    const auto* copy = std::get_if<df::Copy>(&view.instruction->command);
    if (!copy || copy->from.empty()) continue;
    const auto from = in.stage_named(without_quotes(copy->from), view.stage);
    if (!from) continue;
    bool files = false;
    std::optional<std::size_t> at = from;
    for (; at && !files; at = in.stages[*at].base_stage) {
      const StageView& stage = in.stages[*at];
      files |= !stage.base_stage && !stage.from_scratch;
      for (const df::Instruction& one : stage.stage->instructions)
        files |= std::holds_alternative<df::Copy>(one.command) || std::holds_alternative<df::Run>(one.command) ||
                 std::holds_alternative<df::Workdir>(one.command);
    }
    if (files) continue;
    const auto word = find_flag(in, *view.instruction, "from");
    in.report(rule, word ? in.span(*view.instruction, word->begin, word->end) : in.keyword(*view.instruction), view,
              "this stage begins empty and puts no file anywhere: there is nothing to copy");
  }
}

void check_unnamed(Inspection& in) {
  static const Rule& rule = rule_of("unnamed-stages");
  bool by_number = false;
  for (const InstructionView& view : in.instructions) {
    const auto* copy = std::get_if<df::Copy>(&view.instruction->command);
    if (!copy) continue;
    const auto number = parse_int(copy->from);
    if (!number || *number < 0 || static_cast<std::size_t>(*number) >= view.stage) continue;
    const StageView& from = in.stages[static_cast<std::size_t>(*number)];
    const auto word = find_flag(in, *view.instruction, "from");
    if (!word || from.stage->implied) continue;
    by_number = true;
    const Span where = in.span(*view.instruction, word->begin, word->end);
    std::string message = format("--from={}: a stage added above would make this another one", *number);
    std::optional<Fix> fix;
    if (!from.stage->name.empty() && in.stage_named(from.stage->name, view.stage, false) == from.index)
      fix = one_edit(FixKind::safe, format("write --from={}", from.stage->name), where, format("--from={}", from.stage->name));
    in.report(rule, where, view, std::move(message), std::move(fix));
  }
  const auto unnamed = [](const StageView& view) { return !view.stage->implied && view.stage->name.empty(); };
  if (!by_number && in.stages.size() > 1 && std::ranges::all_of(in.stages, unnamed))
    in.report(rule, in.whole(*in.stages[0].stage), in.stages[0].stage->where.line, "several stages, and none has a name by which another could use it");
}

const Rule kRules[] = {
    {.id = "DL3024",
     .aliases = "DuplicateStageName",
     .severity = Severity::error,
     .summary = "two stages of one name",
     .why = "The later one hides the earlier one; which of them a FROM or COPY --from means depends on where it stands.",
     .practice = "Give each stage a name of its own.",
     .bad = "FROM debian:12.9 AS build\nFROM debian:12.9 AS build\n",
     .good = "FROM debian:12.9 AS build\nFROM debian:12.9 AS app\nCOPY --from=build /app /app\n",
     .check = check_duplicate_name},
    {.id = "DL3063",
     .aliases = "ReservedStageName",
     .severity = Severity::warning,
     .fix = FixKind::ask,
     .summary = "stage name that the builder gives a meaning",
     .why = "`scratch` is the empty base and `context` the build context: a stage of that name cannot be reached, or hides them.",
     .practice = "Call it something else.",
     .bad = "FROM debian:12.9 AS scratch\n",
     .good = "FROM debian:12.9 AS app\n",
     .check = check_reserved_name},
    {.id = "StageNameCasing",
     .severity = Severity::warning,
     .fix = FixKind::safe,
     .summary = "stage name not in lower case",
     .why = "Names are compared without regard to case and kept in lower case; written otherwise they look like two.",
     .practice = "Write stage names in lower case.",
     .bad = "FROM debian:12.9 AS Build\n",
     .good = "FROM debian:12.9 AS build\n",
     .check = check_name_casing},
    {.id = "DL3022",
     .severity = Severity::warning,
     .summary = "COPY --from of a stage that is not there",
     .why = "A name that no stage above has is taken for an image, and pulled from a registry: by a typing error the files of a stranger get in.",
     .practice = "Name a stage above, or an image with its tag.",
     .bad = "FROM debian:12.9 AS build\nFROM debian:12.9\nCOPY --from=biuld /app /app\n",
     .good = "FROM debian:12.9 AS build\nFROM debian:12.9\nCOPY --from=build /app /app\n",
     .check = check_unknown_from},
    {.id = "DL3023",
     .severity = Severity::error,
     .summary = "COPY --from of its own stage",
     .why = "A stage is not finished while it is made; the build is refused.",
     .practice = "Use RUN cp, or copy from another stage.",
     .bad = "FROM debian:12.9 AS build\nCOPY --from=build /a /b\n",
     .good = "FROM debian:12.9 AS build\nFROM debian:12.9\nCOPY --from=build /a /b\n",
     .check = check_own_from},
    {.id = "stage-ring",
     .severity = Severity::error,
     .summary = "stages that need each other",
     .why = "Neither can be built first. The builder takes the name that stands below for an image, and fails to find it.",
     .practice = "Move what both need into a third stage.",
     .bad = "FROM debian:12.9 AS a\nCOPY --from=b /b /b\nFROM a AS b\nCOPY --from=a /a /a\n",
     .good = "FROM debian:12.9 AS a\nFROM a AS b\nCOPY --from=a /a /a\n",
     .check = check_ring},
    {.id = "unused-stage",
     .aliases = "no-unreachable-stages",
     .severity = Severity::warning,
     .fix = FixKind::ask,
     .summary = "stage that the last one does not need",
     .why = "It is built only for a --target, and goes stale unseen when nobody does.",
     .practice = "Remove it; or, when it is a target of its own, say so by a comment that hides this.",
     .bad = "FROM debian:12.9 AS old\nRUN make old\nFROM debian:12.9\nCMD [\"app\"]\n",
     .good = "FROM debian:12.9 AS build\nRUN make\nFROM debian:12.9\nCOPY --from=build /app /app\n",
     .check = check_unused},
    {.id = "scratch-run",
     .severity = Severity::error,
     .summary = "RUN in a stage that is still empty",
     .why = "FROM scratch has no files at all: no shell, no program.",
     .practice = "Copy the program in first, or run it in another stage.",
     .bad = "FROM scratch\nRUN touch /a\n",
     .good = "FROM busybox:1.37 AS make\nRUN touch /a\nFROM scratch\nCOPY --from=make /a /a\n",
     .check = check_scratch},
    {.id = "copy-from-empty-stage",
     .severity = Severity::error,
     .summary = "COPY --from of a stage without files",
     .why = "A stage from scratch that nothing is copied into has nothing to give; the build is refused.",
     .practice = "Fill the stage first, or remove the COPY.",
     .bad = "FROM scratch AS empty\nENV A=1\nFROM debian:12.9\nCOPY --from=empty /a /a\n",
     .good = "FROM scratch AS files\nCOPY a /a\nFROM debian:12.9\nCOPY --from=files /a /a\n",
     .check = check_empty_source},
    {.id = "unnamed-stages",
     .severity = Severity::warning,
     .fix = FixKind::safe,
     .summary = "stages without names, or called by number",
     .why = "Numbers shift when a stage is added or removed above, and a stage without a name can be no --target.",
     .practice = "Name stages with AS, and use the names.",
     .bad = "FROM debian:12.9 AS build\nFROM debian:12.9\nCOPY --from=0 /app /app\n",
     .good = "FROM debian:12.9 AS build\nFROM debian:12.9\nCOPY --from=build /app /app\n",
     .check = check_unnamed},
};

}  // namespace

std::span<const Rule> stage_rules() { return kRules; }

}  // namespace mica::lint
