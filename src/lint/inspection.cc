#include "lint/inspection.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "dockerfile/expand.h"
#include "dockerfile/parser.h"
#include "lint/rule.h"

namespace mica::lint {
namespace {

namespace df = dockerfile;

constexpr std::string_view kBlanks = " \t\v\f\r";

/// A trigger's places are those of its own text; here they become those of the file. What ONBUILD keeps is one physical line (the
/// rest of the outer logical line) and the bodies of its here-documents.
void move_into_file(df::Instruction& inner, const df::Instruction& outer, std::string_view trigger) {
  const std::string_view line = trim(trigger.substr(0, trigger.find('\n')));
  const std::size_t shift = outer.text.size() - std::min(line.size(), outer.text.size());
  std::vector<df::TextPiece> pieces;
  for (std::size_t i = 0; i < outer.pieces.size(); ++i) {
    const df::TextPiece& piece = outer.pieces[i];
    const bool last = i + 1 == outer.pieces.size();
    if (!last && outer.pieces[i + 1].offset <= shift) continue;
    if (piece.offset >= shift)
      pieces.push_back({static_cast<std::uint32_t>(piece.offset - shift), piece.line, piece.column});
    else
      pieces.push_back({0, piece.line, piece.column + static_cast<int>(shift - piece.offset)});
  }
  for (df::Flag& flag : inner.flags) {
    const std::size_t offset = static_cast<std::size_t>(std::max(flag.where.column - 1, 0));
    flag.where = df::position(outer, shift + offset);
  }
  inner.pieces = std::move(pieces);
  inner.where = outer.where;
  if (!inner.pieces.empty()) inner.where.line = inner.pieces[0].line, inner.where.column = inner.pieces[0].column;
}

/// Per byte of the text that the shell gets, its place in the source.
class ScriptPlaces {
 public:
  ScriptPlaces(const Inspection& inspection, const df::Instruction& instruction, std::vector<std::size_t>& offsets)
      : inspection_(inspection), instruction_(instruction), offsets_(offsets) {}

  void add_line(std::string_view text) {
    const std::size_t begin = instruction_.text.size() - std::min(text.size(), instruction_.text.size());
    std::size_t piece = 0, at = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::size_t offset = begin + i;
      if (i == 0 || (piece + 1 < instruction_.pieces.size() && instruction_.pieces[piece + 1].offset <= offset)) {
        at = inspection_.source_offset(instruction_, offset);
        while (piece + 1 < instruction_.pieces.size() && instruction_.pieces[piece + 1].offset <= offset) ++piece;
      }
      offsets_.push_back(at++);
    }
  }
  /// `tabs`: those that the source has at the start of each line are not in the text.
  void add_body(int line, std::string_view body, bool tabs) {
    while (!body.empty()) {
      const std::string_view text = body.substr(0, std::min(body.find('\n'), body.size() - 1) + 1);
      body.remove_prefix(text.size());
      std::size_t at = inspection_.lines.offset(line++, 1);
      if (tabs)
        while (at < inspection_.source.size() && inspection_.source[at] == '\t') ++at;
      for (std::size_t i = 0; i < text.size(); ++i) offsets_.push_back(at++);
    }
  }
  void add_at(std::size_t at, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) offsets_.push_back(at);
  }

 private:
  const Inspection& inspection_;
  const df::Instruction& instruction_;
  std::vector<std::size_t>& offsets_;
};

int line_count(std::string_view text) { return static_cast<int>(std::ranges::count(text, '\n')); }

std::string program_name(const std::vector<std::string>& shell_words) {
  if (shell_words.empty()) return "sh";
  std::string_view path = shell_words[0];
  const auto words = split_blanks(path);
  if (!words.empty()) path = words[0];
  path = path.substr(path.find_last_of("/\\") + 1);
  std::string name = to_lower(path);
  if (name.ends_with(".exe")) name.resize(name.size() - 4);
  return name;
}

bool is_posix_shell(std::string_view name) {
  for (const std::string_view known : {"sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"})
    if (name == known) return true;
  return false;
}

