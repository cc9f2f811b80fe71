/// Contexts that come as archives: from standard input, a file or a URL.
#pragma once
#include <memory>
#include <string>

#include "base/error.h"
#include "build/source_tree.h"
#include "stream/stream.h"
#include "task/task.h"

namespace mica::build {

/// True when the bytes (at least the first 512, if there are that many) begin a tar, or anything compressed.
bool looks_like_archive(std::string_view first_bytes);

/// Reads a tar, plain or compressed in any form that stream knows, into a tree. Owners, modes, times, attributes, links and
/// devices are the archive's; folders that it does not list are 0755 0:0. Links on the way to a name are followed inside the
/// tree. Contents go to a folder below `temporary`, which lives as long as the tree. Errors: corrupt (damaged, names that climb
/// out, ids out of range), resource_exhausted, cancelled.
Result<std::unique_ptr<SourceTree>> read_tar_context(stream::Source& from, const std::string& temporary, std::string name,
                                                     task::Cancel cancel);

}  // namespace mica::build
