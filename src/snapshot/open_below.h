/// Opening paths of layers, which may be longer than the kernel takes at once.
#pragma once
#include <string_view>

#include "base/error.h"
#include "sys/fd.h"

namespace mica::snapshot {

/// sys::open_strict for a path of any length ("" opens a new descriptor of `root` itself).
Result<sys::Fd> open_below(const sys::Fd& root, std::string_view path, int flags);

}  // namespace mica::snapshot
