#include "cli/commands.h"

#include <doctest/doctest.h>

#include <algorithm>


namespace mica::cli {
namespace {

TEST_CASE("commands and groups are sorted, as their look-up needs it") {
  const auto table = command_table();
  for (std::size_t i = 1; i < table.size(); ++i) CHECK_MESSAGE(table[i - 1].name < table[i].name, std::string(table[i].name));
  const auto groups = command_groups();
  for (std::size_t i = 1; i < groups.size(); ++i) CHECK_MESSAGE(groups[i - 1].name < groups[i].name, std::string(groups[i].name));
}

TEST_CASE("every command stands in a group that exists") {
  for (const Entry& entry : command_table()) {
    const auto blank = entry.name.rfind(' ');
    if (blank == entry.name.npos) continue;
    const auto groups = command_groups();
    CHECK_MESSAGE(std::any_of(groups.begin(), groups.end(), [&](const auto& group) { return group.name == entry.name.substr(0, blank); }), std::string(entry.name));
  }
}

TEST_CASE("flags of every command are sorted by name, and no letter is given twice") {
  for (const Entry& entry : command_table()) {
    const auto flags = entry.command->flags;
    for (std::size_t i = 1; i < flags.size(); ++i) CHECK_MESSAGE(flags[i - 1].name < flags[i].name, (std::string(entry.name) + " --" + std::string(flags[i].name)));
    for (std::size_t i = 0; i < flags.size(); ++i)
      for (std::size_t k = i + 1; k < flags.size(); ++k) CHECK((flags[i].letter == 0 || flags[i].letter != flags[k].letter));
  }
}

}  // namespace
}  // namespace mica::cli
