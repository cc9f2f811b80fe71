#include "cli/run_request.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "container/log_file.h"
#include "container/ports.h"
#include "container/signal_names.h"
#include "engine/extra_hosts.h"
#include "engine/mount_options.h"
#include "engine/run_options.h"
#include "base/environment.h"

namespace mica::cli {
namespace {

using container::Definition;
using container::Pairs;

std::unexpected<Error> wrong_value(std::string_view flag, std::string_view value, std::string_view why) {
  return failf(Errc::invalid_argument, "invalid argument {} for \"--{}\" flag: {}", quoted(value), flag, why);
}

Result<std::int64_t> number(const Args& args, std::string_view flag) {
  const auto value = parse_int(args.text(flag));
  if (!value) return wrong_value(flag, args.text(flag), format("strconv.ParseInt: parsing {}: invalid syntax", quoted(args.text(flag))));
  return *value;
}

Result<std::int64_t> bytes(const Args& args, std::string_view flag) {
  auto value = parse_size(args.text(flag));
  if (!value) return wrong_value(flag, args.text(flag), format("invalid size: '{}'", args.text(flag)));
  return value;
}

/// "k=v" words of a repeated flag; without "=" the value is empty.
Pairs pairs(const Args& args, std::string_view flag) {
  Pairs result;
  for (const auto& word : args.list(flag)) {
    const auto at = word.find('=');
    result.emplace_back(word.substr(0, at), at == word.npos ? "" : word.substr(at + 1));
  }
  return result;
}

/// Later ones win, where they stand.
void set_pair(Pairs& into, std::string key, std::string value) {
  for (auto& [known, old] : into)
    if (known == key) {
      old = std::move(value);
      return;
    }
  into.emplace_back(std::move(key), std::move(value));
}

// ---- environment and labels

/// The lines of an --env-file or --label-file that say something.
Result<std::vector<std::string>> file_lines(const std::string& file, bool labels) {
  auto text = sys::read_file(file);
  if (!text) return failf(Errc::invalid_argument, "open {}: no such file or directory", file);
  std::vector<std::string> lines;
  std::string_view rest = *text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  for (std::string_view line : split(rest, '\n')) {
    line = trim_left(trim_right(line, "\r"));
    if (line.empty() || line.starts_with("#")) continue;
    const auto name = line.substr(0, line.find('='));
    if (name.empty()) return failf(Errc::invalid_argument, "no variable name on line '{}'", line);
    if (!labels && name.find_first_of(" \t") != name.npos) return failf(Errc::invalid_argument, "variable '{}' contains whitespaces", name);
    lines.emplace_back(line);
  }
  return lines;
}

/// "K=V" as it is; "K": our own value, or nothing.
void add_variable(std::vector<std::string>& env, const std::string& word) {
  if (const auto pair = split_once(word, '=')) set_variable(env, pair->first, pair->second);
  else if (const char* value = std::getenv(word.c_str())) set_variable(env, word, value);
}

Result<> read_environment(const Args& args, Definition& definition) {
  for (const auto& file : args.list("env-file")) {
    const auto lines = TRY(file_lines(file, false));
    for (const auto& line : lines) add_variable(definition.env, line);
  }
  for (const auto& word : args.list("env")) {
    if (word.empty() || word[0] == '=') return failf(Errc::invalid_argument, "invalid environment variable: {}", word);
    add_variable(definition.env, word);
  }
  for (const auto& file : args.list("label-file")) {
    const auto lines = TRY(file_lines(file, true));
    for (const auto& line : lines) {
      const auto pair = split_once(line, '=');
      if (pair) set_pair(definition.labels, std::string(pair->first), std::string(pair->second));
    }
  }
  for (auto& [key, value] : pairs(args, "label")) {
    if (key.empty()) return failf(Errc::invalid_argument, "invalid label '={}': empty name", value);
    set_pair(definition.labels, key, value);
  }
  return {};
}

// ---- health

Result<std::int64_t> duration(const Args& args, std::string_view flag) {
  auto ns = parse_duration(args.text(flag));
  if (!ns) return wrong_value(flag, args.text(flag), format("time: invalid duration {}", quoted(args.text(flag))));
  if (*ns < 0) return failf(Errc::invalid_argument, "--{} cannot be negative", flag);
  return ns;
}

Result<> read_health(const Args& args, Definition& definition) {
  constexpr std::string_view kTimes[] = {"health-interval", "health-timeout", "health-start-period", "health-start-interval"};
  const bool any = args.has("health-cmd") || args.has("health-retries") || std::any_of(std::begin(kTimes), std::end(kTimes), [&](auto flag) { return args.has(flag); });
  if (args.flag("no-healthcheck")) {
    if (any) return fail(Errc::invalid_argument, "--no-healthcheck conflicts with --health-* options");
    definition.healthcheck = oci::Healthcheck{.test = {"NONE"}};
    return {};
  }
  if (!any) return {};
  oci::Healthcheck check;
  if (!args.text("health-cmd").empty()) check.test = {"CMD-SHELL", args.text("health-cmd")};
  std::int64_t* times[] = {&check.interval, &check.timeout, &check.start_period, &check.start_interval};
  for (std::size_t i = 0; i < std::size(kTimes); ++i)
    if (args.has(kTimes[i])) *times[i] = TRY(duration(args, kTimes[i]));
  if (args.has("health-retries")) check.retries = static_cast<int>(TRY(number(args, "health-retries")));
  if (check.retries < 0) return fail(Errc::invalid_argument, "--health-retries cannot be negative");
  definition.healthcheck = std::move(check);
  return {};
}

// ---- limits

Result<std::vector<container::BlkioRate>> device_rates(const Args& args, std::string_view flag, bool in_bytes) {
  std::vector<container::BlkioRate> out;
  for (const auto& text : args.list(flag)) {
    const auto at = text.rfind(':');
    if (at == std::string::npos) return wrong_value(flag, text, format("bad format: {}", text));
    const std::string path = text.substr(0, at);
    if (!path.starts_with("/dev/")) return wrong_value(flag, text, format("bad format for device path: {}", text));
    const auto rate = in_bytes ? parse_size(text.substr(at + 1)).value_or(-1) : parse_int(text.substr(at + 1)).value_or(-1);
    if (rate < 0) return wrong_value(flag, text, format("invalid rate for device: {}", text));
    out.push_back({path, static_cast<std::uint64_t>(rate)});
  }
  return out;
}

Result<> read_block_io(const Args& args, container::Limits& limits) {
  if (args.has("blkio-weight")) {
    const auto weight = TRY(number(args, "blkio-weight"));
    if (weight != 0 && (weight < 10 || weight > 1000)) return fail(Errc::invalid_argument, "Range of blkio weight is from 10 to 1000");
    limits.blkio_weight = static_cast<std::uint16_t>(weight);
  }
  if (args.has("blkio-weight-device")) limits.blkio_weight_device = TRY(device_rates(args, "blkio-weight-device", false));
  if (args.has("device-read-bps")) limits.device_read_bps = TRY(device_rates(args, "device-read-bps", true));
  if (args.has("device-write-bps")) limits.device_write_bps = TRY(device_rates(args, "device-write-bps", true));
  if (args.has("device-read-iops")) limits.device_read_iops = TRY(device_rates(args, "device-read-iops", false));
  if (args.has("device-write-iops")) limits.device_write_iops = TRY(device_rates(args, "device-write-iops", false));
  return {};
}

Result<> read_cpu(const Args& args, container::Limits& limits) {
  if (args.has("cpus")) {
    if (args.has("cpu-quota") || args.has("cpu-period")) return fail(Errc::invalid_argument, "conflicting options: Nano CPUs and CPU Period/Quota cannot both be set");
    limits.nano_cpus = TRY(engine::parse_cpus(args.text("cpus"))) * 10'000;
    if (const long machine = ::sysconf(_SC_NPROCESSORS_ONLN); limits.nano_cpus > machine * 1'000'000'000)
      return failf(Errc::invalid_argument, "range of CPUs is from 0.01 to {}.00, as there are only {} CPUs available", machine, machine);
  }
  struct { std::string_view flag; std::int64_t& to; } numbers[] = {{"cpu-shares", limits.cpu_shares}, {"cpu-period", limits.cpu_period}, {"cpu-quota", limits.cpu_quota},
                                                                   {"cpu-rt-period", limits.cpu_rt_period}, {"cpu-rt-runtime", limits.cpu_rt_runtime}};
  for (const auto& one : numbers)
    if (args.has(one.flag)) one.to = TRY(number(args, one.flag));
  if (limits.cpu_period != 0 && (limits.cpu_period < 1000 || limits.cpu_period > 1'000'000))
    return fail(Errc::invalid_argument, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
  if (limits.cpu_quota > 0 && limits.cpu_quota < 1000) return fail(Errc::invalid_argument, "CPU cfs quota can not be less than 1ms (i.e. 1000)");
  if (limits.cpu_shares < 0) return fail(Errc::invalid_argument, "shares can not be negative");
  limits.cpuset_cpus = args.text("cpuset-cpus", limits.cpuset_cpus);
  limits.cpuset_mems = args.text("cpuset-mems", limits.cpuset_mems);
  return {};
}

Result<> read_memory(const Args& args, container::Limits& limits) {
  constexpr std::int64_t kLeast = 6 << 20;
  if (args.has("memory")) limits.memory = TRY(bytes(args, "memory"));
  if (args.has("memory-reservation")) limits.memory_reservation = TRY(bytes(args, "memory-reservation"));
  if (args.has("memory-swap")) {
    if (args.text("memory-swap") == "-1") limits.memory_swap = -1;
    else limits.memory_swap = TRY(bytes(args, "memory-swap"));
  }
  if (limits.memory > 0 && limits.memory < kLeast) return fail(Errc::invalid_argument, "Minimum memory limit allowed is 6MB");
  if (limits.memory > 0 && limits.memory_swap > 0 && limits.memory_swap < limits.memory) return fail(Errc::invalid_argument, "Minimum memoryswap limit should be larger than memory limit, see usage");
  if (limits.memory == 0 && limits.memory_swap > 0) return fail(Errc::invalid_argument, "You should always set the Memory limit when using Memoryswap limit, see usage");
  if (limits.memory_reservation > 0 && limits.memory_reservation < kLeast) return fail(Errc::invalid_argument, "Minimum memory reservation allowed is 6MB");
  if (limits.memory > 0 && limits.memory_reservation > limits.memory) return fail(Errc::invalid_argument, "Minimum memory limit can not be less than memory reservation limit, see usage");
  if (args.has("memory-swappiness")) {
    const auto value = TRY(number(args, "memory-swappiness"));
    if (value < -1 || value > 100) return failf(Errc::invalid_argument, "Invalid value: {}, valid memory swappiness range is 0-100", value);
    if (value >= 0) limits.memory_swappiness = value;
  }
  limits.oom_kill_disable = args.flag("oom-kill-disable", limits.oom_kill_disable);
  return {};
}

Result<> read_process_limits(const Args& args, Definition& definition) {
  if (args.has("shm-size")) {
    definition.shm_bytes = TRY(bytes(args, "shm-size"));
    if (definition.shm_bytes <= 0) return fail(Errc::invalid_argument, "SHM size can not be less than 0");
  }
  if (args.has("oom-score-adj")) {
    const auto score = TRY(number(args, "oom-score-adj"));
    if (score < -1000 || score > 1000) return failf(Errc::invalid_argument, "Invalid value {}, range for oom score adj is [-1000, 1000]", score);
    definition.oom_score_adj = static_cast<int>(score);
  }
  for (const auto& text : args.list("ulimit")) {
    const auto limit = TRY(engine::parse_ulimit(text));
    const std::string name = to_lower(std::string_view(limit.type).substr(std::string_view("RLIMIT_").size()));
    std::erase_if(definition.ulimits, [&](const auto& known) { return known.name == name; });
    definition.ulimits.push_back({name, static_cast<std::int64_t>(limit.soft), static_cast<std::int64_t>(limit.hard)});
  }
  return {};
}

// ---- network

/// --network NAME or name=NAME,alias=...,ip=...
Result<container::Endpoint> parse_network(const std::string& text) {
  container::Endpoint endpoint;
  if (text.find('=') == std::string::npos) {
    endpoint.network = text;
    return endpoint;
  }
  for (const std::string_view field : split(text, ',')) {
    const auto pair = split_once(field, '=');
    if (!pair) return wrong_value("network", text, format("invalid field {}: expected key=value", field));
    const std::string key = to_lower(trim(pair->first)), value(trim(pair->second));
    if (key == "name") endpoint.network = value;
    else if (key == "alias") endpoint.aliases.push_back(to_lower(value));
    else if (key == "ip") endpoint.ipv4 = value;
    else if (key == "ip6") endpoint.ipv6 = value;
    else if (key == "mac-address") endpoint.mac = value;
    else if (key == "link-local-ip") endpoint.link_local_ips.push_back(value);
    else if (key == "driver-opt") {
      const auto option = split_once(value, '=');
      if (!option) return wrong_value("network", text, "invalid key value pair format in driver options");
      endpoint.driver_options.emplace_back(option->first, option->second);
    } else if (key == "gw-priority") {
      const auto priority = parse_int(value);
      if (!priority) return wrong_value("network", text, format("invalid gw-priority ({})", value));
      endpoint.gateway_priority = static_cast<int>(*priority);
    } else {
      return wrong_value("network", text, format("invalid field key {}", key));
    }
  }
  if (endpoint.network.empty()) return wrong_value("network", text, "network name/id is not specified");
  return endpoint;
}

bool is_user_network(const std::string& mode) { return mode != "default" && mode != "bridge" && mode != "host" && mode != "none" && !mode.starts_with("container:"); }

Result<> check_network_conflicts(const Args& args, const Definition& definition) {
  const std::string& mode = definition.network_mode;
  const bool of_container = mode.starts_with("container:");
  if (of_container && args.has("hostname")) return fail(Errc::invalid_argument, "conflicting options: hostname and the network mode");
  if (of_container && !definition.links.empty()) return fail(Errc::invalid_argument, "conflicting options: container type network can't be used with links. This would result in undefined behavior");
  if (mode == "host" && !definition.links.empty()) return fail(Errc::invalid_argument, "conflicting options: host type networking can't be used with links. This would result in undefined behavior");
  if ((of_container || mode == "host") && !definition.dns.empty() && of_container) return fail(Errc::invalid_argument, "conflicting options: dns and the network mode");
  if (of_container && !definition.extra_hosts.empty()) return fail(Errc::invalid_argument, "conflicting options: custom host-to-IP mapping and the network mode");
  if (of_container && (!definition.ports.empty() || definition.publish_all)) return fail(Errc::invalid_argument, "conflicting options: port publishing and the container type network mode");
  if (of_container && args.has("expose")) return fail(Errc::invalid_argument, "conflicting options: port exposing and the container type network mode");
  return {};
}

Result<> read_networks(const Args& args, Definition& definition) {
  std::vector<std::string> names = args.list("network");
  for (const auto& name : args.list("net")) names.push_back(name);
  for (const auto& text : names) {
    auto endpoint = TRY(parse_network(text));
    definition.endpoints.push_back(std::move(endpoint));
  }
  if (!definition.endpoints.empty()) definition.network_mode = definition.endpoints[0].network;
  std::vector<std::string> aliases = args.list("network-alias");
  for (const auto& alias : args.list("net-alias")) aliases.push_back(alias);
  definition.links = args.list("link");
  const bool special = !aliases.empty() || args.has("ip") || args.has("ip6") || args.has("mac-address") || args.has("link-local-ip");
  if (special) {
    if (definition.endpoints.empty()) definition.endpoints.push_back({.network = "bridge"});
    container::Endpoint& first = definition.endpoints[0];
    if (!first.aliases.empty() && !aliases.empty()) return fail(Errc::invalid_argument, "conflicting options: cannot specify both --network-alias and per-network alias");
    if (!is_user_network(definition.network_mode)) {
      if (!aliases.empty()) return fail(Errc::invalid_argument, "network-scoped aliases are only supported for user-defined networks");
      if (args.has("ip") || args.has("ip6")) return fail(Errc::invalid_argument, "user specified IP address is supported on user defined networks only");
    }
    first.aliases.insert(first.aliases.end(), aliases.begin(), aliases.end());
    if (args.has("ip")) first.ipv4 = args.text("ip");
    if (args.has("ip6")) first.ipv6 = args.text("ip6");
    if (args.has("mac-address")) first.mac = args.text("mac-address");
    first.link_local_ips = args.list("link-local-ip");
  }
  for (auto& endpoint : definition.endpoints)
    if (is_user_network(endpoint.network)) endpoint.links = definition.links;
  if (is_user_network(definition.network_mode)) definition.links.clear();
  // One endpoint with nothing special says no more than the mode.
  if (definition.endpoints.size() == 1 && definition.endpoints[0] == container::Endpoint{.network = definition.network_mode} && !is_user_network(definition.network_mode)) definition.endpoints.clear();

  definition.dns = args.list("dns");
  for (const auto& address : definition.dns) {
    unsigned char bytes[16];
    if (::inet_pton(AF_INET, address.c_str(), bytes) != 1 && ::inet_pton(AF_INET6, address.c_str(), bytes) != 1)
      return failf(Errc::invalid_argument, "invalid argument \"{}\" for \"--dns\" flag: {} is not an ip address", address, address);
  }
  definition.dns_options = args.list("dns-option");
  for (const auto& option : args.list("dns-opt")) definition.dns_options.push_back(option);
  definition.dns_search = args.list("dns-search");
  for (const auto& text : args.list("add-host")) {
    const auto host = engine::parse_extra_host(text);
    if (!host) return wrong_value("add-host", text, host.error().text());
    definition.extra_hosts.push_back(format("{}:{}", host->first, host->second));
  }
  for (const auto& text : args.list("publish")) {
    auto bindings = container::parse_publish(text);
    if (!bindings) return wrong_value("publish", text, bindings.error().text());
    for (auto& binding : *bindings) {
      const std::string exposed = format("{}/{}", binding.container_port, binding.protocol);
      if (std::find(definition.exposed_ports.begin(), definition.exposed_ports.end(), exposed) == definition.exposed_ports.end()) definition.exposed_ports.push_back(exposed);
      definition.ports.push_back(std::move(binding));
    }
  }
  for (const auto& text : args.list("expose")) {
    const auto ports = TRY(container::parse_expose(text));
    for (const auto& port : ports)
      if (std::find(definition.exposed_ports.begin(), definition.exposed_ports.end(), port) == definition.exposed_ports.end()) definition.exposed_ports.push_back(port);
  }
  definition.publish_all = args.flag("publish-all");
  return check_network_conflicts(args, definition);
}

// ---- mounts

Result<> read_mounts(const Args& args, Definition& definition) {
  char* here = ::get_current_dir_name();
  const std::string folder = here ? here : "/";
  std::free(here);
  for (const auto& [flag, text] : args.given()) {
    if (flag != "volume" && flag != "mount" && flag != "tmpfs") continue;
    auto mount = TRY(flag == "volume" ? engine::parse_volume_flag(text, folder) : flag == "mount" ? engine::parse_mount_flag(text, folder) : engine::parse_tmpfs_flag(text));
    // As with Docker, a volume without a name is one of Config.Volumes.
    if (flag == "volume" && mount.type == container::MountRequest::Type::volume && mount.source.empty()) definition.volumes.push_back(mount.target);
    else definition.mounts.push_back(std::move(mount));
  }
  definition.volumes_from = args.list("volumes-from");
  definition.volume_driver = args.text("volume-driver");
  if (!definition.volume_driver.empty() && definition.volume_driver != "local")
    return fail(Error(Errc::unsupported, format("error looking up volume plugin {}: plugin \"{}\" not found", definition.volume_driver, definition.volume_driver)).with_hint("the only volume driver is local"));
  return {};
}

// ---- namespaces and rights

Result<std::string> namespace_mode(const Args& args, std::string_view flag, std::initializer_list<std::string_view> known, bool containers) {
  const std::string mode = args.text(flag);
  if (mode.empty() || std::find(known.begin(), known.end(), mode) != known.end()) return mode;
  if (containers && mode.starts_with("container:") && mode.size() > 10) return mode;
  return failf(Errc::invalid_argument, "--{}: invalid {} mode", flag, to_upper(flag));
}

Result<> read_rights(const Args& args, Definition& definition) {
  definition.privileged = args.flag("privileged");
  definition.cap_add = args.list("cap-add");
  definition.cap_drop = args.list("cap-drop");
  definition.security_options = args.list("security-opt");
  for (auto& option : definition.security_options) {
    const auto pair = split_once(option, '=');
    if (!pair || pair->first != "seccomp" || pair->second == "unconfined" || pair->second == "builtin") continue;
    if (!sys::exists(std::string(pair->second)))
      return failf(Errc::invalid_argument, "opening seccomp profile ({}) failed: open {}: no such file or directory", pair->second, pair->second);
    // Read later, by a process in another folder.
    char full[PATH_MAX];
    if (::realpath(std::string(pair->second).c_str(), full)) option = format("seccomp={}", full);
  }
  definition.device_cgroup_rules = args.list("device-cgroup-rule");
  for (const auto& text : args.list("device")) {
    const auto parts = split(text, ':');
    container::DeviceRequest device{.host = std::string(parts[0]), .container = std::string(parts[0])};
    auto is_access = [](std::string_view word) { return !word.empty() && word.find_first_not_of("rwm") == word.npos; };
    if (parts.size() > 3 || parts[0].empty()) return wrong_value("device", text, format("invalid device specification: {}", text));
    if (parts.size() == 2 && is_access(parts[1])) device.permissions = parts[1];
    else if (parts.size() >= 2) device.container = parts[1];
    if (parts.size() == 3) device.permissions = parts[2];
    if (!is_access(device.permissions)) return wrong_value("device", text, format("bad mode specified: {}", device.permissions));
    definition.devices.push_back(std::move(device));
  }
  definition.ipc_mode = TRY(namespace_mode(args, "ipc", {"host", "private", "shareable", "none"}, true));
  definition.pid_mode = TRY(namespace_mode(args, "pid", {"host"}, true));
  definition.uts_mode = TRY(namespace_mode(args, "uts", {"host"}, false));
  definition.userns_mode = TRY(namespace_mode(args, "userns", {"host"}, false));
  definition.cgroupns_mode = TRY(namespace_mode(args, "cgroupns", {"host", "private"}, false));
  definition.sysctls = pairs(args, "sysctl");
  for (const auto& [key, value] : definition.sysctls)
    if (definition.network_mode == "host" && key.starts_with("net.")) return failf(Errc::invalid_argument, "sysctl \"{}\" not allowed in host network namespace", key);
  definition.annotations = pairs(args, "annotation");
  definition.cgroup_parent = args.text("cgroup-parent");
  definition.group_add = args.list("group-add");
  return {};
}

// ---- life

Result<> read_life(const Args& args, Definition& definition) {
  definition.restart = TRY(read_restart(args.text("restart")));
  definition.auto_remove = args.flag("rm");
  if (definition.auto_remove && definition.restart.name != "no") return fail(Errc::invalid_argument, "conflicting options: cannot specify both --restart and --rm");
  definition.stop_signal = args.text("stop-signal");
  if (!definition.stop_signal.empty()) TRY(container::parse_signal(definition.stop_signal));
  if (args.has("stop-timeout")) definition.stop_timeout = static_cast<int>(TRY(number(args, "stop-timeout")));
  definition.log_driver = args.text("log-driver", "json-file");
  definition.log_options = pairs(args, "log-opt");
  TRY(container::parse_log_options(definition.log_driver, definition.log_options));
  definition.runtime = args.text("runtime");
  definition.container_id_file = args.text("cidfile");
  return {};
}

/// -a, -i, -t and -d: what of the container this command is attached to.
Result<> read_attachment(const Args& args, RunRequest& request, bool is_run) {
  Definition& definition = request.create.definition;
  definition.tty = args.flag("tty");
  definition.open_stdin = args.flag("interactive");
  request.detach = is_run && args.flag("detach");
  request.signal_proxy = args.flag("sig-proxy", true);
  request.detach_keys = args.text("detach-keys", "ctrl-p,ctrl-q");
  bool in = false, out = false, err = false;
  for (const auto& stream : args.list("attach")) {
    const std::string name = to_lower(stream);
    if (name == "stdin") in = true;
    else if (name == "stdout") out = true;
    else if (name == "stderr") err = true;
    else return wrong_value("attach", stream, "valid streams are STDIN, STDOUT and STDERR");
  }
  if (request.detach && args.has("attach")) return fail(Errc::invalid_argument, "conflicting options: cannot specify both --attach and --detach");
  if (!args.has("attach")) {
    out = err = true;
    in = definition.open_stdin;
  }
  if (!request.detach) {
    definition.attach_stdin = in;
    definition.attach_stdout = out;
    definition.attach_stderr = err;
  }
  definition.stdin_once = definition.open_stdin && definition.attach_stdin;
  request.attach_input = !request.detach && in && definition.open_stdin;
  request.attach_output = !request.detach && (out || err);
  if (out != err) request.only_stream = out ? 1 : 2;
  return {};
}

}  // namespace

Result<container::RestartPolicy> read_restart(const std::string& text) {
  container::RestartPolicy policy;
  if (text.empty()) return policy;
  const auto parts = split_once(text, ':');
  policy.name = parts ? parts->first : std::string_view(text);
  if (parts) {
    const auto count = parse_int(parts->second);
    if (!count) return fail(Errc::invalid_argument, "maximum retry count must be an integer");
    policy.maximum_retries = static_cast<int>(*count);
  }
  if (policy.name != "no" && policy.name != "always" && policy.name != "on-failure" && policy.name != "unless-stopped")
    return failf(Errc::invalid_argument, "invalid restart policy: unknown policy '{}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'", policy.name);
  if (policy.maximum_retries != 0 && policy.name != "on-failure") return fail(Errc::invalid_argument, "invalid restart policy: maximum retry count can only be used with 'on-failure'");
  if (policy.maximum_retries < 0) return fail(Errc::invalid_argument, "invalid restart policy: maximum retry count cannot be negative");
  return policy;
}

Result<> read_limits(const Args& args, container::Limits& limits) {
  TRY(read_memory(args, limits));
  TRY(read_cpu(args, limits));
  TRY(read_block_io(args, limits));
  if (args.has("pids-limit")) limits.pids = TRY(number(args, "pids-limit"));
  return {};
}

Result<RunRequest> read_run_request(const Args& args, bool is_run) {
  RunRequest request;
  engine::CreateContainer& create = request.create;
  Definition& definition = create.definition;
  create.name = args.text("name");
  create.platform = args.text("platform");
  create.pull = args.text("pull", "missing");
  create.quiet = args.flag("quiet");
  if (create.pull != "missing" && create.pull != "never" && create.pull != "always")
    return failf(Errc::invalid_argument, "invalid pull option: '{}': must be one of \"always\", \"missing\" or \"never\"", create.pull);
  request.id_file = args.text("cidfile");
  definition.image = args.positional(0);
  const std::vector<std::string> command(args.positionals().begin() + 1, args.positionals().end());
  if (!command.empty()) definition.cmd = command;
  if (args.has("entrypoint")) definition.entrypoint = args.text("entrypoint").empty() ? std::vector<std::string>{} : std::vector<std::string>{args.text("entrypoint")};
  definition.user = args.text("user");
  definition.working_dir = args.text("workdir");
  if (!definition.working_dir.empty() && !definition.working_dir.starts_with("/"))
    return failf(Errc::invalid_argument, "the working directory '{}' is invalid, it needs to be an absolute path", definition.working_dir);
  definition.hostname = args.text("hostname");
  definition.domainname = args.text("domainname");
  definition.init = args.flag("init");
  definition.read_only = args.flag("read-only");
  TRY(read_attachment(args, request, is_run));
  TRY(read_environment(args, definition));
  TRY(read_health(args, definition));
  TRY(read_limits(args, definition.limits));
  TRY(read_process_limits(args, definition));
  TRY(read_networks(args, definition));
  TRY(read_mounts(args, definition));
  TRY(read_rights(args, definition));
  TRY(read_life(args, definition));
  return request;
}

}  // namespace mica::cli
