/// What a command is: its page in the help, its flags and the function behind it; and what the function gets.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/args.h"
#include "engine/engine.h"

namespace mica::cli {

struct Context;

/// What must be arranged before the function runs (no threads exist yet at that moment).
enum class Needs {
  nothing,   ///< never opens the store
  store,     ///< without root: becomes root of a user namespace first
  mounts,    ///< also enters a private mount namespace
};

struct Command {
  std::string_view usage;            ///< after the command's name: "[OPTIONS] IMAGE [IMAGE...]"
  std::string_view summary;
  std::string_view aliases;          ///< "image ls, image list, images"; empty: none
  std::span<const Flag> flags;
  int least = 0, most = -1;          ///< positionals; most -1: any number
  Needs needs = Needs::store;
  bool flags_first = false;          ///< the first positional ends the flags
  Result<int> (*run)(Context&) = nullptr;   ///< the exit code
  Needs (*needs_with)(const Args&) = nullptr;   ///< where it depends on the flags, in place of `needs`
};

struct Context {
  std::string path;                  ///< the words that chose the command: "image ls"
  const Command* command = nullptr;
  Args args;
  engine::Options options;           ///< from the global flags
  const Args* compose = nullptr;     ///< of a verb of compose: the flags before it
};
/// Runs the command of this full name ("compose up") with the words behind it: for commands that have flags of their own before their verbs. Its exit code.
int run_inner(const Context& outer, const std::string& path, std::span<const std::string> words);

/// Writes results to stdout; errors: as writing to a file (a closed pipe ends the process by SIGPIPE as usual).
Result<> print(std::string_view text);
/// Writes a remark to stderr.
void note(std::string_view text);
/// Asks on stdout and reads a line from stdin, Docker's way: true for y or Y.
bool confirm(std::string_view question);

}  // namespace mica::cli
