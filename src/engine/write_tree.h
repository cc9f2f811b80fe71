/// `-o type=local`: a root filesystem written into a folder of the user.
#pragma once
#include <optional>
#include <string>

#include "base/error.h"
#include "snapshot/tree_view.h"
#include "task/task.h"

namespace mica::engine {

/// Writes the visible tree into `folder` (made when missing) as the caller's files: modes, links and times are kept, owners, attributes and
/// device nodes are not. Existing files are replaced; with `delete_stale` what the tree does not have is removed. Names in the
/// tree cannot lead outside of `folder`. Errors: conflict (a file stands where a folder must), permission_denied, resource_exhausted.
Result<> write_tree(const snapshot::TreeView& tree, const std::string& folder, bool delete_stale, std::optional<std::int64_t> clamp_ns, task::Cancel cancel);

}  // namespace mica::engine
