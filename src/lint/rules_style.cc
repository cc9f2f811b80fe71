// Casing, blanks, line ends, and the comments that hide findings.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "lint/rule.h"
#include "lint/texts.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;

bool is_lower(std::string_view text) { return text == to_lower(text); }
bool is_upper(std::string_view text) { return text == to_upper(text); }

/// The case that most keywords are written in; upper case when there are as many of both. Arguments before the first FROM do not count.
void check_keyword_casing(Inspection& in) {
  static const Rule& rule = rule_of("ConsistentInstructionCasing");
  std::size_t lower = 0, upper = 0;
  const auto each = [&](const auto& visit) {
    for (const df::Stage& stage : in.file.stages) {
      if (!stage.implied) visit(stage.from_keyword, in.span(stage, 0, stage.from_keyword.size()), stage.where.line);
      for (const df::Instruction& instruction : stage.instructions)
        visit(instruction.keyword_as_written, in.keyword(instruction), instruction.where.line);
    }
  };
  each([&](std::string_view keyword, Span, int) { lower += is_lower(keyword), upper += !is_lower(keyword) && is_upper(keyword); });
  const bool want_lower = lower > upper;
  each([&](std::string_view keyword, Span where, int line) {
    if (want_lower ? is_lower(keyword) : is_upper(keyword)) return;
    const std::string better = want_lower ? to_lower(keyword) : to_upper(keyword);
    in.report(rule, where, line, format("{} is written unlike most keywords here, which are in {} case", keyword, want_lower ? "lower" : "upper"),
              one_edit(FixKind::safe, format("write {}", better), where, better));
  });
}

void check_as_casing(Inspection& in) {
  static const Rule& rule = rule_of("FromAsCasing");
  for (const df::Stage& stage : in.file.stages) {
    const std::string_view from = stage.from_keyword, as = stage.as_keyword;
    if (stage.implied || as.empty() || (is_lower(from) ? is_lower(as) : !is_upper(from) || is_upper(as))) continue;
    const TextWord word = from_words(stage).as;
    const Span where = in.span(stage, word.begin, word.end);
    const std::string better = is_lower(from) ? "as" : "AS";
    in.report(rule, where, stage.where.line, format("{} and {} are written in different cases", from, as),
              one_edit(FixKind::safe, format("write {}", better), where, better));
  }
}

/// BuildKit reports it only where "# check=experimental=InvalidDefinitionDescription" asks for it, and so does the parser.
void check_description(Inspection& in) {
  static const Rule& rule = rule_of("InvalidDefinitionDescription");
  for (const df::Diagnostic& warning : in.file.warnings)
    if (warning.code == rule.id) in.report(rule, in.span(warning.where), warning.where.line, warning.message);
}

/// Lines that belong to here-documents: their blanks are content.
std::vector<bool> body_lines(const Inspection& in) {
  std::vector<bool> inside(static_cast<std::size_t>(in.lines.count()) + 2);
  for (const df::Stage& stage : in.file.stages)
    for (const df::Instruction& instruction : stage.instructions) {
      if (instruction.text.find("<<") == std::string::npos || instruction.pieces.empty()) continue;
      for (int line = instruction.pieces.back().line + 1; line <= instruction.where.end_line && line <= in.lines.count(); ++line)
        inside[static_cast<std::size_t>(line)] = true;
    }
  return inside;
}

void check_trailing_blanks(Inspection& in) {
  static const Rule& rule = rule_of("trailing-blanks");
  const std::string& source = in.source;
  std::vector<bool> inside;
  for (int line = 1; line <= in.lines.count(); ++line) {
    const Span place = in.lines.line(line);
    if (place.end == place.begin || (source[place.end - 1] != ' ' && source[place.end - 1] != '\t')) continue;
    if (inside.empty()) {
      inside = body_lines(in);
      // ONBUILD keeps its text as it is written, blanks and all.
      for (const df::Stage& stage : in.file.stages)
        for (const df::Instruction& instruction : stage.instructions)
          if (instruction.keyword == "ONBUILD")
            for (int one = instruction.where.line; one <= instruction.where.end_line && one <= in.lines.count(); ++one) inside[static_cast<std::size_t>(one)] = true;
    }
    if (inside[static_cast<std::size_t>(line)]) continue;
    std::size_t begin = place.end;
    while (begin > place.begin && (source[begin - 1] == ' ' || source[begin - 1] == '\t')) --begin;
    const Span where = {begin, place.end};
    in.report(rule, where, in.instruction_line(line), "blanks at the end of the line", one_edit(FixKind::safe, "remove the blanks", where, ""));
  }
}

