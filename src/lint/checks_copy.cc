// WORKDIR, and where COPY and ADD put things.
#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/ignore.h"
#include "lint/checks.h"
#include "lint/rule.h"
#include "lint/texts.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_windows_path(std::string_view path) { return path.size() >= 2 && is_letter(path[0]) && path[1] == ':'; }
/// Absolute, or not to be told from the text.
bool may_be_absolute(std::string_view path) { return path.starts_with('/') || path.starts_with('$') || is_windows_path(path); }

/// The last word of COPY and ADD: of JSON form the last string, without its quotes.
std::optional<TextWord> destination_of(const Inspection& in, const df::Instruction& instruction) {
  const std::string_view text = instruction.text;
  const auto words = arguments(in, instruction);
  if (words.empty()) return std::nullopt;
  if (words[0].text.starts_with('[') && text.ends_with(']')) {
    const std::size_t end = text.rfind('"');
    const std::size_t begin = end == text.npos || end == 0 ? text.npos : text.rfind('"', end - 1);
    if (begin == text.npos) return std::nullopt;
    return TextWord{text.substr(begin + 1, end - begin - 1), begin + 1, end};
  }
  TextWord last = words.back();
  const std::string_view bare = without_quotes(last.text);
  if (bare.size() != last.text.size()) last = {bare, last.begin + 1, last.end - 1};
  return last;
}

bool is_archive(std::string_view source) {
  constexpr auto kEndings = std::to_array<std::string_view>({".tar", ".Z", ".bz2", ".gz", ".lz", ".lzma", ".tZ", ".tb2", ".tbz", ".tbz2",
                                                             ".tgz", ".tlz", ".tpz", ".txz", ".xz", ".zst", ".tzst"});
  return std::ranges::any_of(kEndings, [&](std::string_view ending) { return source.ends_with(ending); });
}
bool is_remote(std::string_view source) {
  for (const std::string_view scheme : {"https://", "http://", "git://", "ssh://", "git@"})
    if (source.starts_with(scheme)) return true;
  return false;
}

}  // namespace

void check_workdir(Inspection& in) {
  static const Rule& rule = rule_of("DL3000");
  std::size_t stage = in.stages.size();
  std::string current;      // the last absolute one of the stage, when it is known
  for (const InstructionView& view : in.instructions) {
    if (view.stage != stage) stage = view.stage, current.clear();
    const auto* workdir = std::get_if<df::Workdir>(&view.instruction->command);
    if (!workdir) continue;
    const std::string_view path = without_quotes(workdir->path);
    if (may_be_absolute(path)) {
      current = path.starts_with('/') && path.find('$') == path.npos ? std::string(path) : "";
      continue;
    }
    const std::size_t begin = in.arguments_begin(*view.instruction);
    const Span where = in.span(*view.instruction, begin, view.instruction->text.size());
    const std::string absolute = join_path(current.empty() ? "/" : current, path);
    const bool simple = path == workdir->path && path.find_first_of("$\\") == path.npos;
    std::optional<Fix> fix;
    if (simple) fix = one_edit(FixKind::ask, format("write {}", absolute), where, absolute);
    in.report(rule, where, view,
              current.empty() ? format("{} is relative to wherever the base image stands", quoted(path))
                              : format("{} is relative to the WORKDIR above ({})", quoted(path), absolute),
              std::move(fix));
    if (!current.empty()) current = absolute;
  }
}

void check_cd(Inspection& in) {
  static const Rule& rule = rule_of("DL3003");
  for (const StageView& stage : in.stages)
    for (const RunView& run : stage.runs) {
      const shell::Command* cd = nullptr;
      shell::each_command(run.script, [&](const shell::Visit& visit) {
        if (!cd && !visit.command->words.empty() && visit.command->words[0].text == "cd") cd = visit.command;
      });
      if (!cd) continue;
      const int line = run.instruction->where.line;
      const Span where = in.span(run, cd->words[0].begin, cd->words[0].end);
      std::optional<Fix> fix;
      // "RUN cd /x && make": the folder becomes that of all that follows, which is why it is asked for.
      const auto& items = run.script.list.items;
      const bool first = !items.empty() && items[0].links.size() > 1 && items[0].links[0].pipeline.commands.size() == 1 &&
                         &items[0].links[0].pipeline.commands[0] == cd && items[0].links[1].kind == shell::AndOr::Link::Kind::and_then;
      if (first && !run.on_build && !run.exec_form && run.run->command.heredocs.empty() && cd->words.size() == 2 && cd->words[1].literal &&
          !cd->words[1].glob && cd->words[1].text.starts_with('/') && cd->words[1].text.find(' ') == std::string::npos) {
        const std::size_t begin = in.lines.offset(run.instruction->where.line, 1);
        const Span removed = {where.begin, in.span(run, items[0].links[1].pipeline.begin, items[0].links[1].pipeline.begin).begin};
        const bool lower = run.instruction->keyword_as_written == "run";
        fix = Fix{FixKind::ask, format("write WORKDIR {}", cd->words[1].text),
                  {{{begin, begin}, format("{} {}\n", lower ? "workdir" : "WORKDIR", cd->words[1].text)}, {removed, ""}}};
      }
      in.report(rule, where, line, "cd holds for this RUN only: WORKDIR says where all that follows happens", std::move(fix));
    }
}

