/// A part of a source tree as real files: what bind mounts of a context and seeds of caches show.
#pragma once
#include <string>
#include <vector>

#include "build/source_tree.h"

namespace mica::build {

/// The node at `path` and everything below it, in order; `path` itself is first. Links of `path` are followed.
/// Errors: not_found with Docker's wording ("/missing": not found).
Result<std::vector<Node>> nodes_below(SourceTree& tree, const std::string& path, task::Cancel cancel);

/// Writes `nodes` (of nodes_below) to `target`: a folder's content into the new folder `target`, a file as the file `target`.
/// Owners, modes, times and links are kept; owners of a local context are 0.
Result<> materialise(const std::vector<Node>& nodes, const std::string& target, task::Cancel cancel);

}  // namespace mica::build
