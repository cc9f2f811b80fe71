/// Questions at a terminal, answered with a line.
#pragma once
#include <string>

#include "base/error.h"
#include "base/secret.h"

namespace mica::cli {

bool stdin_is_terminal();
/// Writes the question to stderr and reads a line from stdin, without the line's end. Errors: cancelled (a signal, or the end of input).
Result<std::string> ask_line(std::string_view question);
/// The same with the terminal's echo off; it is on again afterwards, also after a signal.
Result<Secret> ask_secret(std::string_view question);
/// All of stdin without one line ending (\n, \r\n or \r). Errors: resource_exhausted (no password is that long), those of reading.
Result<Secret> secret_from_stdin();

}  // namespace mica::cli