void check_copy_destination(Inspection& in) {
  static const Rule& rule = rule_of("DL3045");
  std::vector<bool> has_workdir(in.stages.size()), has_trigger(in.stages.size());   // has_trigger: of ONBUILD, for ONBUILD
  std::size_t stage = in.stages.size();
  for (const InstructionView& view : in.instructions) {
    if (view.stage != stage) {
      stage = view.stage;
      if (const auto base = in.stages[stage].base_stage) has_workdir[stage] = has_workdir[*base], has_trigger[stage] = has_trigger[*base];
    }
    if (std::holds_alternative<df::Workdir>(view.instruction->command)) (view.outer ? has_trigger : has_workdir)[stage] = true;
    const auto* copy = std::get_if<df::Copy>(&view.instruction->command);
    if (!copy || copy->add || has_workdir[stage] || (view.outer && has_trigger[stage])) continue;
    const auto destination = destination_of(in, *view.instruction);
    if (!destination || may_be_absolute(destination->text)) continue;
    const Span where = in.span(*view.instruction, destination->begin, destination->end);
    std::string absolute = join_path("/", destination->text);
    const bool folder = destination->text.ends_with('/') || destination->text == "." || destination->text == "..";
    if (folder && absolute != "/") absolute += '/';
    in.report(rule, where, view, format("without WORKDIR, {} is relative to wherever the base image stands", quoted(destination->text)),
              one_edit(FixKind::ask, format("write {}", absolute), where, absolute));
  }
}

void check_add(Inspection& in) {
  static const Rule& rule = rule_of("DL3020");
  for (const InstructionView& view : in.instructions) {
    const auto* copy = std::get_if<df::Copy>(&view.instruction->command);
    if (!copy || !copy->add) continue;
    std::string_view plain;
    bool only_plain = true, open = false;
    for (const std::string& written : copy->sources) {
      const std::string_view source = without_quotes(written);
      if (is_archive(source) || is_remote(source)) {
        only_plain = false;
      } else {
        if (plain.empty()) plain = source;
        open |= df::has_wildcard(source) || source.find('$') != source.npos;
      }
    }
    if (plain.empty() && copy->heredocs.empty()) continue;
    const bool copy_can = only_plain && copy->checksum.empty() && !copy->keep_git_dir && !copy->unpack;
    const bool lower = view.instruction->keyword_as_written == to_lower(view.instruction->keyword_as_written);
    const Span where = in.keyword(*view.instruction);
    std::optional<Fix> fix;
    // What a pattern or a variable stands for may be an archive, which ADD would unpack.
    if (copy_can) fix = one_edit(open ? FixKind::ask : FixKind::safe, "write COPY", where, lower ? "copy" : "COPY");
    in.report(rule, where, view,
              plain.empty() ? "ADD of a here-document: COPY takes it as well" : format("{} is neither an archive nor a URL: COPY it", quoted(plain)),
              std::move(fix));
  }
}

void check_copy_slash(Inspection& in) {
  static const Rule& rule = rule_of("DL3021");
  for (const InstructionView& view : in.instructions) {
    const auto* copy = std::get_if<df::Copy>(&view.instruction->command);
    if (!copy || copy->sources.size() + copy->heredocs.size() < 2) continue;
    const auto destination = destination_of(in, *view.instruction);
    if (!destination || destination->text.ends_with('/') || destination->text.ends_with('\\')) continue;
    const Span where = in.span(*view.instruction, destination->begin, destination->end);
    std::optional<Fix> fix;
    if (!destination->text.empty())
      fix = one_edit(destination->text.find('$') == std::string_view::npos ? FixKind::safe : FixKind::ask, "add a slash",
                     {where.end, where.end}, "/");
    in.report(rule, where, view, format("several sources go into a folder: {} needs a slash at its end", quoted(destination->text)),
              std::move(fix));
  }
}

}  // namespace mica::lint
