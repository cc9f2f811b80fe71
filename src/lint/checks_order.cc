// What stands where it should not: instructions before FROM, empty lines in instructions, directives with typing errors.
#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "lint/checks.h"
#include "lint/rule.h"
#include "lint/texts.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;

/// Empty lines between the first and the last line of an instruction.
void check_lines(Inspection& in, const Rule& rule, int first, int last, int instruction_line) {
  Fix fix{FixKind::safe, "remove the empty line", {}};
  Span where;
  for (int line = first + 1; line <= last; ++line) {
    const Span place = in.lines.line(line);
    if (!trim(std::string_view(in.source).substr(place.begin, place.end - place.begin)).empty()) continue;
    if (fix.edits.empty()) where = place;
    const std::size_t end = line < in.lines.count() ? in.lines.offset(line + 1, 1) : in.source.size();
    fix.edits.push_back({{in.lines.offset(line, 1), end}, ""});
  }
  if (fix.edits.empty()) return;
  if (fix.edits.size() > 1) fix.title = "remove the empty lines";
  in.report(rule, where, instruction_line, "an empty line within an instruction: the next line still belongs to it", std::move(fix));
}

}  // namespace

void check_before_from(Inspection& in) {
  static const Rule& rule = rule_of("DL3061");
  if (in.stages.size() < 2 || !in.stages[0].stage->implied) return;
  const bool any_from = std::ranges::any_of(in.stages, [](const StageView& view) { return !view.stage->implied; });
  if (!any_from) return;
  for (const InstructionView& view : in.instructions)
    if (view.stage == 0 && !view.outer && !std::holds_alternative<df::Arg>(view.instruction->command))
      in.report(rule, in.keyword(*view.instruction), view, format("{} stands before the first FROM: it belongs to no stage", view.instruction->keyword));
}

void check_empty_continuation(Inspection& in) {
  static const Rule& rule = rule_of("NoEmptyContinuation");
  const auto check = [&](const df::Range& where, const std::vector<df::TextPiece>& pieces, bool to_the_end) {
    int last = pieces.empty() ? where.line : pieces.back().line;
    if (to_the_end) last = std::max(last, where.end_line);
    check_lines(in, rule, where.line, last, where.line);
  };
  for (const df::Instruction& instruction : in.file.global_args) check(instruction.where, instruction.pieces, true);
  for (const df::Stage& stage : in.file.stages) {
    if (!stage.implied) check(stage.where, stage.pieces, true);
    for (const df::Instruction& instruction : stage.instructions) {
      // Below a RUN, COPY or ADD, or an ONBUILD of these, there may be here-documents, which are nobody's business.
      const bool may_have_body = instruction.text.find("<<") != std::string::npos;
      check(instruction.where, instruction.pieces, !may_have_body);
    }
  }
}

void check_directive(Inspection& in) {
  static const Rule& rule = rule_of("misspelt-directive");
  constexpr std::array<std::string_view, 3> kDirectives = {"syntax", "escape", "check"};
  for (int line = 1; line <= in.lines.count(); ++line) {
    const Span place = in.lines.line(line);
    const std::string_view text = std::string_view(in.source).substr(place.begin, place.end - place.begin);
    if (line == 1 && text.starts_with("#!")) continue;
    const std::size_t begin = text.find_first_not_of("# \t");
    if (!text.starts_with('#') || begin == text.npos) return;
    const std::size_t end = std::min(text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", begin), text.size());
    const std::string_view name = text.substr(begin, end - begin);
    const std::size_t equals = text.find_first_not_of(" \t", end);
    if (equals == text.npos || text[equals] != '=' || name.empty()) return;
    if (std::ranges::any_of(kDirectives, [&](std::string_view known) { return equals_ignoring_case(known, name); })) continue;
    const auto near = closest(name, kDirectives);
    if (!near) return;
    const Span where = {place.begin + begin, place.begin + end};
    in.report(rule, where, line, format("{} is no directive, so this line is only a comment (did you mean {}?)", quoted(name), *near),
              one_edit(FixKind::safe, format("write {}", *near), where, *near));
  }
}

}  // namespace mica::lint
