/// One file under inspection: the tree, what can be said of its stages without building, and where findings go. A rule gets this and nothing else.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dockerfile/ignore.h"
#include "dockerfile/tree.h"
#include "lint/finding.h"
#include "lint/options.h"
#include "lint/shell.h"

namespace mica::lint {

/// Lines and columns of byte offsets.
class LineIndex {
 public:
  explicit LineIndex(std::string_view source);        ///< `source` must outlive it
  struct Position {
    int line = 1, column = 1;
  };
  Position position(std::size_t offset) const;
  std::size_t offset(int line, int column) const;      ///< kept within the source
  Span line(int line) const;                           ///< without its line end
  int count() const { return static_cast<int>(starts_.size()); }

 private:
  std::string_view source_;
  std::vector<std::size_t> starts_;
};

/// A RUN (or the RUN of an ONBUILD), its shell text parsed.
struct RunView {
  const dockerfile::Instruction* instruction = nullptr;   ///< the outer one for ONBUILD
  const dockerfile::Run* run = nullptr;
  std::size_t stage = 0;
  bool on_build = false;
  bool exec_form = false;          ///< the words are parsed as a command, not as shell text
  std::string shell;               ///< "sh", "bash", ...: name of the program that runs it
  bool shell_is_posix = true;      ///< sh, bash, dash, ash, ksh, zsh, busybox; false: powershell, cmd, a heredoc of another language
  std::vector<std::string> shell_words;   ///< the whole SHELL, "/bin/sh -c" when none was given
  shell::Script script;            ///< offsets are of its text; span() of Inspection turns them into the file's
  std::vector<std::size_t> source_offsets; ///< per byte of the script's text: where it stands in the source
};

struct StageView {
  const dockerfile::Stage* stage = nullptr;
  std::size_t index = 0;
  std::string base;                         ///< variables replaced by the defaults of ARGs before the first FROM; as written when one is not known
  bool base_known = true;                   ///< false: a variable of it has no value
  std::optional<std::size_t> base_stage;    ///< FROM an earlier stage
  bool from_scratch = false;
  bool exported = false;                    ///< the last one, or a base of it
  bool needed = false;                      ///< reached from the last stage by FROM, COPY --from or a mount
  std::vector<RunView> runs;                ///< in order
};

/// An instruction, or what an ONBUILD holds: `instruction` is then the inner one, with the places of the file, and `outer` the ONBUILD.
struct InstructionView {
  const dockerfile::Instruction* instruction = nullptr;
  const dockerfile::Instruction* outer = nullptr;
  std::size_t stage = 0;
  int line() const { return (outer ? outer : instruction)->where.line; }
};

/// From "# hadolint shell=...".
struct ShellPragma {
  int line = 0;
  std::string shell;
};

/// The rules see comments and pragmas nowhere: what they hide is taken off afterwards.
class Inspection {
 public:
  Inspection(const dockerfile::File& file, const Options& options, std::span<const ShellPragma> shells = {});
  ~Inspection();

  const dockerfile::File& file;
  const Options& options;
  const std::string& source;
  LineIndex lines;
  std::map<std::string, std::optional<std::string>, std::less<>> global_args;   ///< of ARGs before the first FROM: value by --build-arg or default
  std::vector<StageView> stages;
  std::vector<InstructionView> instructions;          ///< of all stages, in order; the inner one of an ONBUILD comes right after it

  Span span(const dockerfile::Range& range) const;                                 ///< from its place to the end of that physical line (without blanks at the end)
  Span span(const dockerfile::Instruction& instruction, std::size_t begin, std::size_t end) const;   ///< of bytes of instruction.text
  Span span(const dockerfile::Stage& stage, std::size_t begin, std::size_t end) const;               ///< of bytes of its FROM line
  Span span(const RunView& run, std::size_t begin, std::size_t end) const;         ///< of bytes of run.script's text
  Span keyword(const dockerfile::Instruction& instruction) const;
  Span whole(const dockerfile::Instruction& instruction) const;                    ///< from its keyword to the end of its last line, without the line end
  Span whole(const dockerfile::Stage& stage) const;                                ///< its FROM line, from the keyword; empty for an implied one

  void report(const Rule& rule, Span where, int instruction_line, std::string message, std::optional<Fix> fix = std::nullopt);
  /// The same about an instruction.
  void report(const Rule& rule, Span where, const InstructionView& view, std::string message, std::optional<Fix> fix = std::nullopt) {
    report(rule, where, view.line(), std::move(message), std::move(fix));
  }
  std::vector<Finding> take();

  /// Offset in the source of byte `offset` of instruction.text.
  std::size_t source_offset(const dockerfile::Instruction& instruction, std::size_t offset) const;
  /// Where the instruction begins that a physical line belongs to; the line itself between instructions.
  int instruction_line(int line) const;
  /// Offset in instruction.text of what follows keyword and flags.
  std::size_t arguments_begin(const dockerfile::Instruction& instruction) const;
  /// The stage before `before` that a name or a number means, as FROM and COPY --from have it. nullopt: an image or a context.
  std::optional<std::size_t> stage_named(std::string_view name, std::size_t before, bool numbers = true) const;

 private:
  void add_stage(std::size_t index, std::span<const ShellPragma> shells, std::vector<std::vector<std::string>>& shell_of);
  void add_run(StageView& view, const InstructionView& instruction, const std::vector<std::string>& shell_words);
  void read_global_args();
  void mark_needed();
  std::vector<std::unique_ptr<dockerfile::Instruction>> triggers_;
  std::vector<std::pair<int, int>> extents_;                              // first and last line of each instruction, in order
  std::unordered_map<std::string, std::vector<std::size_t>> stage_names_;
  std::vector<Finding> findings_;
};

}  // namespace mica::lint
