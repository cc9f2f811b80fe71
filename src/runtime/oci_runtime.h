/// Runs processes through an OCI runtime program (crun where it accepts this machine's cgroups, else runc).
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/guarded.h"
#include "runtime/spec.h"
#include "sys/process.h"
#include "task/task.h"

namespace mica::runtime {

/// Where a process's standard streams go.
struct Streams {
  int stdin_fd = -1;                                      ///< -1: empty (/dev/null)
  /// Called from the waiting thread for each chunk; stream is 1 or 2 (with a terminal always 1). Empty: inherited from us.
  std::function<void(int stream, std::string_view bytes)> output;
  /// With ProcessSpec::terminal: the user's terminal, whose window size is followed (usually 0). Input still comes from stdin_fd,
  /// which is in raw mode meanwhile when it is a terminal.
  int terminal_fd = -1;
};

class OciRuntime {
 public:
  virtual ~OciRuntime() = default;
  virtual std::string name() const = 0;                   ///< "runc 1.1.5"
  /// Whether Resources have an effect: not without control groups that may be written, as without root. They are then left out, and
  /// the caller may want to say so.
  virtual bool can_limit() const { return true; }
  /// Writes a bundle below `temporary`, runs to the end and cleans up. The runtime process is pid 1 of a pid namespace of its
  /// own, so that a cancelled step, or the death of mica by any signal, ends everything that the step started. (Not so with
  /// ProcessSpec::host_pid when mica is killed: then the container has no pid namespace that could end.)
  /// Errors: not_found / permission_denied when the command cannot be executed (exit_status() 127 / 126), cancelled,
  /// unavailable (the runtime itself failed: its message).
  virtual Result<sys::Exit> run(const ProcessSpec& spec, const Streams& streams, const std::string& temporary, task::Cancel cancel) = 0;
};

/// `name` empty: chosen by trying once and remembered in `cache_file` with the kernel's and the program's identity.
/// Otherwise a name or path; errors: not_found with the package to install, unsupported.
Result<std::unique_ptr<OciRuntime>> find_runtime(const std::string& name, const std::string& cache_file);

}  // namespace mica::runtime
