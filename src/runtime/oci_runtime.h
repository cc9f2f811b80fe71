/// Runs processes through an OCI runtime program (crun where it accepts this machine's cgroups, else runc).
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/guarded.h"
#include "json/json.h"
#include "runtime/cgroups.h"
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

/// A container that lives apart from the process that starts it: `folder` holds its bundle (config.json) and the runtime's state, under `id`.
struct ContainerPlace {
  std::string folder, id;
  std::string cgroup;                                     ///< "/mica/ID"
};
/// The container's own ends of its streams, or the terminal.
struct ContainerStreams {
  int stdin_fd = -1, stdout_fd = -1, stderr_fd = -1;      ///< -1: /dev/null; unused with ProcessSpec::terminal
};
struct StartedContainer {
  int pid = 0;                                            ///< of its first process
  sys::Fd terminal;                                       ///< our end of its terminal, with ProcessSpec::terminal
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

  /// Starts a container apart (`run --detach`) and returns when its first process runs. That becomes a child of the nearest subreaper above us.
  /// Errors: as run(). What the runtime itself writes may be in the streams then.
  virtual Result<StartedContainer> start(const ProcessSpec& spec, const ContainerPlace& place, const ContainerStreams& streams, task::Cancel cancel) = 0;
  /// Runs `process` (an object of the runtime specification) in a container that was started so, to its end. Errors: as run().
  virtual Result<sys::Exit> exec(const ContainerPlace& place, const json::Value& process, const Streams& streams, task::Cancel cancel) = 0;
  /// The command line that does `verb` ("exec", "--process", FILE) to a container that was started so; its id comes last.
  virtual std::vector<std::string> command(const ContainerPlace& place, const std::vector<std::string>& verb) const = 0;
  /// Runs such a command to its end. Errors: unavailable with the runtime's own complaint.
  virtual Result<> control(const ContainerPlace& place, const std::vector<std::string>& verb, std::string_view input = {}) const = 0;
  /// After the container's end: its control groups and the runtime's state go. Never fails loudly.
  virtual void forget(const ContainerPlace& place) const = 0;
  /// Where the control groups are; for limits and statistics.
  virtual const Cgroups& cgroups() const = 0;
};

/// The error for what a runtime that failed wrote into its log file; `fallback` when it says nothing.
Error error_in_log(const std::string& log_path, const std::string& runtime, const std::string& fallback);

/// `name` empty: chosen by trying once and remembered in `cache_file` with the kernel's and the program's identity.
/// Otherwise a name or path; errors: not_found with the package to install, unsupported.
Result<std::unique_ptr<OciRuntime>> find_runtime(const std::string& name, const std::string& cache_file);

}  // namespace mica::runtime
