#include "lint/run_rules.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "dockerfile/parser.h"

namespace mica::lint {

constexpr std::size_t kMaxSteps = 2000;  // of one RUN; some rules look at pairs of them

namespace df = dockerfile;
using shell::AndOr;
using shell::Command;
using shell::Word;

std::vector<Rule> joined(std::initializer_list<std::span<const Rule>> parts) {
  std::vector<Rule> all;
  for (const auto part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

void each_run(const Inspection& in, const std::function<void(const StageView&, const RunView&)>& visit) {
  for (const StageView& stage : in.stages)
    for (const RunView& run : stage.runs)
      if (run.exec_form || run.shell_is_posix) visit(stage, run);
}

std::vector<Step> steps_of(const StageView& stage, const RunView& run) {
  std::vector<Step> steps;
  shell::each_command(run.script, [&](const shell::Visit& visit) {
    if (steps.size() >= kMaxSteps) return;
    steps.push_back({&stage, &run, visit.command, visit, shell::program(*visit.command), steps.size()});
  });
  return steps;
}

void each_step(const Inspection& in, const std::function<void(const Step&)>& visit) {
  each_run(in, [&](const StageView& stage, const RunView& run) {
    for (const Step& step : steps_of(stage, run)) visit(step);
  });
}

Span span_of(const Inspection& in, const RunView& run, const Word& word) { return in.span(run, word.begin, word.end); }
Span span_of(const Inspection& in, const Step& step) { return in.span(*step.run, step.command->begin, step.command->end); }
int line_of(const RunView& run) { return run.instruction->where.line; }

bool can_edit(const RunView& run) { return !run.exec_form && !run.source_offsets.empty() && !run.script.fault; }

namespace {

/// Offset in the source right behind byte `end` - 1 of the script.
std::size_t behind(const RunView& run, std::size_t end) { return run.source_offsets[end - 1] + 1; }

/// The bytes stand next to each other in the source: no line is continued between them.
bool is_contiguous(const RunView& run, std::size_t begin, std::size_t end) {
  return end > begin && end <= run.source_offsets.size() &&
         run.source_offsets[end - 1] - run.source_offsets[begin] == end - 1 - begin;
}

bool is_heredoc(const RunView& run) { return !run.run->command.heredocs.empty(); }

const AndOr* last_item(const RunView& run) { return run.script.list.items.empty() ? nullptr : &run.script.list.items.back(); }

bool has_document(const AndOr& item) {
  for (const AndOr::Link& link : item.links)
    for (const Command& command : link.pipeline.commands)
      for (const shell::Redirect& redirect : command.redirects)
        if (redirect.document) return true;
  return false;
}

bool changes_shell(const Command& command) {
  if (command.kind == Command::Kind::function) return true;
  if (command.kind != Command::Kind::simple) return false;
  if (command.words.empty()) return !command.assignments.empty();
  static constexpr std::string_view kNames[] = {"cd",   "pushd", "popd",   "export", "set",     "unset",    "source",
                                                ".",    "alias", "umask",  "shopt",  "declare", "readonly", "typeset",
                                                "exec", "exit",  "return", "trap",   "eval",    "ulimit",   "local"};
  return std::ranges::find(kNames, shell::program(command)) != std::end(kNames);
}

}  // namespace

std::optional<Fix> insert_after(const Inspection&, const RunView& run, const Word& word, FixKind kind, std::string text) {
  if (!can_edit(run) || word.end == 0 || word.end > run.source_offsets.size()) return std::nullopt;
  const std::size_t at = behind(run, word.end);
  std::string title = "add " + std::string(trim(text));
  return Fix{kind, std::move(title), {{{at, at}, " " + text}}};
}

std::optional<Fix> replace_word(const Inspection& in, const RunView& run, const Word& word, FixKind kind, std::string title,
                                std::string text) {
  if (!can_edit(run) || !is_contiguous(run, word.begin, word.end)) return std::nullopt;
  return Fix{kind, std::move(title), {{span_of(in, run, word), std::move(text)}}};
}

std::optional<Fix> remove_words(const Inspection&, const RunView& run, const Word& first, const Word& last, FixKind kind,
                                std::string title) {
  std::size_t begin = first.begin;
  while (begin > 0 && (run.script.text[begin - 1] == ' ' || run.script.text[begin - 1] == '\t')) --begin;
  if (!can_edit(run) || !is_contiguous(run, begin, last.end)) return std::nullopt;
  return Fix{kind, std::move(title), {{{run.source_offsets[begin], behind(run, last.end)}, ""}}};
}

std::optional<Fix> append_command(const Inspection& in, const RunView& run, FixKind kind, std::string_view command) {
  const AndOr* last = last_item(run);
  if (!can_edit(run) || !last || last->ended == AndOr::End::background || has_document(*last) || last->end == 0)
    return std::nullopt;
  const std::size_t at = behind(run, last->end);
  const int first_line = in.lines.position(run.source_offsets[0]).line;
  const int last_line = in.lines.position(at).line;
  std::string text = format(" && {}", command);
  if (!is_heredoc(run) && last_line > first_line) {
    // As the chain is written: "&&" at the beginning of its lines, or at their ends.
    const shell::AndOr::Link& link = last->links.back();
    const bool chained = last->links.size() > 1;
    const std::size_t begin = run.source_offsets[chained ? link.operator_begin : link.pipeline.begin];
    const Span line = in.lines.line(in.lines.position(begin).line);
    const std::string_view written = std::string_view(in.source).substr(line.begin, line.end - line.begin);
    const std::size_t blanks = std::min(written.find_first_not_of(" \t"), written.size());
    const bool leads = !chained || line.begin + blanks == begin;
    const Span own = in.lines.line(in.lines.position(run.source_offsets[link.pipeline.begin]).line);
    std::string_view indent = std::string_view(in.source).substr(own.begin, own.end - own.begin);
    indent = indent.substr(0, std::min(indent.find_first_not_of(" \t"), indent.size()));
    if (indent.empty()) indent = "    ";
    text = leads ? format(" {}{}{}&& {}", escape_of(in), line_end(in), indent, command)
                 : format(" && {}{}{}{}", escape_of(in), line_end(in), indent, command);
  }
  return Fix{kind, format("add {}", command), {{{at, at}, std::move(text)}}};
}

namespace {
template <class Wanted>
bool has_mount(const RunView& run, const Wanted& wanted) {
  for (const std::string& mount : run.run->mounts) {
    const auto spec = df::parse_mount(mount);
    if (spec && (spec->type == df::MountType::cache || spec->type == df::MountType::tmpfs) && wanted(spec->target)) return true;
  }
  return false;
}
bool is_beneath(std::string_view path, std::string_view folder) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.remove_suffix(1);
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}
}  // namespace

bool has_cache_mount(const RunView& run, std::string_view path) {
  return has_mount(run, [&](std::string_view target) { return is_beneath(path, target) || is_beneath(target, path); });
}

bool has_cache_mount_named(const RunView& run, std::string_view part) {
  return has_mount(run, [&](std::string_view target) { return target.find(part) != std::string_view::npos; });
}

std::optional<std::string> env_value(const Inspection& in, const StageView& stage, int before_line, std::string_view name) {
  std::optional<std::string> found;
  if (stage.base_stage) found = env_value(in, in.stages[*stage.base_stage], 1 << 30, name);
  for (const df::Instruction& instruction : stage.stage->instructions) {
    if (instruction.where.line >= before_line) break;
    const auto* env = std::get_if<df::Env>(&instruction.command);
    if (!env) continue;
    for (const df::KeyValue& pair : env->pairs)
      if (pair.key == name) found = replace_all(replace_all(pair.value.value_or(""), "\"", ""), "'", "");
  }
  return found;
}

std::optional<std::string> value_of(const Inspection& in, const RunView& run, std::string_view name) {
  std::optional<std::string> found;
  bool unknown = false;
  shell::each_node(run.script, [&](const shell::Visit& visit) {
    for (const shell::Assignment& assignment : visit.command->assignments) {
      if (assignment.name != name) continue;
      if (!assignment.value.literal || assignment.appends || !assignment.elements.empty() || visit.conditional)
        unknown = true;
      else
        found = assignment.value.text;
    }
  });
  if (unknown) return std::nullopt;
  if (found) return found;
  const StageView& stage = in.stages[run.stage];
  found = env_value(in, stage, line_of(run), name);
  if (!found)
    for (const df::Instruction& instruction : stage.stage->instructions)
      if (const auto* arg = std::get_if<df::Arg>(&instruction.command))
        for (const df::KeyValue& pair : arg->args)
          if (pair.key == name && pair.value) found = replace_all(replace_all(*pair.value, "\"", ""), "'", "");
  if (found && found->find_first_of("$`\\") != std::string::npos) return std::nullopt;
  return found;
}

std::vector<std::string> texts_of(const Inspection& in, const RunView& run, const Word& word) {
  if (word.literal) return {word.text};
  if (word.expansions.size() != 1 || word.expansions[0].kind != shell::Expansion::Kind::variable ||
      !word.expansions[0].operation.empty() || word.text != "${" + word.expansions[0].name + "}")
    return {};
  const auto value = value_of(in, run, word.expansions[0].name);
  if (!value) return {};
  if (word.expansions[0].quoted) return {*value};
  std::vector<std::string> texts;
  for (const std::string_view part : split_blanks(*value)) texts.emplace_back(part);
  return texts;
}

bool is_plain_chain(const RunView& run, bool state) {
  const auto& items = run.script.list.items;
  if (run.exec_form || run.script.fault || items.size() != 1 || is_heredoc(run) || !run.script.comments.empty()) return false;
  if (items[0].ended != AndOr::End::none || has_document(items[0])) return false;
  for (const AndOr::Link& link : items[0].links) {
    if (link.kind == AndOr::Link::Kind::or_else) return false;
    if (!state && link.pipeline.commands.size() == 1 && changes_shell(link.pipeline.commands[0])) return false;
  }
  return true;
}

const RunView* next_run(const Inspection& in, const RunView& run) {
  const StageView& stage = in.stages[run.stage];
  for (std::size_t i = 0; i + 1 < stage.runs.size(); ++i) {
    if (&stage.runs[i] != &run) continue;
    const auto& list = stage.stage->instructions;
    const auto at = std::ranges::find_if(list, [&](const df::Instruction& one) { return &one == run.instruction; });
    return at != list.end() && at + 1 != list.end() && &*(at + 1) == stage.runs[i + 1].instruction ? &stage.runs[i + 1] : nullptr;
  }
  return nullptr;
}

std::string line_end(const Inspection& in) { return in.source.find("\r\n") != std::string::npos ? "\r\n" : "\n"; }
char escape_of(const Inspection& in) { return in.file.directives.escape; }

std::optional<Fix> join_runs(const Inspection& in, const RunView& first, const RunView& second, std::string title) {
  if (!is_plain_chain(first) || !is_plain_chain(second, true) || first.on_build || second.on_build) return std::nullopt;
  if (first.run->mounts != second.run->mounts || first.run->network != second.run->network ||
      first.run->security != second.run->security || first.run->devices != second.run->devices ||
      first.shell_words != second.shell_words)
    return std::nullopt;
  if (!can_edit(first) || !can_edit(second)) return std::nullopt;
  const std::size_t begin = behind(first, first.script.list.items[0].end);
  const std::size_t end = second.source_offsets[second.script.list.items[0].begin];
  // Comments between the two stay, as lines within the longer instruction; a pragma would come to mean another instruction.
  std::string kept;
  for (int line = first.instruction->where.end_line + 1; line < second.instruction->where.line; ++line) {
    const Span span = in.lines.line(line);
    const std::string_view text = trim(std::string_view(in.source).substr(span.begin, span.end - span.begin));
    if (text.empty()) continue;
    if (text.find("ignore") != text.npos || text.find("check=") != text.npos || text.find("skip") != text.npos ||
        text.find("shell=") != text.npos)
      return std::nullopt;
    kept += in.source.substr(span.begin, span.end - span.begin) + line_end(in);
  }
  std::string text = format(" {}{}{}    && ", escape_of(in), line_end(in), kept);
  return Fix{FixKind::ask, std::move(title), {{{begin, end}, std::move(text)}}};
}

Edit remove_instruction(const Inspection& in, const df::Instruction& instruction) {
  const Span whole = in.whole(instruction);
  Span span = {in.lines.line(instruction.where.line).begin, whole.end};
  if (span.end < in.source.size() && in.source[span.end] == '\r') ++span.end;
  if (span.end < in.source.size() && in.source[span.end] == '\n') ++span.end;
  return {span, ""};
}

std::size_t insertion_before(const Inspection& in, const df::Instruction& instruction) {
  int line = instruction.where.line;
  while (line > 1) {
    const Span above = in.lines.line(line - 1);
    if (!trim(std::string_view(in.source).substr(above.begin, above.end - above.begin)).starts_with('#')) break;
    --line;
  }
  // The comments at the top may be directives.
  if (line == 1) line = instruction.where.line;
  return in.lines.line(line).begin;
}

bool base_is_alpine(const Inspection& in, const StageView& stage) {
  const StageView* at = &stage;
  while (at->base_stage) at = &in.stages[*at->base_stage];
  return at->base.find("alpine") != std::string::npos || at->base.find("busybox") != std::string::npos;
}

std::vector<Entry> entries_of(const StageView& stage) {
  std::vector<Entry> entries;
  for (const df::Instruction& instruction : stage.stage->instructions) {
    Entry entry{&instruction};
    for (const RunView& run : stage.runs)
      if (run.instruction == &instruction && !run.on_build && (run.exec_form || run.shell_is_posix)) entry.run = &run;
    entries.push_back(entry);
  }
  return entries;
}

std::string without_slash(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

bool takes(std::string_view removed, std::string_view path) {
  if (removed.size() < 2 || path.size() < 2) return false;
  if (removed.ends_with("/*")) return path.size() > removed.size() - 1 && path.starts_with(removed.substr(0, removed.size() - 1));
  if (removed.ends_with('*')) return path.starts_with(removed.substr(0, removed.size() - 1));
  const std::string folder = without_slash(removed);
  return path == folder || path.starts_with(folder + "/");
}

std::string base_of(std::string_view path) { return std::string(path.substr(path.find_last_of("/\\") + 1)); }

}  // namespace mica::lint