/// Name of the program that "#!..." of a script asks for.
std::string interpreter(std::string_view script) {
  const auto words = split_blanks(script.substr(2, script.find('\n') - 2));
  if (words.empty()) return "sh";
  std::string name = program_name({std::string(words[0])});
  if (name == "env")
    for (const std::string_view word : std::span(words).subspan(1))
      if (!word.starts_with('-') && word.find('=') == std::string_view::npos) return program_name({std::string(word)});
  return name;
}

}  // namespace

LineIndex::LineIndex(std::string_view source) : source_(source) {
  starts_.push_back(0);
  for (std::size_t at = source.find('\n'); at != std::string_view::npos && at + 1 < source.size(); at = source.find('\n', at + 1))
    starts_.push_back(at + 1);
}

LineIndex::Position LineIndex::position(std::size_t offset) const {
  const auto after = std::ranges::upper_bound(starts_, offset);
  const std::size_t index = after - starts_.begin() - 1;
  return {static_cast<int>(index) + 1, static_cast<int>(offset - starts_[index]) + 1};
}

std::size_t LineIndex::offset(int line, int column) const {
  if (line < 1) return 0;
  if (line > count()) return source_.size();
  return std::min(starts_[line - 1] + static_cast<std::size_t>(std::max(column, 1) - 1), source_.size());
}

Span LineIndex::line(int line) const {
  const std::size_t begin = offset(line, 1);
  std::size_t end = std::min(source_.find('\n', begin), source_.size());
  if (end > begin && source_[end - 1] == '\r') --end;
  return {begin, end};
}

Inspection::Inspection(const df::File& file, const Options& options, std::span<const ShellPragma> shells)
    : file(file), options(options), source(file.source), lines(file.source) {
  read_global_args();
  const auto add_extent = [&](const df::Range& where) { extents_.emplace_back(where.line, std::max(where.line, where.end_line)); };
  for (const df::Instruction& instruction : file.global_args) add_extent(instruction.where);
  for (std::size_t i = 0; i < file.stages.size(); ++i) {
    const df::Stage& stage = file.stages[i];
    if (!stage.name.empty()) stage_names_[stage.name].push_back(i);
    if (!stage.implied) add_extent(stage.where);
    for (const df::Instruction& instruction : stage.instructions) add_extent(instruction.where);
  }
  stages.reserve(file.stages.size());
  std::vector<std::vector<std::string>> shell_of(file.stages.size());
  for (std::size_t i = 0; i < file.stages.size(); ++i) add_stage(i, shells, shell_of);
  mark_needed();
}

Inspection::~Inspection() = default;

void Inspection::read_global_args() {
  const auto value_of = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = global_args.find(name);
    return found == global_args.end() ? std::nullopt : found->second;
  };
  for (const df::Instruction& instruction : file.global_args)
    for (const df::KeyValue& one : std::get<df::Arg>(instruction.command).args) {
      std::optional<std::string>& value = global_args[one.key];
      if (const auto given = options.build_args.find(one.key); given != options.build_args.end()) {
        value = given->second;
      } else if (one.value) {
        const auto expanded = df::expand(*one.value, value_of, {.escape = file.directives.escape});
        if (expanded) value = expanded->text;
      }
    }
}

void Inspection::add_stage(std::size_t index, std::span<const ShellPragma> shells,
                           std::vector<std::vector<std::string>>& shell_of) {
  const df::Stage& stage = file.stages[index];
  StageView& view = stages.emplace_back(StageView{.stage = &stage, .index = index});
  const auto known_value = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = global_args.find(name);
    return found == global_args.end() ? std::nullopt : found->second;
  };
  view.base = stage.base;
  const auto expanded = df::expand(stage.base, known_value, {.escape = file.directives.escape});
  view.base_known = expanded && expanded->unset.empty() && !expanded->text.empty();
  if (view.base_known) view.base = expanded->text;
  view.base_stage = stage_named(view.base, index, false);
  view.from_scratch = !view.base_stage && view.base == "scratch";

  // A pragma above the first FROM holds for all stages, another for the one that it stands in.
  std::vector<std::string> shell = {"/bin/sh", "-c"};
  if (view.base_stage) shell = shell_of[*view.base_stage];
  const auto first_line = file.stages[0].where.line;
  const auto stage_pragma = [&](int from, int to) {
    for (const ShellPragma& pragma : shells)
      if (pragma.line >= from && pragma.line < to) shell = {pragma.shell};
  };
  if (!view.base_stage) stage_pragma(0, stage.implied ? stage.where.line : first_line);
  int seen_to = stage.where.line;
  for (const df::Instruction& instruction : stage.instructions) {
    stage_pragma(seen_to, instruction.where.line);
    seen_to = instruction.where.line;
    InstructionView entry{.instruction = &instruction, .stage = index};
    instructions.push_back(entry);
    if (const auto* onbuild = std::get_if<df::OnBuild>(&instruction.command)) {
      auto inner = df::parse_trigger(onbuild->text, file.name);
      if (!inner) continue;
      move_into_file(*inner, instruction, onbuild->text);
      triggers_.push_back(std::make_unique<df::Instruction>(std::move(*inner)));
      entry = {.instruction = triggers_.back().get(), .outer = &instruction, .stage = index};
      instructions.push_back(entry);
    } else if (const auto* set = std::get_if<df::Shell>(&instruction.command)) {
      shell = set->words;
    }
    if (std::holds_alternative<df::Run>(entry.instruction->command)) add_run(view, entry, shell);
  }
  shell_of[index] = std::move(shell);
}

