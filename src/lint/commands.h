/// What is known of package managers: which words of a command are packages, and what the command does to the image.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "lint/shell.h"

namespace mica::lint {

struct PackageCommand {
  /// `refresh` reads the index (apt-get update), `upgrade` replaces what is installed, `clean` removes caches.
  enum class Action { other, install, refresh, upgrade, remove, clean } action = Action::other;
  std::string_view manager;             ///< one name for all forms: "pip" for pip3.11 and python -m pip, "dnf" for microdnf and tdnf
  std::string_view verb;                ///< "install"; empty: none (yarn alone installs)
  const shell::Word* program = nullptr; ///< after it stand flags of the manager
  const shell::Word* verb_word = nullptr;   ///< after it stand flags of the action; null: none
  std::vector<const shell::Word*> packages; ///< what follows the verb, without flags and their values
};

/// nullopt: no package manager.
std::optional<PackageCommand> package_command(const shell::Command& command);

/// Value of a flag that takes one: "-o f", "-of", "--output f", "--output=f". Null text: not given. `word` is where it stands.
struct FlagValue {
  std::string_view text;
  const shell::Word* word = nullptr;
};
std::optional<FlagValue> flag_value(const shell::Command& command, std::string_view flag);

/// URLs among the words of curl or wget.
std::vector<const shell::Word*> urls(const shell::Command& command);
/// Where curl or wget writes to; empty: standard output, or a name made from the URL.
std::string_view output_file(const shell::Command& command);
/// tar x, unzip and their like.
bool extracts_archive(const shell::Command& command);
bool is_archive_name(std::string_view path);

}  // namespace mica::lint
