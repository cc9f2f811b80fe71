/// SIGINT/SIGTERM/SIGHUP turned into a readable file descriptor and a callback thread-free poll target.
#pragma once
#include "base/error.h"
#include "sys/fd.h"

namespace mica::sys {
/// Installs handlers (once) that write one byte to a pipe; the returned number is its read end, valid for the life of the
/// process. The second signal of the same kind ends the process at once with 128+n; one within 0.3 s of the first is taken for the
/// same request, since a signal sent to a process and to its group (as timeout(1) does) arrives twice. Signals that were ignored
/// before us (nohup) stay ignored.
Result<int> stop_signal_fd();
/// The number of the first such signal, or 0.
int stop_signal();
}  // namespace mica::sys
