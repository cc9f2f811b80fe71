/// Streams of a running process: pipes read to the end, and a terminal passed through.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace mica::runtime {

using Output = std::function<void(int stream, std::string_view bytes)>;

/// Reads the two pipes until `process` has ended and what it left in them is read. Either end may be empty.
/// When `stop_fd` becomes readable the process is killed: cancelled.
Result<sys::Exit> relay_pipes(sys::Process& process, const sys::Fd& out, const sys::Fd& err, const Output& output, int stop_fd);

/// A pseudo terminal pair of ours between the user and the runtime, which in turn passes it to the container's own terminal: the
/// runtime needs a terminal for itself, and its console-socket mode exists for detached containers only.
struct Pty {
  sys::Fd master, slave;
  static Result<Pty> open();
};

/// `terminal_fd` (or -1) is the terminal whose window size is followed. `input_fd` (or -1) is where input comes from, byte by byte:
/// a terminal there is in raw mode until the end. Bytes go to `output` as stream 1, or to standard output when it is empty.
Result<sys::Exit> relay_terminal(sys::Process& process, Pty& pty, int terminal_fd, int input_fd, const Output& output, int stop_fd);

}  // namespace mica::runtime
