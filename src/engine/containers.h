/// The life of containers: made, started under a monitor, talked to, stopped, removed. Used by the commands and by compose.
///
/// Every container that runs has a monitor: a process of ours (`mica container-monitor ID`, a session of its own) that owns its mounts, network,
/// pipes or terminal, writes its log, restarts it, runs its health check, and ends with it. Others talk to it through the
/// socket containers/<id>/monitor (container/monitor_protocol.h).
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "container/container_table.h"
#include "container/definition.h"
#include "engine/engine.h"
#include "task/task.h"

namespace mica::engine {

struct CreateContainer {
  std::string name;                                     ///< "": "adjective_surname"
  container::Definition definition;                     ///< as the user said it; the image's part is filled in
  std::string platform;                                 ///< "": any that is here, else this machine's
  std::string pull = "missing";                         ///< missing, never, always
  bool quiet = false;                                   ///< no progress of a pull; for `fetch`
  /// Called when the image must be pulled; empty: a missing image is an error.
  std::function<Result<>(const std::string& image, const std::string& platform)> fetch;
  std::function<void(std::string_view)> warn;           ///< gets what was asked for and cannot be had here; may be empty
};
/// Returns the new container's id. Makes volumes. Errors: not_found (image, volume, network), conflict (name), invalid_argument.
Result<std::string> create_container(Engine& engine, CreateContainer request, const task::Cancel& cancel);

/// What a row says, after what a dead monitor left is put right: a container whose monitor is gone does not run (exit code 137, or 255 after a
/// reboot), its processes are ended and its mounts are gone. Cheap when all is well.
Result<> settle_dead(Engine& engine, container::Row& row);
/// resolve() plus settle_dead(), and for all; the ones that `ps` shows.
Result<container::Row> find_container(Engine& engine, std::string_view name);
Result<std::vector<container::Row>> list_containers(Engine& engine, bool with_definitions = false);
bool is_running(const container::Row& row);             ///< running, paused or restarting
std::string container_folder(Engine& engine, const std::string& id);
runtime::ContainerPlace container_place(Engine& engine, const std::string& id, const container::Definition& definition);
/// For working on the files of a container that does not run: nobody starts or removes it meanwhile. Errors: conflict when it runs.
Result<sys::FileLock> hold_stopped(Engine& engine, const std::string& id);
/// A question for the monitor's host ({"connect": ...}); the answer. Errors: conflict when it does not run, the host's.
Result<json::Value> ask_monitor(Engine& engine, const std::string& id, const json::Value& question);

/// Both ends of an attached container on our side. Bytes that arrive are given to `output` (stream 1 or 2) before the call returns.
struct Attachment {
  bool input = false, output = true;
  int only_stream = 0;                                  ///< 1 or 2: the other one's bytes are dropped
  int stdin_fd = -1;                                    ///< with input: read until its end, which closes the container's input
  int terminal_fd = -1;                                 ///< the user's terminal: raw while attached, its size followed
  std::string detach_keys = "ctrl-p,ctrl-q";
  bool signal_proxy = true;                             ///< signals that we get go to the container
  std::function<void(int stream, std::string_view bytes)> on_output;   ///< empty: to our own standard output and error
};
struct Ended {
  bool detached = false;                                ///< by keys: it still runs
  int exit_code = 0;
  std::string error;
};
/// Starts it, and returns when its first process runs. Already running: no error. With `attachment` it is wired before that process starts, and
/// the call returns at its end (or when the user detaches). Errors: those of the runtime (exit_status 126, 127, 125), of networks and mounts: the container is
/// then "created" with State.error.
Result<Ended> start_container(Engine& engine, const std::string& id, const Attachment* attachment, const task::Cancel& cancel);
/// Errors: conflict when it does not run.
Result<Ended> attach_container(Engine& engine, const std::string& id, const Attachment& attachment, const task::Cancel& cancel);

/// Its stop signal, then after `timeout` seconds (nullopt: the container's own, else 10; -1: never) SIGKILL. Returns false when it did not run.
/// No restart policy starts it again.
Result<bool> stop_container(Engine& engine, const std::string& id, std::optional<int> timeout, const std::string& signal, const task::Cancel& cancel);
/// Stop when it runs, then start.
Result<> restart_container(Engine& engine, const std::string& id, std::optional<int> timeout, const std::string& signal, const task::Cancel& cancel);
Result<> kill_container(Engine& engine, const std::string& id, const std::string& signal);   ///< "KILL", "SIGTERM", "9"
enum class WaitFor { not_running, next_exit, removed };
Result<int> wait_container(Engine& engine, const std::string& id, WaitFor what, const task::Cancel& cancel);   ///< its exit code
Result<> pause_container(Engine& engine, const std::string& id, bool pause);
struct RemoveContainer {
  bool force = false;                                   ///< kill it first
  bool volumes = false;                                 ///< with its anonymous volumes
};
Result<> remove_container(Engine& engine, const std::string& id, const RemoveContainer& options, const task::Cancel& cancel);

struct ExecContainer {
  std::vector<std::string> command, env;                ///< env "K=V", added to the container's
  std::string user, workdir;                            ///< "": the container's
  bool tty = false, interactive = false, detach = false, privileged = false;
  std::string detach_keys = "ctrl-p,ctrl-q";
  std::function<void(int stream, std::string_view bytes)> on_output;   ///< empty: our own standard output and error
};
/// Runs one more process in a running container; its exit status. Errors: conflict (does not run, or paused), 126 and 127 as run.
Result<int> exec_container(Engine& engine, const std::string& id, const ExecContainer& request, const task::Cancel& cancel);

/// Docker's inspect object (GET /containers/ID/json).
Result<json::Value> inspect_container(Engine& engine, const container::Row& row, bool with_size);

}  // namespace mica::engine
