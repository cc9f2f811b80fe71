/// Text to tree. No I/O.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "dockerfile/tree.h"

namespace mica::dockerfile {

inline constexpr std::size_t kMaxFileBytes = 16 << 20;   ///< far above any real file; keeps hostile input bounded
inline constexpr std::size_t kMaxLineBytes = 65535;      ///< one physical line, as BuildKit's scanner has it

struct Parsed {
  File file;
  std::vector<Diagnostic> errors;   ///< all of them; when not empty, `file` holds what could be understood
};

/// Parses a whole Dockerfile; collects every syntax error instead of stopping at the first.
Parsed parse(std::string name, std::string_view text);

/// `parse` as a Result: the errors become one Error (invalid_argument) whose message shows each as "NAME:LINE: message" with the
/// source line, a caret and the suggestion.
Result<File> parse_file(std::string name, std::string_view text);

/// Parses the text of an ONBUILD trigger as one instruction (when it fires). `origin` names it in messages.
/// ONBUILD, FROM and MAINTAINER are errors.
Result<Instruction> parse_trigger(std::string_view text, std::string origin);

/// Parses the CSV value of RUN --mount after expansion. Errors: invalid_argument (unknown key or type with suggestion, key not
/// allowed for the type, bad number, target "/" on bind, ...), BuildKit's rules.
Result<MountSpec> parse_mount(std::string_view csv);

/// Excerpt of the file around `where` for error messages: up to two lines before and after, numbered, the lines of `where` marked
/// with ">>>" and, when `column` > 1, a caret line below the first.
std::string excerpt(std::string_view source, const Range& where);

}  // namespace mica::dockerfile
