/// What to run: mica's own description of one process in a root filesystem, turned into an OCI runtime bundle
/// (OCI Runtime Spec v1.0.2) by bundle.cc.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mica::runtime {

struct BindMount {
  std::string source;                 ///< absolute, trusted
  std::string destination;            ///< absolute, in the container
  bool read_only = false;
  bool recursive = true;
  bool recursive_read_only = false;   ///< with read_only: the mounts below the source too, where the runtime can
  std::string propagation = "rprivate";
  std::string type = "bind";          ///< "bind" or "tmpfs"
  std::vector<std::string> options;   ///< extra, e.g. "size=64m", "mode=1777", "nosuid"
};

enum class NetworkMode { none, host, namespace_path };

struct Rlimit {
  std::string type;                   ///< "RLIMIT_NOFILE"
  std::uint64_t soft = 0, hard = 0;
};

struct DeviceRate {
  std::string path;                   ///< of a block device on the host
  std::uint64_t rate = 0;             ///< bytes or operations a second; a weight
};

struct Resources {
  std::optional<std::int64_t> memory, memory_swap, memory_reservation, memory_swappiness, cpu_quota, cpu_shares, pids;
  std::optional<std::int64_t> cpu_rt_runtime;
  std::optional<std::uint64_t> cpu_period, cpu_rt_period;
  std::string cpuset_cpus, cpuset_mems;
  bool oom_kill_disable = false;
  std::optional<std::uint16_t> blkio_weight;
  std::vector<DeviceRate> blkio_weight_device, read_bps, write_bps, read_iops, write_iops;
};

struct ProcessSpec {
  std::vector<std::string> argv;
  std::vector<std::string> env;       ///< complete: nothing is added but what build/engine put here (without HOME, the runtime adds one)
  std::string cwd = "/";
  std::uint32_t uid = 0, gid = 0;
  std::vector<std::uint32_t> additional_gids;
  std::uint32_t umask = 022;
  bool terminal = false;
  std::string rootfs;                 ///< mounted root folder
  bool read_only_root = false;
  std::string hostname;
  std::string domainname;
  NetworkMode network = NetworkMode::none;
  std::string network_namespace;      ///< path, for namespace_path
  bool host_pid = false, host_ipc = false, host_uts = false;
  std::string pid_namespace, ipc_namespace;   ///< paths of another container's, to share
  bool no_shm = false;                ///< --ipc none: no /dev/shm
  std::optional<bool> private_cgroups;   ///< a cgroup namespace of its own; nullopt: where control groups are version 2
  bool all_paths = false;             ///< nothing of /proc and /sys is masked or read-only
  bool writable_cgroups = false;
  bool privileged = false;            ///< all capabilities and devices, no seccomp, no masked paths, writable /sys
  std::vector<std::string> capabilities_add, capabilities_drop;   ///< "NET_ADMIN", "ALL"
  bool no_new_privileges = false;
  std::string seccomp;                ///< "" default profile, "unconfined", or a file in Docker's profile format
  std::vector<BindMount> mounts;      ///< in addition to /proc, /dev, /sys, ...; mounted in order of depth
  std::vector<std::string> devices;   ///< "HOST[:CONTAINER[:rwm]]"
  std::vector<std::string> device_rules;   ///< "c 42:* rwm", as --device-cgroup-rule has them
  std::vector<std::pair<std::string, std::string>> sysctls;
  std::int64_t shm_bytes = 64 << 20;
  std::vector<Rlimit> rlimits;
  Resources resources;
  std::string cgroup_parent;
  std::optional<int> oom_score_adj;
  bool lean = false;                  ///< a build step: no /dev/mqueue, and /sys/fs/cgroup only when `resources` limit anything
  bool init = false;                  ///< run under an init (catatonit)
  std::vector<std::pair<std::string, std::string>> annotations;
};

}  // namespace mica::runtime
