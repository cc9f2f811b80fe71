/// From argv to one command.
#pragma once

namespace mica::cli {

/// Picks the command from a constant table, parses only its flags, prepares what it needs and runs it. Returns the exit status.
int run(int argc, char** argv);

}  // namespace mica::cli
