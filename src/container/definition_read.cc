// A definition back from its document. We wrote it, so that a wrong type means a damaged database.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "container/definition.h"
#include "container/definition_names.h"

namespace mica::container {
namespace {

using json::Value;

const Value& member(const Value& value, std::string_view key) {
  static const Value none;
  const Value* found = value.find(key);
  return found ? *found : none;
}

Pairs pairs_of(const Value& value) {
  Pairs out;
  if (value.is_object())
    for (const auto& [key, text] : value.as_object()) out.emplace_back(key, text.is_string() ? text.as_string() : "");
  return out;
}

std::vector<std::string> keys_of(const Value& value) {
  std::vector<std::string> out;
  if (value.is_object())
    for (const auto& [key, unused] : value.as_object()) out.push_back(key);
  return out;
}

std::optional<std::vector<std::string>> optional_strings(const Value& value, std::string_view key) {
  if (member(value, key).is_null()) return std::nullopt;
  return value.strings(key);
}

template <class T>
std::optional<T> optional_int(const Value& value, std::string_view key) {
  const Value& found = member(value, key);
  if (!found.is_int()) return std::nullopt;
  return static_cast<T>(found.as_int());
}

oci::Healthcheck healthcheck_from(const Value& value) {
  return {.test = value.strings("Test"),
          .interval = value.int_or("Interval"),
          .timeout = value.int_or("Timeout"),
          .start_period = value.int_or("StartPeriod"),
          .start_interval = value.int_or("StartInterval"),
          .retries = static_cast<int>(value.int_or("Retries"))};
}

std::uint16_t port_from(std::string_view text) { return static_cast<std::uint16_t>(parse_int(text).value_or(0)); }

std::vector<PortBinding> ports_from(const Value& bindings) {
  std::vector<PortBinding> out;
  if (!bindings.is_object()) return out;
  for (const auto& [key, list] : bindings.as_object()) {
    if (!list.is_array()) continue;
    const auto port = split_once(key, '/');
    for (const auto& entry : list.as_array()) {
      PortBinding binding{.container_port = port_from(port ? port->first : key), .protocol = std::string(port ? port->second : "tcp"), .host_ip = entry.string_or("HostIp")};
      const std::string host_port = entry.string_or("HostPort");
      const auto range = split_once(host_port, '-');
      binding.host_port = port_from(range ? range->first : host_port);
      if (range) binding.host_port_end = port_from(range->second);
      out.push_back(std::move(binding));
    }
  }
  return out;
}

MountRequest::Type mount_type_from(std::string_view word) {
  for (std::size_t i = 0; i < std::size(kMountTypeWords); ++i)
    if (kMountTypeWords[i] == word) return static_cast<MountRequest::Type>(i);
  return MountRequest::Type::volume;
}

MountRequest request_from(const Value& value) {
  MountRequest out{.type = mount_type_from(value.string_or("Type")), .source = value.string_or("Source"), .target = value.string_or("Target"), .read_only = value.bool_or("ReadOnly")};
  const Value& bind = member(value, "BindOptions");
  out.propagation = bind.string_or("Propagation");
  out.recursive = !bind.bool_or("NonRecursive");
  out.create_source = bind.bool_or("CreateMountpoint");
  const Value& volume = member(value, "VolumeOptions");
  out.no_copy = volume.bool_or("NoCopy");
  out.labels = pairs_of(member(volume, "Labels"));
  const Value& driver = member(volume, "DriverConfig");
  out.driver = driver.string_or("Name");
  out.driver_options = pairs_of(member(driver, "Options"));
  const Value& tmpfs = member(value, "TmpfsOptions");
  out.tmpfs_bytes = tmpfs.int_or("SizeBytes");
  out.tmpfs_mode = optional_int<std::uint32_t>(tmpfs, "Mode");
  out.subpath = out.type == MountRequest::Type::image ? member(value, "ImageOptions").string_or("Subpath") : volume.string_or("Subpath");
  out.text = value.string_or("Text");
  out.tmpfs_options = value.strings("TmpfsWords");
  return out;
}

MountPoint point_from(const Value& value) {
  return {.type = mount_type_from(value.string_or("Type")),
          .name = value.string_or("Name"),
          .source = value.string_or("Source"),
          .target = value.string_or("Destination"),
          .driver = value.string_or("Driver"),
          .mode = value.string_or("Mode"),
          .propagation = value.string_or("Propagation"),
          .read_write = value.bool_or("RW", true),
          .request = request_from(member(value, "Request"))};
}

Endpoint endpoint_from(const std::string& network, const Value& value) {
  const Value& ipam = member(value, "IPAMConfig");
  return {.network = network,
          .aliases = value.strings("Aliases"),
          .links = value.strings("Links"),
          .ipv4 = ipam.string_or("IPv4Address"),
          .ipv6 = ipam.string_or("IPv6Address"),
          .mac = value.string_or("MacAddress"),
          .link_local_ips = ipam.strings("LinkLocalIPs"),
          .driver_options = pairs_of(member(value, "DriverOpts")),
          .gateway_priority = static_cast<int>(value.int_or("GwPriority"))};
}

std::vector<BlkioRate> rates_from(const Value& value, std::string_view key, std::string_view rate) {
  std::vector<BlkioRate> out;
  const Value& list = member(value, key);
  if (list.is_array())
    for (const auto& entry : list.as_array()) out.push_back({entry.string_or("Path"), static_cast<std::uint64_t>(entry.int_or(rate))});
  return out;
}

Limits limits_from(const Value& host) {
  return {.memory = host.int_or("Memory"),
          .memory_swap = host.int_or("MemorySwap"),
          .memory_reservation = host.int_or("MemoryReservation"),
          .memory_swappiness = optional_int<std::int64_t>(host, "MemorySwappiness"),
          .nano_cpus = host.int_or("NanoCpus"),
          .cpu_shares = host.int_or("CpuShares"),
          .cpu_period = host.int_or("CpuPeriod"),
          .cpu_quota = host.int_or("CpuQuota"),
          .cpu_rt_period = host.int_or("CpuRealtimePeriod"),
          .cpu_rt_runtime = host.int_or("CpuRealtimeRuntime"),
          .cpuset_cpus = host.string_or("CpusetCpus"),
          .cpuset_mems = host.string_or("CpusetMems"),
          .pids = optional_int<std::int64_t>(host, "PidsLimit"),
          .blkio_weight = static_cast<std::uint16_t>(host.int_or("BlkioWeight")),
          .blkio_weight_device = rates_from(host, "BlkioWeightDevice", "Weight"),
          .device_read_bps = rates_from(host, "BlkioDeviceReadBps", "Rate"),
          .device_write_bps = rates_from(host, "BlkioDeviceWriteBps", "Rate"),
          .device_read_iops = rates_from(host, "BlkioDeviceReadIOps", "Rate"),
          .device_write_iops = rates_from(host, "BlkioDeviceWriteIOps", "Rate"),
          .oom_kill_disable = host.bool_or("OomKillDisable")};
}

void read_config(const Value& config, Definition& out) {
  out.hostname = config.string_or("Hostname");
  out.domainname = config.string_or("Domainname");
  out.user = config.string_or("User");
  out.attach_stdin = config.bool_or("AttachStdin");
  out.attach_stdout = config.bool_or("AttachStdout");
  out.attach_stderr = config.bool_or("AttachStderr");
  out.exposed_ports = keys_of(member(config, "ExposedPorts"));
  out.tty = config.bool_or("Tty");
  out.open_stdin = config.bool_or("OpenStdin");
  out.stdin_once = config.bool_or("StdinOnce");
  out.env = config.strings("Env");
  out.cmd = optional_strings(config, "Cmd");
  if (const Value& check = member(config, "Healthcheck"); check.is_object()) out.healthcheck = healthcheck_from(check);
  out.image = config.string_or("Image");
  out.volumes = keys_of(member(config, "Volumes"));
  out.working_dir = config.string_or("WorkingDir");
  out.entrypoint = optional_strings(config, "Entrypoint");
  out.on_build = config.strings("OnBuild");
  out.labels = pairs_of(member(config, "Labels"));
  out.stop_signal = config.string_or("StopSignal");
  out.stop_timeout = optional_int<int>(config, "StopTimeout");
  out.shell = config.strings("Shell");
}

void read_lists(const Value& host, Definition& out) {
  out.volumes_from = host.strings("VolumesFrom");
  out.cap_add = host.strings("CapAdd");
  out.cap_drop = host.strings("CapDrop");
  out.dns = host.strings("Dns");
  out.dns_options = host.strings("DnsOptions");
  out.dns_search = host.strings("DnsSearch");
  out.extra_hosts = host.strings("ExtraHosts");
  out.group_add = host.strings("GroupAdd");
  out.links = host.strings("Links");
  out.security_options = host.strings("SecurityOpt");
  out.device_cgroup_rules = host.strings("DeviceCgroupRules");
  out.annotations = pairs_of(member(host, "Annotations"));
  out.storage_options = pairs_of(member(host, "StorageOpt"));
  out.sysctls = pairs_of(member(host, "Sysctls"));
  if (const Value& devices = member(host, "Devices"); devices.is_array())
    for (const auto& device : devices.as_array())
      out.devices.push_back({device.string_or("PathOnHost"), device.string_or("PathInContainer"), device.string_or("CgroupPermissions")});
  if (const Value& limits = member(host, "Ulimits"); limits.is_array())
    for (const auto& limit : limits.as_array()) out.ulimits.push_back({limit.string_or("Name"), limit.int_or("Soft"), limit.int_or("Hard")});
}

void read_host_config(const Value& host, Definition& out) {
  out.container_id_file = host.string_or("ContainerIDFile");
  const Value& log = member(host, "LogConfig");
  out.log_driver = log.string_or("Type", "json-file");
  out.log_options = pairs_of(member(log, "Config"));
  out.network_mode = host.string_or("NetworkMode", "default");
  out.ports = ports_from(member(host, "PortBindings"));
  const Value& restart = member(host, "RestartPolicy");
  out.restart = {restart.string_or("Name", "no"), static_cast<int>(restart.int_or("MaximumRetryCount"))};
  out.auto_remove = host.bool_or("AutoRemove");
  out.volume_driver = host.string_or("VolumeDriver");
  out.cgroupns_mode = host.string_or("CgroupnsMode");
  out.ipc_mode = host.string_or("IpcMode");
  out.pid_mode = host.string_or("PidMode");
  out.uts_mode = host.string_or("UTSMode");
  out.userns_mode = host.string_or("UsernsMode");
  out.privileged = host.bool_or("Privileged");
  out.publish_all = host.bool_or("PublishAllPorts");
  out.read_only = host.bool_or("ReadonlyRootfs");
  out.init = host.bool_or("Init");
  out.shm_bytes = host.int_or("ShmSize");
  if (const auto score = host.int_or("OomScoreAdj")) out.oom_score_adj = static_cast<int>(score);
  out.runtime = host.string_or("Runtime");
  out.isolation = host.string_or("Isolation");
  out.cgroup_parent = host.string_or("CgroupParent");
  out.limits = limits_from(host);
  read_lists(host, out);
}

}  // namespace

Result<Definition> from_document(std::string_view text) {
  const Value document = TRY_DOING(json::parse(text), "reading a container's definition");
  const Value &config = member(document, "Config"), &host = member(document, "HostConfig");
  if (!config.is_object() || !host.is_object()) return fail(Errc::corrupt, "a container's definition in the database lacks Config or HostConfig");
  Definition out;
  read_config(config, out);
  read_host_config(host, out);
  if (const Value& endpoints = member(member(document, "NetworkingConfig"), "EndpointsConfig"); endpoints.is_object())
    for (const auto& [network, endpoint] : endpoints.as_object()) out.endpoints.push_back(endpoint_from(network, endpoint));
  if (const Value& requests = member(document, "MountRequests"); requests.is_array())
    for (const auto& request : requests.as_array()) out.mounts.push_back(request_from(request));
  if (const Value& points = member(document, "MountPoints"); points.is_array())
    for (const auto& point : points.as_array()) out.mount_points.push_back(point_from(point));
  return out;
}

}  // namespace mica::container
