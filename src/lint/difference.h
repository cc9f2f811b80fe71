/// Two versions of a text as a unified diff.
#pragma once
#include <string>
#include <string_view>

namespace mica::lint {

/// As `diff -u` shows it and `patch` reads it, with three lines around each change; empty when the texts are equal. `name` stands in both heads.
std::string line_difference(std::string_view name, std::string_view before, std::string_view after);

}  // namespace mica::lint
