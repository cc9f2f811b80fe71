/// Fault points for tests: with MICA_FAULT=kill:N the process kills itself (SIGKILL) at the n-th point that is passed, with
/// MICA_FAULT=enospc:N the n-th fallible point fails with ENOSPC. MICA_FAULT_COUNT=FILE writes how many points were passed at
/// exit. One predictable branch when unset.
///
/// Points count from 1 over all threads; the environment is read once, before main. A fault_point is fallible; a crash_point, set
/// after steps that cannot fail any more, counts for kill:N only. The points of this module: the steps of write_file_atomically,
/// before and after rename, sync and sync_filesystem.
#pragma once
#include "base/error.h"

namespace mica::sys {
namespace detail {
extern const bool faults_armed;
Result<> pass_armed_fault_point(const char* name);
void pass_armed_crash_point(const char* name);
}  // namespace detail

/// Passes a fault point named for the log. Errors only when a test asked for it.
inline Result<> fault_point(const char* name) {
  if (detail::faults_armed) [[unlikely]] return detail::pass_armed_fault_point(name);
  return {};
}

/// Passes a point where the process may be killed but nothing can fail.
inline void crash_point(const char* name) {
  if (detail::faults_armed) [[unlikely]] detail::pass_armed_crash_point(name);
}
}  // namespace mica::sys
