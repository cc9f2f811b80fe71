/// Errors to text on stderr and to exit statuses: the compatibility table of the command line lives here.
#pragma once
#include "base/error.h"
#include "cli/command.h"

namespace mica::cli {

/// Prints "mica: ..." (with hint and excerpt) and returns the status: the error's own exit_status() if any, 130 after an
/// interrupt, else 1.
int report_error(const Error& error);
/// A wrong flag: Docker's text with the usage hint; 125.
int report_flag_error(const Error& error, const Context& context);
/// A wrong number of arguments: Docker's text; 1.
int report_argument_count(const Context& context);
/// The help page of a command.
std::string help_page(std::string_view path, const Command& command);

}  // namespace mica::cli
