/// Resolving symbolic links in a tree that is not on disk.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace mica::snapshot {

/// The path without links: parents' always, a final one's when `follow_last`; absolute links start at the root, ".." stops at
/// it. `link_at` gives the target of the symbolic link at a path without links, or nothing for all else; missing parts are kept
/// literally. Errors: invalid_argument (more than 40 links, as the kernel counts).
Result<std::string> resolve_links(std::string_view path, bool follow_last,
                                  const std::function<std::optional<std::string>(const std::string&)>& link_at);

}  // namespace mica::snapshot
