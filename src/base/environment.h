/// A process's environment as a list of "NAME=value", in the order in which it is handed over.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace mica {

/// Whether `env` gives `name` a value, the empty one included.
bool has_variable(const std::vector<std::string>& env, std::string_view name);
/// Sets it where it stands, or at the end.
void set_variable(std::vector<std::string>& env, std::string_view name, std::string_view value);
/// Takes it away.
void remove_variable(std::vector<std::string>& env, std::string_view name);

}  // namespace mica
