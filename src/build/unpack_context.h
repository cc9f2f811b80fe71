/// Unpacks a tar, which nobody checked, into a folder of ours: contexts that come as archives.
#pragma once
#include <string>

#include "base/error.h"
#include "stream/stream.h"
#include "task/task.h"

namespace mica::build {

/// `tar`: plain or compressed in any form that stream knows. Owners, modes, times, links and special files are kept as far as we may
/// (devices need root). No name or link leads outside of `folder` (made new). Errors: corrupt (damaged, names that climb out),
/// resource_exhausted, cancelled.
Result<> unpack_context(stream::Source& tar, const std::string& folder, task::Cancel cancel);

/// True when the bytes (at least the first 512, if there are that many) begin a tar, or anything compressed.
bool looks_like_archive(std::string_view first_bytes);

}  // namespace mica::build
