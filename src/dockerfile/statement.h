/// One instruction between line and tree: keyword, flags and the rest split off, its words not yet understood. The parse functions of
/// each group of instructions turn it into a Command. Internal to the module.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dockerfile/diagnostics.h"
#include "dockerfile/lines.h"
#include "dockerfile/tree.h"
#include "dockerfile/words.h"

namespace mica::dockerfile {

struct Statement {
  std::string text;                  ///< the logical line, right blanks and all
  std::vector<TextPiece> pieces;
  std::string keyword_as_written, keyword;
  std::vector<Flag> flags;
  std::string_view rest;             ///< of `text`: what follows keyword and flags, blanks trimmed
  JsonWords json;                    ///< of `rest`, for keywords that may have it
  std::vector<Heredoc> heredocs;
  char escape = '\\';
  Range where;

  Statement() = default;
  Statement(const Statement&) = delete;            // `rest` points into `text`
  Statement& operator=(const Statement&) = delete;
};

/// Splits a line up. Reports what BuildKit's parser (as opposed to its instructions) reports: an array of other things than strings,
/// pairs without '='. False after an error.
bool read_statement(Statement& statement, std::string text, std::vector<TextPiece> pieces, char escape, const Range& where,
                    Diagnostics& diagnostics);
/// Those that the line of an ADD, COPY or RUN (or of an ONBUILD of these) announces.
std::vector<Heredoc> heredocs_of(const Statement& statement);

enum class FlagKind { text, boolean, list };
struct FlagSpec {
  std::string_view name;
  FlagKind kind = FlagKind::text;
};
/// Checks the flags against those that the instruction has. False after an error.
bool check_flags(const Statement& statement, std::span<const FlagSpec> known, Diagnostics& diagnostics);
std::string text_flag(const Statement& statement, std::string_view name);                 ///< empty: not given
std::optional<bool> boolean_flag(const Statement& statement, std::string_view name);
std::vector<std::string> list_flag(const Statement& statement, std::string_view name);

/// Each reports its errors and returns nullopt after one. The keyword is that of the function's name.
std::optional<Command> parse_add_or_copy(const Statement& statement, Diagnostics& diagnostics);
std::optional<Command> parse_run(const Statement& statement, Diagnostics& diagnostics);
std::optional<Command> parse_cmd(const Statement& statement, Diagnostics& diagnostics);
std::optional<Command> parse_entrypoint(const Statement& statement, Diagnostics& diagnostics);
std::optional<Command> parse_shell(const Statement& statement, Diagnostics& diagnostics);
std::optional<Command> parse_healthcheck(const Statement& statement, Diagnostics& diagnostics);
std::optional<Command> parse_env(const Statement& statement, Diagnostics& diagnostics);
std::optional<Command> parse_label(const Statement& statement, Diagnostics& diagnostics);
std::optional<Command> parse_arg(const Statement& statement, Diagnostics& diagnostics);
std::optional<Command> parse_expose(const Statement& statement, Diagnostics& diagnostics);
std::optional<Command> parse_volume(const Statement& statement, Diagnostics& diagnostics);
std::optional<Command> parse_user(const Statement& statement, Diagnostics& diagnostics);
std::optional<Command> parse_workdir(const Statement& statement, Diagnostics& diagnostics);
std::optional<Command> parse_stopsignal(const Statement& statement, Diagnostics& diagnostics);
std::optional<Command> parse_maintainer(const Statement& statement, Diagnostics& diagnostics);
std::optional<Command> parse_onbuild(const Statement& statement, Diagnostics& diagnostics);

/// The command of any keyword but FROM; an unknown one is an error.
std::optional<Command> parse_command(const Statement& statement, Diagnostics& diagnostics);
std::optional<Stage> parse_from(const Statement& statement, Diagnostics& diagnostics);

/// The warnings that the tree as a whole gives rise to.
void add_warnings(const File& file, Diagnostics& diagnostics);

}  // namespace mica::dockerfile
