/// Fault points for tests: with MICA_FAULT=kill:N the process kills itself (SIGKILL) at the n-th point that is passed, with
/// MICA_FAULT=enospc:N the n-th fallible point fails with ENOSPC. MICA_FAULT_COUNT=FILE writes how many points were passed at
/// exit. One predictable branch when unset.
#pragma once
#include "base/error.h"

namespace mica::sys {
/// Passes a fault point named for the log. Errors only when a test asked for it.
Result<> fault_point(const char* name);
}  // namespace mica::sys