void Inspection::add_run(StageView& stage, const InstructionView& entry, const std::vector<std::string>& shell_words) {
  const df::Instruction& inner = *entry.instruction;
  const auto& run = std::get<df::Run>(inner.command);
  RunView view{.instruction = entry.outer ? entry.outer : &inner,
               .run = &run,
               .stage = entry.stage,
               .on_build = entry.outer != nullptr,
               .exec_form = run.command.exec_form,
               .shell = program_name(shell_words),
               .shell_words = shell_words};
  view.shell_is_posix = is_posix_shell(view.shell);
  if (view.exec_form) {
    view.script = shell::from_words(run.command.words);
    stage.runs.push_back(std::move(view));
    return;
  }
  df::ShellInput input = df::shell_input(run.command);
  if (input.script) {
    view.shell = interpreter(input.text);
    view.shell_is_posix = is_posix_shell(view.shell);
  }
  ScriptPlaces places(*this, inner, view.source_offsets);
  const std::string& line = run.command.words[0];
  // Bodies follow the last line of the instruction itself at once, whatever comments stood between its lines.
  int next = inner.pieces.empty() ? inner.where.line + 1 : inner.pieces.back().line + 1;
  if (!run.command.heredocs.empty() && !input.text.starts_with(line)) {
    const df::Heredoc& only = run.command.heredocs[0];
    places.add_body(next, input.text, only.strip_tabs);
  } else {
    places.add_line(line);
    for (const df::Heredoc& heredoc : run.command.heredocs) {
      const std::string& body = heredoc.strip_tabs ? heredoc.raw : heredoc.body;
      places.add_at(lines.line(next - 1).end, 1);
      places.add_body(next, body, false);
      next += line_count(body);
      places.add_body(next++, heredoc.name, heredoc.strip_tabs);
    }
  }
  view.source_offsets.resize(input.text.size(), whole(inner).end);
  view.script = shell::parse(std::move(input.text));
  stage.runs.push_back(std::move(view));
}

void Inspection::mark_needed() {
  if (stages.empty()) return;
  std::vector<std::vector<std::size_t>> uses(stages.size());
  for (const StageView& view : stages)
    if (view.base_stage) uses[view.index].push_back(*view.base_stage);
  for (const InstructionView& view : instructions) {
    const auto use = [&](std::string_view name) {
      if (name.empty()) return;
      if (const auto stage = stage_named(name, view.stage)) uses[view.stage].push_back(*stage);
    };
    if (const auto* copy = std::get_if<df::Copy>(&view.instruction->command)) use(copy->from);
    if (const auto* run = std::get_if<df::Run>(&view.instruction->command))
      for (const std::string& mount : run->mounts)
        if (const auto spec = df::parse_mount(mount)) use(spec->from);
  }
  for (std::optional<std::size_t> at = stages.size() - 1; at; at = stages[*at].base_stage) stages[*at].exported = true;
  std::vector<std::size_t> open = {stages.size() - 1};
  while (!open.empty()) {
    const std::size_t index = open.back();
    open.pop_back();
    if (std::exchange(stages[index].needed, true)) continue;
    open.insert(open.end(), uses[index].begin(), uses[index].end());
  }
}

