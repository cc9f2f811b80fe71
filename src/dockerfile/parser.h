/// Text to tree. No I/O.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "dockerfile/tree.h"

namespace mica::dockerfile {

inline constexpr std::size_t kMaxFileBytes = 16 << 20;   ///< far above any real file; keeps hostile input bounded
inline constexpr std::size_t kMaxLineBytes = 65535;      ///< one physical line, as BuildKit's scanner has it
inline constexpr std::size_t kMaxInstructions = 100'000; ///< memory: an instruction is about half a kilobyte
inline constexpr std::size_t kMaxWords = 65536;          ///< of one instruction, likewise
inline constexpr std::size_t kMaxErrors = 100;           ///< after so many, parsing stops
inline constexpr std::size_t kMaxWarnings = 1000;        ///< later ones are dropped

struct Parsed {
  File file;
  std::vector<Diagnostic> errors;   ///< all of them; when not empty, `file` holds what could be understood
};

struct ParseOptions {
  /// For who looks at the text without building it: instructions that no FROM stands above make up a stage that is `implied`, and a
  /// file without any FROM is no error.
  bool fragment = false;
};

/// Parses a whole Dockerfile; collects every syntax error instead of stopping at the first.
Parsed parse(std::string name, std::string_view text, const ParseOptions& options = {});

/// `parse` as a Result: the errors become one Error (invalid_argument) with the first as message and position; its full_text()
/// shows each as "NAME:LINE: message" with the source lines, a caret and the suggestion.
Result<File> parse_file(std::string name, std::string_view text);

/// Parses the text of an ONBUILD trigger as one instruction (when it fires). `origin` names it in messages.
/// ONBUILD, FROM and MAINTAINER are errors.
Result<Instruction> parse_trigger(std::string_view text, std::string origin);

/// Replaces the variables of one value.
using Expander = std::function<Result<std::string>(std::string_view value)>;
/// Parses the CSV value of RUN --mount; `expand` is called for each value after the CSV was split, so that what a variable holds can
/// neither add keys nor break quotes. Without it, values with a '$' are kept and not checked; a type that is one counts as bind, a
/// readonly flag that is one as not given. A relative or empty target is the caller's to join to WORKDIR and to check for "/" again.
/// Errors: invalid_argument (unknown key or type with suggestion, key not allowed for the type, bad number, target "/", variable
/// in `from`, ...), by BuildKit's rules and in its words.
Result<MountSpec> parse_mount(std::string_view csv, const Expander& expand = nullptr);

/// What a RUN in shell form hands to the shell.
struct ShellInput {
  std::string text;                 ///< the line; or the body of the one heredoc that is the whole line; or line and bodies glued
  const Heredoc* script = nullptr;  ///< the line is one heredoc that begins with "#!": run it as the file /dev/pipes/NAME instead
};
ShellInput shell_input(const CommandLine& command);

/// The place of byte `offset` of an instruction's text.
Range position(const Instruction& instruction, std::size_t offset);
Range position(const Stage& stage, std::size_t offset);

/// Excerpt of the file around `where` for error messages: up to two lines before and after, numbered, the lines of `where` marked
/// with ">>>" and, when `column` > 1, a caret line below the first. Long lines and long ranges are cut, control characters replaced.
std::string excerpt(std::string_view source, const Range& where);

}  // namespace mica::dockerfile
