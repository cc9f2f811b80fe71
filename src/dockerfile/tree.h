/// The tree of a Dockerfile: what the parser makes and the planner (and lint) reads. Plain values; texts are *not* expanded.
///
/// Rules and wording follow docs/spec of the language (BuildKit's frontend 1.26): see ARCHITECTURE.md, "The Dockerfile language".
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace mica::dockerfile {

/// Lines and columns (in bytes) count from 1; `end_line` is the last line of the instruction, heredoc bodies included. Line 0: the
/// file as a whole.
struct Range {
  int line = 0, column = 1, end_line = 0;
  bool operator==(const Range&) const = default;
};

/// `--name[=value]` right after the keyword, quotes and escapes already removed from the value (not expanded).
struct Flag {
  std::string name;
  std::optional<std::string> value;
  Range where;
  bool operator==(const Flag&) const = default;
};

/// A here-document of ADD, COPY or RUN.
struct Heredoc {
  std::string name;      ///< the word without quotes
  std::string body;      ///< with final newline; tabs stripped for <<-
  std::string raw;       ///< <<- only: the body as it stands in the file, for RUN lines that hand it to the shell (shell_input)
  bool expand = true;    ///< false when any part of the word was quoted
  bool strip_tabs = false;
  int fd = -1;           ///< number before <<, or -1
  bool operator==(const Heredoc&) const = default;
};

/// Words in shell or exec (JSON) form.
struct CommandLine {
  bool exec_form = false;
  std::vector<std::string> words;   ///< exec form: the JSON strings; shell form: one element, the text (continuations removed)
  std::vector<Heredoc> heredocs;    ///< RUN only
  bool operator==(const CommandLine&) const = default;
};

struct KeyValue {
  std::string key;                        ///< with quotes and escapes still in place (expansion removes them)
  std::optional<std::string> value;       ///< nullopt: ARG without default
  bool operator==(const KeyValue&) const = default;
};

enum class MountType { bind, cache, tmpfs, secret, ssh };
enum class Sharing { shared, private_, locked };
/// One RUN --mount; string values unexpanded (the planner expands all but `from`).
struct MountSpec {
  MountType type = MountType::bind;
  std::string target, source, from, id, env;
  std::optional<bool> read_only;          ///< as written (ro / rw)
  Sharing sharing = Sharing::shared;
  std::string mode, uid, gid, size, required;   ///< texts as written; empty: not given. required: "true" when bare
  std::string sharing_text;               ///< as written, when it holds a variable
  Range where;
  bool operator==(const MountSpec&) const = default;
};

struct Arg { std::vector<KeyValue> args; bool operator==(const Arg&) const = default; };
struct Env { std::vector<KeyValue> pairs; bool legacy = false; bool operator==(const Env&) const = default; };
struct Label { std::vector<KeyValue> pairs; bool legacy = false; bool operator==(const Label&) const = default; };
struct Run {
  CommandLine command;
  std::vector<std::string> mounts;        ///< raw --mount values, CSV, unexpanded: parse_mount() after expansion
  std::string network, security, devices; ///< --network, --security as written; empty: not given
  bool operator==(const Run&) const = default;
};
struct Copy {                             ///< COPY and ADD
  bool add = false;
  std::vector<std::string> sources;       ///< heredoc sources are not here
  std::vector<Heredoc> heredocs;
  std::string destination;
  std::string from, chown, chmod, checksum;
  std::vector<std::string> excludes;
  bool link = false, parents = false, keep_git_dir = false;
  std::optional<bool> unpack;
  bool operator==(const Copy&) const = default;
};
struct Workdir { std::string path; bool operator==(const Workdir&) const = default; };
struct User { std::string user; bool operator==(const User&) const = default; };
struct Volume { std::vector<std::string> paths; bool operator==(const Volume&) const = default; };
struct Expose { std::vector<std::string> ports; bool operator==(const Expose&) const = default; };  ///< sorted, as BuildKit has it
struct StopSignal { std::string signal; bool operator==(const StopSignal&) const = default; };
struct Shell { std::vector<std::string> words; bool operator==(const Shell&) const = default; };
struct Cmd { CommandLine command; bool operator==(const Cmd&) const = default; };
struct Entrypoint { CommandLine command; bool operator==(const Entrypoint&) const = default; };
struct Maintainer { std::string name; bool operator==(const Maintainer&) const = default; };
struct OnBuild { std::string text; bool operator==(const OnBuild&) const = default; };  ///< text after the keyword, heredocs included
struct HealthcheckSpec {
  bool none = false;
  CommandLine command;
  std::int64_t interval = 0, timeout = 0, start_period = 0, start_interval = 0;  ///< ns
  int retries = 0;
  bool operator==(const HealthcheckSpec&) const = default;
};

using Command = std::variant<Arg, Env, Label, Run, Copy, Workdir, User, Volume, Expose, StopSignal, Shell, Cmd, Entrypoint,
                             Maintainer, OnBuild, HealthcheckSpec>;

/// Where a part of a logical line stands in the file: from byte `offset` of the line on, at `line` and `column`. One per physical line.
struct TextPiece {
  std::uint32_t offset = 0;
  int line = 0, column = 1;
  bool operator==(const TextPiece&) const = default;
};

struct Instruction {
  std::string keyword;              ///< upper case: "RUN"
  std::string keyword_as_written;
  std::string text;                 ///< the instruction's logical line: continuations joined, comments removed, heredocs not included
  std::vector<TextPiece> pieces;    ///< of `text`: position() turns an offset in it into a place in the file
  std::vector<Flag> flags;
  std::vector<std::string> comments;  ///< comment lines above (an empty comment cuts them off), without '#' and blanks
  Range where;
  Command command;
};

struct Stage {
  std::string base;                 ///< FROM word, unexpanded
  std::string platform;             ///< --platform, unexpanded
  std::string name;                 ///< AS name in lower case; empty: none
  std::string name_as_written, as_keyword;
  std::string from_keyword;
  std::string text;                 ///< the FROM line, as Instruction::text
  std::vector<TextPiece> pieces;    ///< of `text`
  std::vector<std::string> comments;
  Range where;
  bool implied = false;             ///< no FROM that could be read stands above it (ParseOptions::fragment)
  std::vector<Instruction> instructions;
};

struct Directives {
  std::string syntax;               ///< first word of `# syntax=` (or `//syntax=`)
  std::string check;                ///< whole value of `# check=`
  char escape = '\\';
};

struct Diagnostic {
  enum class Level { error, warning };
  Level level = Level::error;
  std::string code;                 ///< warnings: BuildKit's rule name ("NoEmptyContinuation"), or our own "ForeignSyntax"; errors: the lint rule that says the same, or empty
  std::string message;
  std::string suggestion;           ///< "did you mean ...", or empty
  Range where;
};

struct File {
  std::string name;                 ///< for messages
  std::string source;               ///< the bytes as read
  Directives directives;
  std::vector<Instruction> global_args;   ///< ARGs before the first FROM
  std::vector<Stage> stages;
  std::vector<Diagnostic> warnings;
};

}  // namespace mica::dockerfile