std::optional<std::size_t> Inspection::stage_named(std::string_view name, std::size_t before, bool numbers) const {
  const std::string wanted = to_lower(name);
  if (const auto found = stage_names_.find(wanted); found != stage_names_.end()) {
    const auto after = std::ranges::lower_bound(found->second, before);
    if (after != found->second.begin()) return *std::prev(after);
  }
  if (const auto number = parse_int(wanted); numbers && number && *number >= 0 && static_cast<std::size_t>(*number) < before)
    return static_cast<std::size_t>(*number);
  return std::nullopt;
}

int Inspection::instruction_line(int line) const {
  const auto after = std::ranges::upper_bound(extents_, line, {}, &std::pair<int, int>::first);
  if (after == extents_.begin() || std::prev(after)->second < line) return line;
  return std::prev(after)->first;
}

std::size_t Inspection::source_offset(const df::Instruction& instruction, std::size_t offset) const {
  const df::Range place = df::position(instruction, offset);
  return lines.offset(place.line, place.column);
}

std::size_t Inspection::arguments_begin(const df::Instruction& instruction) const {
  const std::string_view text = instruction.text;
  const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
  std::size_t at = std::min(text.find_first_not_of(kBlanks, end), text.size());
  for (std::size_t i = 0; i < instruction.flags.size(); ++i) {
    // Flags end at a blank that no quote and no backslash protects.
    char quote = 0;
    for (; at < text.size(); ++at) {
      const char c = text[at];
      if (c == '\\') {
        ++at;
      } else if (quote) {
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (kBlanks.find(c) != kBlanks.npos) {
        break;
      }
    }
    at = std::min(text.find_first_not_of(kBlanks, std::min(at, text.size())), text.size());
  }
  return at;
}

Span Inspection::span(const df::Range& range) const {
  if (range.line < 1) return {0, 0};
  const std::size_t begin = lines.offset(range.line, range.column);
  const Span line = lines.line(range.line);
  std::size_t end = line.end;
  while (end > begin && kBlanks.find(source[end - 1]) != kBlanks.npos) --end;
  return {begin, std::max(begin, end)};
}

Span Inspection::span(const df::Instruction& instruction, std::size_t begin, std::size_t end) const {
  const std::size_t first = source_offset(instruction, begin);
  return {first, end > begin ? source_offset(instruction, end - 1) + 1 : first};
}

Span Inspection::span(const df::Stage& stage, std::size_t begin, std::size_t end) const {
  const auto place = [&](std::size_t offset) {
    const df::Range where = df::position(stage, offset);
    return lines.offset(where.line, where.column);
  };
  return {place(begin), end > begin ? place(end - 1) + 1 : place(begin)};
}

Span Inspection::span(const RunView& run, std::size_t begin, std::size_t end) const {
  const auto& offsets = run.source_offsets;
  if (offsets.empty()) return whole(*run.instruction);
  const std::size_t first = begin < offsets.size() ? offsets[begin] : offsets.back() + 1;
  if (end <= begin) return {first, first};
  return {first, std::max(first, offsets[std::min(end, offsets.size()) - 1] + 1)};
}

Span Inspection::keyword(const df::Instruction& instruction) const {
  return span(instruction, 0, instruction.keyword_as_written.size());
}

Span Inspection::whole(const df::Instruction& instruction) const {
  return {lines.offset(instruction.where.line, instruction.where.column),
          lines.line(std::max(instruction.where.line, instruction.where.end_line)).end};
}

Span Inspection::whole(const df::Stage& stage) const {
  const std::size_t begin = lines.offset(stage.where.line, stage.where.column);
  if (stage.implied) return {begin, begin};
  return {begin, lines.line(std::max(stage.where.line, stage.where.end_line)).end};
}

void Inspection::report(const Rule& rule, Span where, int instruction_line, std::string message, std::optional<Fix> fix) {
  findings_.push_back({.rule = &rule,
                       .severity = rule.severity,
                       .message = std::move(message),
                       .where = where,
                       .instruction_line = instruction_line,
                       .fix = std::move(fix)});
}

std::vector<Finding> Inspection::take() { return std::move(findings_); }

}  // namespace mica::lint
