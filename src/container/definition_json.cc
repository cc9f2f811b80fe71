// A definition in Docker's form: the order of members and what is null, [] or left out are dockerd's, since clients compare.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "container/definition.h"
#include "container/definition_names.h"

namespace mica::container {
namespace {

using json::Array;
using json::Object;
using json::Value;

Value strings(const std::vector<std::string>& list) { return json::from(list); }
Value strings_or_null(const std::vector<std::string>& list) { return list.empty() ? Value() : json::from(list); }
Value strings_or_null(const std::optional<std::vector<std::string>>& list) { return list ? strings_or_null(*list) : Value(); }

Value map_of(const Pairs& pairs) {
  Object object;
  Pairs sorted = pairs;
  std::sort(sorted.begin(), sorted.end());
  for (auto& [key, value] : sorted) object.emplace_back(key, value);
  return Value(std::move(object));
}
Value map_or_null(const Pairs& pairs) { return pairs.empty() ? Value() : map_of(pairs); }

Value set_of(std::vector<std::string> keys) {
  std::sort(keys.begin(), keys.end());
  Object object;
  for (auto& key : keys) object.emplace_back(key, Value::object());
  return Value(std::move(object));
}

Value healthcheck_json(const oci::Healthcheck& check) {
  Value out = Value::object();
  if (!check.test.empty()) out.set("Test", strings(check.test));
  if (check.interval) out.set("Interval", check.interval);
  if (check.timeout) out.set("Timeout", check.timeout);
  if (check.start_period) out.set("StartPeriod", check.start_period);
  if (check.start_interval) out.set("StartInterval", check.start_interval);
  if (check.retries) out.set("Retries", check.retries);
  return out;
}

Value port_bindings_json(const Definition& definition) {
  Value out = Value::object();
  for (const auto& port : definition.ports) {
    const std::string key = format("{}/{}", port.container_port, port.protocol);
    std::string host_port = port.host_port ? std::to_string(port.host_port) : "";
    if (port.host_port_end > port.host_port) host_port += format("-{}", port.host_port_end);
    Value binding(Object{{"HostIp", port.host_ip}, {"HostPort", host_port}});
    if (Value* known = out.find(key)) known->push(std::move(binding));
    else out.set(key, Array{std::move(binding)});
  }
  std::sort(out.as_object().begin(), out.as_object().end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return out;
}

Value mount_options_json(const MountRequest& mount) {
  Value options = Value::object();
  switch (mount.type) {
    case MountRequest::Type::bind:
      if (!mount.propagation.empty()) options.set("Propagation", mount.propagation);
      if (!mount.recursive) options.set("NonRecursive", true);
      if (mount.create_source) options.set("CreateMountpoint", true);
      break;
    case MountRequest::Type::volume:
      if (mount.no_copy) options.set("NoCopy", true);
      if (!mount.labels.empty()) options.set("Labels", map_of(mount.labels));
      if (!mount.subpath.empty()) options.set("Subpath", mount.subpath);
      if (!mount.driver.empty() || !mount.driver_options.empty()) {
        Value driver = Value::object();
        if (!mount.driver.empty()) driver.set("Name", mount.driver);
        if (!mount.driver_options.empty()) driver.set("Options", map_of(mount.driver_options));
        options.set("DriverConfig", std::move(driver));
      }
      break;
    case MountRequest::Type::tmpfs:
      if (mount.tmpfs_bytes) options.set("SizeBytes", mount.tmpfs_bytes);
      if (mount.tmpfs_mode) options.set("Mode", std::int64_t{*mount.tmpfs_mode});
      break;
    case MountRequest::Type::image:
      if (!mount.subpath.empty()) options.set("Subpath", mount.subpath);
      break;
  }
  return options;
}

constexpr std::string_view kOptionsMembers[] = {"BindOptions", "VolumeOptions", "TmpfsOptions", "ImageOptions"};

Value long_mount_json(const MountRequest& mount) {
  Value out(Object{{"Type", mount_type_word(mount.type)}});
  if (!mount.source.empty()) out.set("Source", mount.source);
  out.set("Target", mount.target);
  if (mount.read_only) out.set("ReadOnly", true);
  Value options = mount_options_json(mount);
  if (!options.as_object().empty()) out.set(kOptionsMembers[static_cast<int>(mount.type)], std::move(options));
  return out;
}

/// -v and --tmpfs have their text and stand in Binds and Tmpfs; the long forms stand in Mounts.
void add_mounts(Value& out, const Definition& definition, std::string_view part) {
  Array binds, longs;
  Value tmpfs = Value::object();
  for (const auto& mount : definition.mounts) {
    if (mount.text.empty()) longs.push_back(long_mount_json(mount));
    else if (mount.type == MountRequest::Type::tmpfs) tmpfs.set(mount.target, join(mount.tmpfs_options, ","));
    else if (!mount.source.empty()) binds.emplace_back(mount.text);
  }
  if (part == "Binds") out.set("Binds", binds.empty() ? Value() : Value(std::move(binds)));
  if (part == "Tmpfs" && !tmpfs.as_object().empty()) out.set("Tmpfs", std::move(tmpfs));
  if (part == "Mounts" && !longs.empty()) out.set("Mounts", std::move(longs));
}

Value devices_json(const Definition& definition) {
  Array out;
  for (const auto& device : definition.devices)
    out.emplace_back(Object{{"PathOnHost", device.host}, {"PathInContainer", device.container}, {"CgroupPermissions", device.permissions}});
  return Value(std::move(out));
}

Value rates_json(const std::vector<BlkioRate>& rates, std::string_view member) {
  Array out;
  for (const auto& rate : rates) out.emplace_back(Object{{"Path", rate.path}, {std::string(member), rate.rate}});
  return Value(std::move(out));
}

Value ulimits_json(const std::vector<Ulimit>& limits) {
  Array out;
  for (const auto& limit : limits) out.emplace_back(Object{{"Name", limit.name}, {"Hard", limit.hard}, {"Soft", limit.soft}});
  return Value(std::move(out));
}

bool shows_all_paths(const Definition& definition) {
  return definition.privileged || std::find(definition.security_options.begin(), definition.security_options.end(), "systempaths=unconfined") != definition.security_options.end();
}

void set_limits(Value& out, const Limits& limits) {
  out.set("BlkioWeight", std::int64_t{limits.blkio_weight});
  out.set("BlkioWeightDevice", rates_json(limits.blkio_weight_device, "Weight"));
  out.set("BlkioDeviceReadBps", rates_json(limits.device_read_bps, "Rate"));
  out.set("BlkioDeviceWriteBps", rates_json(limits.device_write_bps, "Rate"));
  out.set("BlkioDeviceReadIOps", rates_json(limits.device_read_iops, "Rate"));
  out.set("BlkioDeviceWriteIOps", rates_json(limits.device_write_iops, "Rate"));
  out.set("CpuPeriod", limits.cpu_period);
  out.set("CpuQuota", limits.cpu_quota);
  out.set("CpuRealtimePeriod", limits.cpu_rt_period);
  out.set("CpuRealtimeRuntime", limits.cpu_rt_runtime);
  out.set("CpusetCpus", limits.cpuset_cpus);
  out.set("CpusetMems", limits.cpuset_mems);
}

Value endpoint_json(const Endpoint& endpoint) {
  Value ipam;
  if (!endpoint.ipv4.empty()) ipam.set("IPv4Address", endpoint.ipv4);
  if (!endpoint.ipv6.empty()) ipam.set("IPv6Address", endpoint.ipv6);
  if (!endpoint.link_local_ips.empty()) ipam.set("LinkLocalIPs", strings(endpoint.link_local_ips));
  return Value(Object{{"IPAMConfig", std::move(ipam)},
                      {"Links", strings_or_null(endpoint.links)},
                      {"Aliases", strings_or_null(endpoint.aliases)},
                      {"MacAddress", endpoint.mac},
                      {"DriverOpts", map_or_null(endpoint.driver_options)},
                      {"GwPriority", endpoint.gateway_priority}});
}

/// Everything of a request, for our own eyes: the three forms above do not say all of it.
Value request_json(const MountRequest& mount) {
  Value out = long_mount_json(mount);
  if (!mount.text.empty()) out.set("Text", mount.text);
  if (!mount.tmpfs_options.empty()) out.set("TmpfsWords", strings(mount.tmpfs_options));
  return out;
}

Value point_json(const MountPoint& point) {
  Value out(Object{{"Type", mount_type_word(point.type)}});
  if (!point.name.empty()) out.set("Name", point.name);
  out.set("Source", point.source);
  out.set("Destination", point.target);
  if (!point.driver.empty()) out.set("Driver", point.driver);
  out.set("Mode", point.mode);
  out.set("RW", point.read_write);
  out.set("Propagation", point.propagation);
  return out;
}

}  // namespace

Value config_json(const Definition& definition) {
  Value out(Object{{"Hostname", definition.hostname},
                   {"Domainname", definition.domainname},
                   {"User", definition.user},
                   {"AttachStdin", definition.attach_stdin},
                   {"AttachStdout", definition.attach_stdout},
                   {"AttachStderr", definition.attach_stderr}});
  if (!definition.exposed_ports.empty()) out.set("ExposedPorts", set_of(definition.exposed_ports));
  out.set("Tty", definition.tty);
  out.set("OpenStdin", definition.open_stdin);
  out.set("StdinOnce", definition.stdin_once);
  out.set("Env", strings_or_null(definition.env));
  out.set("Cmd", strings_or_null(definition.cmd));
  if (definition.healthcheck) out.set("Healthcheck", healthcheck_json(*definition.healthcheck));
  out.set("Image", definition.image);
  out.set("Volumes", definition.volumes.empty() ? Value() : set_of(definition.volumes));
  out.set("WorkingDir", definition.working_dir);
  out.set("Entrypoint", strings_or_null(definition.entrypoint));
  out.set("OnBuild", strings_or_null(definition.on_build));
  out.set("Labels", map_of(definition.labels));
  if (!definition.stop_signal.empty()) out.set("StopSignal", definition.stop_signal);
  if (definition.stop_timeout) out.set("StopTimeout", *definition.stop_timeout);
  if (!definition.shell.empty()) out.set("Shell", strings(definition.shell));
  return out;
}

Value host_config_json(const Definition& definition) {
  const Limits& limits = definition.limits;
  Value out = Value::object();
  add_mounts(out, definition, "Binds");
  out.set("ContainerIDFile", definition.container_id_file);
  out.set("LogConfig", Object{{"Type", definition.log_driver}, {"Config", map_of(definition.log_options)}});
  out.set("NetworkMode", definition.network_mode == "default" ? "bridge" : definition.network_mode);
  out.set("PortBindings", port_bindings_json(definition));
  out.set("RestartPolicy", Object{{"Name", definition.restart.name}, {"MaximumRetryCount", definition.restart.maximum_retries}});
  out.set("AutoRemove", definition.auto_remove);
  out.set("VolumeDriver", definition.volume_driver);
  out.set("VolumesFrom", strings_or_null(definition.volumes_from));
  out.set("ConsoleSize", Array{0, 0});
  if (!definition.annotations.empty()) out.set("Annotations", map_of(definition.annotations));
  out.set("CapAdd", strings_or_null(definition.cap_add));
  out.set("CapDrop", strings_or_null(definition.cap_drop));
  out.set("CgroupnsMode", definition.cgroupns_mode);
  out.set("Dns", strings(definition.dns));
  out.set("DnsOptions", strings(definition.dns_options));
  out.set("DnsSearch", strings(definition.dns_search));
  out.set("ExtraHosts", strings_or_null(definition.extra_hosts));
  out.set("GroupAdd", strings_or_null(definition.group_add));
  out.set("IpcMode", definition.ipc_mode.empty() ? "private" : definition.ipc_mode);
  out.set("Cgroup", "");
  out.set("Links", strings_or_null(definition.links));
  out.set("OomScoreAdj", definition.oom_score_adj.value_or(0));
  out.set("PidMode", definition.pid_mode);
  out.set("Privileged", definition.privileged);
  out.set("PublishAllPorts", definition.publish_all);
  out.set("ReadonlyRootfs", definition.read_only);
  out.set("SecurityOpt", strings_or_null(definition.security_options));
  if (!definition.storage_options.empty()) out.set("StorageOpt", map_of(definition.storage_options));
  add_mounts(out, definition, "Tmpfs");
  out.set("UTSMode", definition.uts_mode);
  out.set("UsernsMode", definition.userns_mode);
  out.set("ShmSize", definition.shm_bytes ? definition.shm_bytes : kDefaultShmBytes);
  if (!definition.sysctls.empty()) out.set("Sysctls", map_of(definition.sysctls));
  out.set("Runtime", definition.runtime.empty() ? "runc" : definition.runtime);
  out.set("Isolation", definition.isolation);
  out.set("CpuShares", limits.cpu_shares);
  out.set("Memory", limits.memory);
  out.set("NanoCpus", limits.nano_cpus);
  out.set("CgroupParent", definition.cgroup_parent);
  set_limits(out, limits);
  out.set("Devices", devices_json(definition));
  out.set("DeviceCgroupRules", strings_or_null(definition.device_cgroup_rules));
  out.set("DeviceRequests", Value());
  out.set("MemoryReservation", limits.memory_reservation);
  out.set("MemorySwap", limits.memory_swap);
  out.set("MemorySwappiness", limits.memory_swappiness ? Value(*limits.memory_swappiness) : Value());
  out.set("OomKillDisable", limits.oom_kill_disable);
  out.set("PidsLimit", limits.pids ? Value(*limits.pids) : Value());
  out.set("Ulimits", ulimits_json(definition.ulimits));
  out.set("CpuCount", 0);
  out.set("CpuPercent", 0);
  out.set("IOMaximumIOps", 0);
  out.set("IOMaximumBandwidth", 0);
  add_mounts(out, definition, "Mounts");
  const bool all_paths = shows_all_paths(definition);
  out.set("MaskedPaths", all_paths ? Value() : strings({kMaskedPaths.begin(), kMaskedPaths.end()}));
  out.set("ReadonlyPaths", all_paths ? Value() : strings({kReadOnlyPaths.begin(), kReadOnlyPaths.end()}));
  if (definition.init) out.set("Init", true);
  return out;
}

Value networking_json(const Definition& definition) {
  Value endpoints = Value::object();
  for (const auto& endpoint : definition.endpoints) endpoints.set(endpoint.network, endpoint_json(endpoint));
  return Value(Object{{"EndpointsConfig", std::move(endpoints)}});
}

Value mounts_json(const Definition& definition) {
  Array out;
  for (const auto& point : definition.mount_points)
    if (point.type != MountRequest::Type::tmpfs || point.request.text.empty()) out.push_back(point_json(point));
  return Value(std::move(out));
}

std::string to_document(const Definition& definition) {
  Array requests, points;
  for (const auto& mount : definition.mounts) requests.push_back(request_json(mount));
  for (const auto& point : definition.mount_points) {
    Value out = point_json(point);
    out.set("Request", request_json(point.request));
    points.push_back(std::move(out));
  }
  Value host = host_config_json(definition);
  host.set("NetworkMode", definition.network_mode);
  return json::write(Value(Object{{"Config", config_json(definition)},
                                  {"HostConfig", std::move(host)},
                                  {"NetworkingConfig", networking_json(definition)},
                                  {"MountRequests", std::move(requests)},
                                  {"MountPoints", std::move(points)}}));
}

}  // namespace mica::container
