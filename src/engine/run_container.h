/// `run`: one process from an image, in the foreground, with a throw-away root filesystem.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "runtime/spec.h"

namespace mica::engine {

struct RunContainer {
  std::string image;
  std::vector<std::string> command;                    ///< after the image; empty: the image's
  std::optional<std::string> entrypoint;               ///< "" clears the image's
  std::vector<std::string> env, env_files;             ///< "K=V", or "K" for our own value
  std::string user, workdir, hostname, domainname;
  std::vector<std::string> groups;
  bool terminal = false, interactive = false;
  std::vector<runtime::BindMount> mounts;
  std::string network = "default";                     ///< default (bridge), none, host
  std::vector<std::pair<std::string, std::string>> add_hosts;   ///< name and address; see extra_hosts.h
  std::vector<std::string> dns;
  bool read_only = false, privileged = false, init = false, no_new_privileges = false;
  bool host_pid = false, host_ipc = false, host_uts = false;
  std::string seccomp;
  std::vector<std::string> capabilities_add, capabilities_drop, devices;
  std::vector<std::pair<std::string, std::string>> sysctls, annotations;
  std::int64_t shm_bytes = 64 << 20;
  std::vector<runtime::Rlimit> rlimits;
  runtime::Resources resources;
  std::string cgroup_parent;
  std::optional<int> oom_score_adj;
  std::function<void(std::string_view)> warn;          ///< gets what was asked for and cannot be had here; may be empty
};
/// Returns the process's exit status (128 + n after a signal). Errors: not_found (image; command: exit_status 127),
/// permission_denied (command: 126), invalid_argument, unavailable (runtime), cancelled.
Result<int> run_container(Engine& engine, const RunContainer& request, task::Cancel cancel);

/// Flag values as Docker writes them. Errors: invalid_argument, unsupported (named volumes).
Result<runtime::BindMount> parse_volume(std::string_view text);       ///< -v SOURCE:TARGET[:OPTIONS]; makes a missing source folder
Result<runtime::BindMount> parse_mount_flag(std::string_view text);   ///< --mount type=bind,src=...,dst=...
Result<runtime::BindMount> parse_tmpfs(std::string_view text);        ///< --tmpfs TARGET[:OPTIONS]
Result<runtime::Rlimit> parse_ulimit(std::string_view text);          ///< nofile=1024:2048
/// "1.5" CPUs as quota for a period of 100000.
Result<std::int64_t> parse_cpus(std::string_view text);
Result<> apply_security_option(RunContainer& request, std::string_view text);

}  // namespace mica::engine