void check_blank_lines(Inspection& in) {
  static const Rule& rule = rule_of("blank-lines");
  const auto blank = [&](int line) {
    const Span place = in.lines.line(line);
    return trim(std::string_view(in.source).substr(place.begin, place.end - place.begin)).empty();
  };
  std::vector<bool> inside;
  for (int line = 1; line <= in.lines.count(); ++line) {
    if (!blank(line)) continue;
    int last = line;
    while (last < in.lines.count() && blank(last + 1)) ++last;
    const bool at_end = last == in.lines.count();
    const int kept = line == 1 || at_end ? 0 : 1;
    if (last - line + 1 > kept && (at_end || line == 1 || last - line + 1 > 2)) {
      if (inside.empty()) inside = body_lines(in);
      if (!inside[static_cast<std::size_t>(line)] && in.instruction_line(line) == line) {
        const std::size_t begin = in.lines.offset(line + kept, 1);
        const std::size_t end = at_end ? in.source.size() : in.lines.offset(last + 1, 1);
        in.report(rule, {begin, begin}, line, at_end ? "blank lines at the end of the file" : line == 1 ? "blank lines at the start of the file" : "more than two blank lines in a row",
                  one_edit(FixKind::safe, "remove them", {begin, end}, ""));
      }
    }
    line = last;
  }
}

/// Takes the CR of all lines that belong to here-documents, or of all others.
std::vector<Edit> carriage_returns(const Inspection& in, bool of_bodies) {
  std::vector<Edit> edits;
  if (in.source.find('\r') == std::string::npos) return edits;
  const std::vector<bool> inside = body_lines(in);
  for (int line = 1; line <= in.lines.count(); ++line) {
    const std::size_t end = in.lines.line(line).end;
    if (end < in.source.size() && in.source[end] == '\r' && inside[static_cast<std::size_t>(line)] == of_bodies)
      edits.push_back({{end, end + 1}, ""});
  }
  return edits;
}

void check_line_ends(Inspection& in) {
  static const Rule& rule = rule_of("carriage-returns");
  std::vector<Edit> edits = carriage_returns(in, false);
  if (edits.empty()) return;
  const Span where = edits.front().where;
  std::string message = edits.size() == 1 ? "1 line ends with CR LF" : format("{} lines end with CR LF", edits.size());
  in.report(rule, where, in.instruction_line(in.lines.position(where.begin).line), std::move(message), Fix{FixKind::safe, "end lines with LF", std::move(edits)});
}

void check_heredoc_line_ends(Inspection& in) {
  static const Rule& rule = rule_of("heredoc-carriage-returns");
  std::vector<Edit> edits = carriage_returns(in, true);
  if (edits.empty()) return;
  const Span where = edits.front().where;
  in.report(rule, where, in.instruction_line(in.lines.position(where.begin).line),
            "this here-document has CR at its line ends: shells and most programs take it for part of the last word",
            Fix{FixKind::ask, "end its lines with LF", std::move(edits)});
}

void check_final_newline(Inspection& in) {
  static const Rule& rule = rule_of("final-newline");
  const std::string& source = in.source;
  if (source.empty() || source.ends_with('\n')) return;
  const Span where = {source.size(), source.size()};
  in.report(rule, where, in.instruction_line(in.lines.count()), "the last line has no line end", one_edit(FixKind::safe, "end the line", where, "\n"));
}

/// The pragma rules are looked for when all others are known.
void looked_for_elsewhere(Inspection&) {}

