/// Whether a label's value has the form that a label schema asks for.
#pragma once
#include <string_view>

#include "lint/options.h"

namespace mica::lint {

bool is_url(std::string_view text);
bool is_rfc3339(std::string_view text);
bool is_spdx_license(std::string_view text);     ///< one id, or an expression of ids with AND, OR, WITH and parentheses
bool is_git_hash(std::string_view text);         ///< 7 to 40 hex digits
bool is_semver(std::string_view text);
bool is_email(std::string_view text);

}  // namespace mica::lint
