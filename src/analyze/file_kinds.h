/// What a file is, told from its path and mode alone. Internal to the module.
#pragma once
#include <cstdint>
#include <string_view>

namespace mica::analyze {

/// "shared libraries", "documentation", ...; "other" when nothing is known.
std::string_view file_kind(std::string_view path, std::uint32_t mode);
/// Records of logins, whose sizes are those of user numbers.
bool is_sparse_log(std::string_view path);

}  // namespace mica::analyze
