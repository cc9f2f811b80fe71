/// The process that a running container has beside it; see engine/containers.h.
#pragma once
#include <string>

#include "engine/engine.h"

namespace mica::engine {

/// `id` in full; `starter_fd`: a socket to who wants it started, or -1. In a private mount namespace and a session of its own. Returns when the
/// container has ended for good. Errors: what kept it from looking after the container at all (the starter hears of them too).
Result<> monitor_container(const Options& options, const std::string& id, int starter_fd);

}  // namespace mica::engine
