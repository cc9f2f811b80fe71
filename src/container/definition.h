/// What a container is made from: the settings of `create`, completed from its image. Written once, changed only by `update`, `rename` (not in
/// here) and `network connect`; everything that changes while it runs is in its row (container_table.h).
///
/// The JSON form is Docker's: the members `Config`, `HostConfig` and `NetworkingConfig` of the Engine API's POST /containers/create, which
/// are also what `inspect` shows. (API 1.51.)
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "json/json.h"
#include "oci/image.h"

namespace mica::container {

/// One mount as the user asked for it (HostConfig.Binds, .Mounts and .Tmpfs, Config.Volumes), before volumes have names and folders.
struct MountRequest {
  enum class Type { bind, volume, tmpfs, image };
  Type type = Type::volume;
  std::string source;                       ///< bind: absolute path; volume: its name, "" for an anonymous one; image: reference
  std::string target;                       ///< absolute, clean
  bool read_only = false;
  bool create_source = false;               ///< bind: a missing source becomes a folder (-v does that, --mount does not)
  std::string propagation;                  ///< bind: "" (rprivate), rshared, slave, ...
  bool recursive = true;                    ///< bind: with the mounts below the source
  bool no_copy = false;                     ///< volume: do not fill an empty one from the image
  std::string subpath;                      ///< volume, image: a folder within
  std::string driver;                       ///< volume: "" is local
  std::vector<std::pair<std::string, std::string>> driver_options, labels;   ///< volume: when it is made now
  std::int64_t tmpfs_bytes = 0;             ///< 0: no limit
  std::optional<std::uint32_t> tmpfs_mode;
  std::vector<std::string> tmpfs_options;   ///< of --tmpfs: "noexec", "uid=1000", ...
  std::string text;                         ///< what the user wrote after -v or in compose's short form; "" for the long forms: decides whether inspect shows it as Binds or Mounts
  bool operator==(const MountRequest&) const = default;
};

/// A mount as it was resolved when the container was made (`Mounts` of inspect).
struct MountPoint {
  MountRequest::Type type = MountRequest::Type::volume;
  std::string name;                         ///< of the volume
  std::string source;                       ///< on the machine; "" for tmpfs
  std::string target;
  std::string driver, mode, propagation;    ///< mode: the options as written ("ro", "z")
  bool read_write = true;
  MountRequest request;                     ///< what it came from
  bool operator==(const MountPoint&) const = default;
};

struct PortBinding {
  std::uint16_t container_port = 0;
  std::string protocol = "tcp";             ///< tcp, udp, sctp
  std::string host_ip;                      ///< "": all addresses
  std::uint16_t host_port = 0;              ///< 0: a free one, chosen at each start
  std::uint16_t host_port_end = 0;          ///< of a range to choose one from; 0: just host_port
  bool operator==(const PortBinding&) const = default;
};

/// A network the container joins (NetworkingConfig.EndpointsConfig).
struct Endpoint {
  std::string network;                      ///< name or id as given
  std::vector<std::string> aliases, links;  ///< links: "container:alias"
  std::string ipv4, ipv6, mac;              ///< "": chosen
  std::vector<std::string> link_local_ips;
  std::vector<std::pair<std::string, std::string>> driver_options;
  int gateway_priority = 0;
  bool operator==(const Endpoint&) const = default;
};

struct RestartPolicy {
  std::string name = "no";                  ///< no, always, on-failure, unless-stopped
  int maximum_retries = 0;                  ///< on-failure; 0: no limit
  bool operator==(const RestartPolicy&) const = default;
};

struct DeviceRequest {
  std::string host, container, permissions = "rwm";
  bool operator==(const DeviceRequest&) const = default;
};

struct Ulimit {
  std::string name;                         ///< "nofile"
  std::int64_t soft = 0, hard = 0;          ///< -1: unlimited
  bool operator==(const Ulimit&) const = default;
};

struct BlkioRate {
  std::string path;
  std::uint64_t rate = 0;
  bool operator==(const BlkioRate&) const = default;
};

/// Limits in Docker's units; `update` changes these.
struct Limits {
  std::int64_t memory = 0, memory_swap = 0, memory_reservation = 0;   ///< bytes; 0: unset; swap -1: unlimited
  std::optional<std::int64_t> memory_swappiness;
  std::int64_t nano_cpus = 0, cpu_shares = 0, cpu_period = 0, cpu_quota = 0, cpu_rt_period = 0, cpu_rt_runtime = 0;
  std::string cpuset_cpus, cpuset_mems;
  std::optional<std::int64_t> pids;         ///< -1: unlimited
  std::uint16_t blkio_weight = 0;
  std::vector<BlkioRate> blkio_weight_device, device_read_bps, device_write_bps, device_read_iops, device_write_iops;
  bool oom_kill_disable = false;
  bool operator==(const Limits&) const = default;
};

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Definition {
  // Config
  std::string image;                        ///< as the user named it
  std::string hostname, domainname;         ///< hostname "": the container's short id
  std::string user, working_dir;            ///< "": as the image says
  std::vector<std::string> env;             ///< "K=V"; after complete(): the image's and the user's
  std::optional<std::vector<std::string>> entrypoint, cmd;   ///< nullopt: as the image says; entrypoint {}: none (--entrypoint "")
  Pairs labels;                             ///< sorted by key after complete()
  std::vector<std::string> exposed_ports;   ///< "80/tcp"
  std::vector<std::string> volumes;         ///< Config.Volumes: targets of anonymous volumes
  std::string stop_signal;                  ///< "": SIGTERM
  std::optional<int> stop_timeout;          ///< seconds
  std::optional<oci::Healthcheck> healthcheck;
  std::vector<std::string> shell, on_build;
  bool tty = false, open_stdin = false, stdin_once = false;
  bool attach_stdin = false, attach_stdout = false, attach_stderr = false;

  // HostConfig
  std::string network_mode = "default";     ///< default, bridge, host, none, container:NAME, or a network
  std::vector<Endpoint> endpoints;          ///< first: that of network_mode when it is a network
  std::vector<PortBinding> ports;
  bool publish_all = false;
  std::vector<MountRequest> mounts;
  std::vector<std::string> volumes_from;    ///< "container[:ro]"
  std::string volume_driver;
  RestartPolicy restart;
  bool auto_remove = false;
  std::string container_id_file;
  std::vector<std::string> cap_add, cap_drop, group_add, dns, dns_options, dns_search, extra_hosts, links, security_options;
  std::vector<std::string> device_cgroup_rules;
  std::vector<DeviceRequest> devices;
  std::string cgroupns_mode, ipc_mode, pid_mode, userns_mode, uts_mode, cgroup_parent, runtime, isolation;
  bool privileged = false, read_only = false, init = false;
  std::int64_t shm_bytes = 0;               ///< 0: 64 MiB
  std::optional<int> oom_score_adj;
  Pairs sysctls, annotations, storage_options;
  std::vector<Ulimit> ulimits;
  std::string log_driver = "json-file";     ///< json-file, local (read alike), none
  Pairs log_options;
  Limits limits;

  // Resolved when it was made
  std::vector<MountPoint> mount_points;     ///< in the order of mounting (parents first)

  bool operator==(const Definition&) const = default;
};

/// Fills in what the user left to the image: command, environment, labels, ports, volumes, user, folder, stop signal, health check (times
/// that were not given come from the image's). Entries of env without a value must have been resolved by the caller.
/// Errors: invalid_argument "no command specified" when neither has one.
Result<> complete(Definition& definition, const oci::ImageConfig& image);

/// Docker's members, for `inspect` and the database. `hostname` fills Config.Hostname.
json::Value config_json(const Definition& definition);
json::Value host_config_json(const Definition& definition);
json::Value networking_json(const Definition& definition);
json::Value mounts_json(const Definition& definition);      ///< `Mounts` of inspect
/// {"Config", "HostConfig", "NetworkingConfig"} and what they do not hold ("MountRequests", "MountPoints") in one document, and back.
/// Errors: corrupt.
std::string to_document(const Definition& definition);
Result<Definition> from_document(std::string_view text);
}  // namespace mica::container