const Rule kRules[] = {
    {.id = "ConsistentInstructionCasing",
     .severity = Severity::warning,
     .fix = FixKind::safe,
     .summary = "keywords in different cases",
     .why = "Case does not count, so it only misleads: a reader looks for a reason.",
     .practice = "Write all keywords alike, in upper case as nearly everybody does.",
     .bad = "FROM debian:12.9\nrun make\nUSER 1000\n",
     .good = "FROM debian:12.9\nRUN make\nUSER 1000\n",
     .check = check_keyword_casing},
    {.id = "FromAsCasing",
     .severity = Severity::warning,
     .fix = FixKind::safe,
     .summary = "AS in another case than FROM",
     .why = "Case does not count, so it only misleads: a reader looks for a reason.",
     .practice = "Write FROM and AS, or from and as.",
     .bad = "FROM debian:12.9 as build\n",
     .good = "FROM debian:12.9 AS build\n",
     .check = check_as_casing},
    {.id = "InvalidDefinitionDescription",
     .severity = Severity::info,
     .summary = "comment above FROM or ARG that is no description",
     .why = "`build --call=outline` shows comments above stages and arguments as their descriptions when they begin with the name. It is looked for only where "
            "`# check=experimental=InvalidDefinitionDescription` asks for it.",
     .practice = "Begin the comment with the name, or put an empty line between.",
     .bad = "# check=experimental=InvalidDefinitionDescription\n\n# the version\nARG VERSION=1\nFROM debian:12.9\n",
     .good = "# check=experimental=InvalidDefinitionDescription\n\n# VERSION of the thing\nARG VERSION=1\nFROM debian:12.9\n",
     .check = check_description},
    {.id = "trailing-blanks",
     .aliases = "no-trailing-spaces",
     .severity = Severity::style,
     .fix = FixKind::safe,
     .summary = "blanks at the end of a line",
     .why = "They show up in comparisons, and behind a backslash they look as if the line went on.",
     .practice = "Have the editor remove them.",
     .bad = "FROM debian:12.9 \n",
     .good = "FROM debian:12.9\n",
     .check = check_trailing_blanks},
    {.id = "blank-lines",
     .aliases = "no-multiple-empty-lines",
     .severity = Severity::style,
     .fix = FixKind::safe,
     .summary = "many blank lines in a row, or at the ends of the file",
     .why = "They separate no better than one.",
     .practice = "Leave one.",
     .bad = "FROM debian:12.9\n\n\n\nUSER 1000\n",
     .good = "FROM debian:12.9\n\nUSER 1000\n",
     .check = check_blank_lines},
    {.id = "carriage-returns",
     .severity = Severity::style,
     .fix = FixKind::safe,
     .summary = "lines that end with CR LF",
     .why = "The builder copes with them, but here-documents and scripts of the same editor do not.",
     .practice = "Save with LF, and say so in .gitattributes or .editorconfig.",
     .bad = "FROM debian:12.9\r\nUSER 1000\r\n",
     .good = "FROM debian:12.9\nUSER 1000\n",
     .check = check_line_ends},
    {.id = "heredoc-carriage-returns",
     .severity = Severity::warning,
     .fix = FixKind::ask,
     .summary = "here-document with CR LF",
     .why = "The CR is part of the content. A shell takes it for part of the last word of each line; an interpreter line with it names no program.",
     .practice = "Save the file with LF.",
     .bad = "FROM debian:12.9\nRUN <<EOF\r\necho a\r\nEOF\r\n",
     .good = "FROM debian:12.9\nRUN <<EOF\necho a\nEOF\n",
     .check = check_heredoc_line_ends},
    {.id = "final-newline",
     .aliases = "eol-last",
     .severity = Severity::style,
     .fix = FixKind::safe,
     .summary = "no line end at the end of the file",
     .why = "Tools that join or compare files count on it.",
     .practice = "End the last line.",
     .bad = "FROM debian:12.9",
     .good = "FROM debian:12.9\n",
     .check = check_final_newline},
    {.id = "DL1001",
     .severity = Severity::off,
     .summary = "comments that hide findings",
     .why = "Where exceptions are to be kept in one place, they do not belong in the files. Off until asked for.",
     .practice = "Write the exception into the configuration.",
     .bad = "# hadolint ignore=DL3006\nFROM debian\n",
     .good = "FROM debian:12.9\n",
     .check = looked_for_elsewhere},
    {.id = "unused-pragma",
     .severity = Severity::info,
     .fix = FixKind::safe,
     .summary = "comment that hides nothing",
     .why = "What it was for is gone; the next one who breaks the rule there will not be told.",
     .practice = "Remove it.",
     .bad = "# hadolint ignore=DL3006\nFROM debian:12.9\n",
     .good = "# hadolint ignore=DL3006\nFROM debian\n",
     .check = looked_for_elsewhere},
    {.id = "unknown-pragma-rule",
     .severity = Severity::warning,
     .summary = "comment that hides a rule that does not exist",
     .why = "A typing error: what was to be hidden is reported, or will be by the tool that the comment is for.",
     .practice = "Correct the name; `mica lint --explain` knows them.",
     .bad = "# hadolint ignore=DL9999\nFROM debian:12.9\n",
     .good = "# hadolint ignore=DL3006\nFROM debian\n",
     .check = looked_for_elsewhere},
    {.id = "malformed-pragma",
     .severity = Severity::warning,
     .summary = "comment that should hide something, and cannot be understood",
     .why = "What is not understood is not done.",
     .practice = "Write `# mica ignore=RULE reason=\"why\" until=2027-01-31`.",
     .bad = "# mica ignore=DL3006 untl=2027-01-31\nFROM debian\n",
     .good = "# mica ignore=DL3006 until=2027-01-31\nFROM debian\n",
     .check = looked_for_elsewhere},
    {.id = "expired-pragma",
     .severity = Severity::warning,
     .summary = "comment whose time is over",
     .why = "Somebody meant to come back to it by that day.",
     .practice = "Mend what it hid, or set another day.",
     .bad = "# mica ignore=DL3006 until=2020-01-31\nFROM debian\n",
     .good = "# mica ignore=DL3006 until=2999-12-31\nFROM debian\n",
     .check = looked_for_elsewhere},
};

}  // namespace

std::span<const Rule> style_rules() { return kRules; }

}  // namespace mica::lint
