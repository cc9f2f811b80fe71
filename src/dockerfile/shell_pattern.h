/// The wildcards of ${v#p}, ${v%p} and ${v/p/r}: '*' and '?' only, neither crosses a line end; "\*", "\?" and "\\" stand for
/// themselves, "\}" and "\/" too; a backslash before anything else is an error. Internal to the module.
///
/// Errors: invalid_argument (bad escape), resource_exhausted (pattern and value too long to be searched).
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"

namespace mica::dockerfile {

Result<std::string> without_prefix(std::string_view pattern, std::string_view value, bool longest);
Result<std::string> without_suffix(std::string_view pattern, std::string_view value, bool longest);
/// With `all`, '$' in the replacement is special, as in Go's regexp (which BuildKit calls): "$0" is the match, other names are empty.
Result<std::string> with_replacement(std::string_view pattern, std::string_view value, std::string_view replacement, bool all);

}  // namespace mica::dockerfile
