#include "compose/service_container.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "compose/canonical.h"
#include "compose/service_hash.h"
#include "engine/mount_options.h"
#include "engine/networks.h"
#include "sys/fd.h"

namespace mica::compose {

namespace {

using container::Definition;
using json::Value;

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr double kNanoCpus = 1e9;

std::int64_t number(const Value& from, std::string_view key, std::int64_t fallback = 0) {
  const auto* value = from.find(key);
  if (!value) return fallback;
  if (value->is_int()) return value->as_int();
  if (value->is_double()) return static_cast<std::int64_t>(value->as_double());
  return parse_int(scalar_text(*value)).value_or(fallback);
}

std::int64_t duration(const Value& from, std::string_view key) {
  const std::string text = from.string_or(key);
  return text.empty() ? 0 : parse_duration(text).value_or(0);
}

container::Pairs pairs(const Value* from) {
  container::Pairs out;
  if (from && from->is_object())
    for (const auto& [key, value] : from->as_object()) out.emplace_back(key, scalar_text(value));
  return out;
}

double decimal(const Value* value) {
  if (!value) return 0;
  if (value->is_number()) return value->as_double();
  return std::strtod(scalar_text(*value).c_str(), nullptr);
}

void read_limits(const Value& service, Definition& definition) {
  auto& limits = definition.limits;
  limits.memory = number(service, "mem_limit");
  limits.memory_reservation = number(service, "mem_reservation");
  limits.memory_swap = number(service, "memswap_limit");
  if (service.find("mem_swappiness")) limits.memory_swappiness = number(service, "mem_swappiness");
  limits.nano_cpus = static_cast<std::int64_t>(decimal(service.find("cpus")) * kNanoCpus);
  limits.cpu_shares = number(service, "cpu_shares");
  limits.cpu_period = number(service, "cpu_period");
  limits.cpu_quota = number(service, "cpu_quota");
  limits.cpu_rt_period = number(service, "cpu_rt_period");
  limits.cpu_rt_runtime = number(service, "cpu_rt_runtime");
  limits.cpuset_cpus = service.string_or("cpuset");
  limits.oom_kill_disable = service.bool_or("oom_kill_disable");
  if (service.find("pids_limit")) limits.pids = number(service, "pids_limit");
  const auto* deploy = service.find("deploy");
  const auto* resources = deploy ? deploy->find("resources") : nullptr;
  if (const auto* most = resources ? resources->find("limits") : nullptr) {
    if (most->find("cpus")) limits.nano_cpus = static_cast<std::int64_t>(decimal(most->find("cpus")) * kNanoCpus);
    if (most->find("memory")) limits.memory = number(*most, "memory");
    if (most->find("pids")) limits.pids = number(*most, "pids");
  }
  if (const auto* least = resources ? resources->find("reservations") : nullptr; least && least->find("memory")) limits.memory_reservation = number(*least, "memory");
  if (const auto* blkio = service.find("blkio_config")) {
    limits.blkio_weight = static_cast<std::uint16_t>(number(*blkio, "weight"));
    const auto rates = [&](const char* key, const char* value, auto& to) {
      const auto* list = blkio->find(key);
      if (list && list->is_array())
        for (const auto& one : list->as_array()) to.push_back({one.string_or("path"), static_cast<std::uint64_t>(number(one, value))});
    };
    rates("weight_device", "weight", limits.blkio_weight_device);
    rates("device_read_bps", "rate", limits.device_read_bps);
    rates("device_write_bps", "rate", limits.device_write_bps);
    rates("device_read_iops", "rate", limits.device_read_iops);
    rates("device_write_iops", "rate", limits.device_write_iops);
  }
  definition.shm_bytes = number(service, "shm_size");
  if (service.find("oom_score_adj")) definition.oom_score_adj = static_cast<int>(number(service, "oom_score_adj"));
  if (const auto* ulimits = service.find("ulimits"); ulimits && ulimits->is_object())
    for (const auto& [name, limit] : ulimits->as_object()) {
      if (limit.is_object()) definition.ulimits.push_back({name, number(limit, "soft"), number(limit, "hard")});
      else if (limit.is_int()) definition.ulimits.push_back({name, limit.as_int(), limit.as_int()});
    }
}

Result<container::RestartPolicy> restart_policy(const Value& service) {
  const std::string text = service.string_or("restart");
  if (!text.empty()) {
    const auto parts = split_once(text, ':');
    container::RestartPolicy policy{.name = std::string(parts ? parts->first : text)};
    constexpr std::string_view kNames[] = {"no", "always", "on-failure", "unless-stopped"};
    if (std::ranges::find(kNames, policy.name) == std::end(kNames)) return failf(Errc::invalid_argument, "restart: invalid restart policy {}", quoted(text));
    if (parts) policy.maximum_retries = static_cast<int>(parse_int(parts->second).value_or(0));
    return policy;
  }
  const auto* deploy = service.find("deploy");
  const auto* policy = deploy ? deploy->find("restart_policy") : nullptr;
  if (!policy) return container::RestartPolicy{};
  const std::string condition = policy->string_or("condition", "any");
  if (condition == "none") return container::RestartPolicy{};
  const int attempts = static_cast<int>(number(*policy, "max_attempts"));
  if (condition == "on-failure") return container::RestartPolicy{.name = "on-failure", .maximum_retries = attempts};
  return container::RestartPolicy{.name = attempts > 0 ? "on-failure" : "always", .maximum_retries = attempts};
}

void read_health(const Value& service, Definition& definition) {
  const auto* check = service.find("healthcheck");
  if (!check || !check->is_object()) return;
  oci::Healthcheck out;
  out.test = check->strings("test");
  if (check->bool_or("disable")) out.test = {"NONE"};
  out.interval = duration(*check, "interval");
  out.timeout = duration(*check, "timeout");
  out.start_period = duration(*check, "start_period");
  out.start_interval = duration(*check, "start_interval");
  out.retries = static_cast<int>(number(*check, "retries"));
  definition.healthcheck = out;
}

Result<container::MountRequest> mount_of(const Project& project, const Value& mount) {
  using Type = container::MountRequest::Type;
  container::MountRequest out{.target = mount.string_or("target"), .read_only = mount.bool_or("read_only")};
  const std::string type = mount.string_or("type"), source = mount.string_or("source");
  if (out.target.empty() || out.target[0] != '/') return failf(Errc::invalid_argument, "volumes: invalid mount path: '{}' mount path must be absolute", out.target);
  if (type == "bind") {
    out.type = Type::bind;
    out.source = source;
    const auto* bind = mount.find("bind");
    out.create_source = !bind || bind->bool_or("create_host_path", bind->as_object().empty());
    if (bind) {
      out.propagation = bind->string_or("propagation");
      out.recursive = bind->string_or("recursive") != "disabled";
    }
    // The short form of compose is the short form of run, and shows as Binds.
    out.text = format("{}:{}:{}", source, out.target, out.read_only ? "ro" : "rw");
  } else if (type == "volume") {
    out.type = Type::volume;
    const auto* volume = mount.find("volume");
    if (volume) {
      out.no_copy = volume->bool_or("nocopy");
      out.subpath = volume->string_or("subpath");
      out.labels = pairs(volume->find("labels"));
    }
    if (!source.empty()) {
      out.source = resource_name(project, "volumes", source);
      if (out.subpath.empty()) out.text = format("{}:{}:{}{}", out.source, out.target, out.read_only ? "ro" : "rw", out.no_copy ? ",nocopy" : "");
      if (const auto* top = project.model.find("volumes") ? project.model.find("volumes")->find(source) : nullptr) {
        out.driver = top->string_or("driver");
        out.driver_options = pairs(top->find("driver_opts"));
      }
    }
  } else if (type == "tmpfs") {
    out.type = Type::tmpfs;
    if (const auto* tmpfs = mount.find("tmpfs")) {
      out.tmpfs_bytes = number(*tmpfs, "size");
      if (tmpfs->find("mode")) out.tmpfs_mode = static_cast<std::uint32_t>(number(*tmpfs, "mode"));
    }
  } else if (type == "image") {
    out.type = Type::image;
    out.source = source;
    if (const auto* image = mount.find("image")) out.subpath = image->string_or("subpath");
  } else {
    return failf(Errc::unsupported, "volumes: mounts of type {} are not supported", quoted(type));
  }
  return out;
}

/// The file behind a secret or config: the user's own, or one of ours with what was said in the model or the environment.
Result<std::string> file_of(engine::Engine& engine, const Project& project, const char* kind, const std::string& name, const Value& reference) {
  const auto* all = project.model.find(kind);
  const auto* object = all ? all->find(name) : nullptr;
  if (!object) return failf(Errc::not_found, "{}: undefined {}", kind, quoted(name));
  if (object->bool_or("external")) return failf(Errc::unsupported, "unsupported external {} {}: mica has no swarm", std::string_view(kind) == "secrets" ? "secret" : "config", name);
  if (const std::string file = object->string_or("file"); !file.empty()) {
    if (!sys::exists(file)) return failf(Errc::not_found, "{} {}: file {} does not exist", kind, quoted(name), file);
    return file;
  }
  std::string content = object->string_or("content");
  if (const std::string variable = object->string_or("environment"); !variable.empty()) {
    const auto known = project.environment.find(variable);
    const char* outside = std::getenv(variable.c_str());
    if (!outside && known == project.environment.end()) return failf(Errc::not_found, "environment variable {} required by {} {} is not set", quoted(variable), kind, quoted(name));
    content = outside ? outside : known->second;
  }
  const std::string folder = format("{}/compose/{}/{}", engine.root(), project.name, kind), path = folder + "/" + name;
  TRY(sys::make_directories(folder, 0711));
  TRY(sys::write_file(path, content, 0644));
  const auto mode = static_cast<mode_t>(std::strtol(reference.string_or("mode", "0444").c_str(), nullptr, 8));
  if (::chmod(path.c_str(), mode) != 0) return fail_errno(format("setting the mode of {}", path));
  const auto id = [&](const char* key) { return static_cast<uid_t>(parse_int(reference.string_or(key)).value_or(-1)); };
  if ((reference.find("uid") || reference.find("gid")) && ::chown(path.c_str(), id("uid"), id("gid")) != 0) return fail_errno(format("setting the owner of {}", path));
  return path;
}

Result<> read_files(engine::Engine& engine, const Project& project, const Value& service, Definition& definition) {
  for (const char* kind : {"secrets", "configs"}) {
    const auto* list = service.find(kind);
    if (!list || !list->is_array()) continue;
    for (const auto& one : list->as_array()) {
      const std::string source = one.string_or("source");
      std::string target = one.string_or("target", source);
      if (!target.starts_with('/')) target = (std::string_view(kind) == "secrets" ? "/run/secrets/" : "/") + target;
      auto path = TRY(file_of(engine, project, kind, source, one));
      definition.mounts.push_back({.type = container::MountRequest::Type::bind, .source = std::move(path), .target = target, .read_only = true});
    }
  }
  return {};
}

Result<> read_mounts(engine::Engine& engine, const Project& project, const Value& service, const ServiceContainer& wanted, Definition& definition) {
  if (const auto* mounts = service.find("volumes"); mounts && mounts->is_array())
    for (const auto& mount : mounts->as_array()) {
      auto request = TRY(mount_of(project, mount));
      if (request.type == container::MountRequest::Type::volume && request.source.empty())
        if (const auto old = wanted.anonymous_volumes.find(request.target); old != wanted.anonymous_volumes.end()) request.source = old->second;
      definition.mounts.push_back(std::move(request));
    }
  // Volumes of the image itself, carried over.
  for (const auto& [target, volume] : wanted.anonymous_volumes)
    if (std::ranges::none_of(definition.mounts, [&](const auto& mount) { return mount.target == target; }))
      definition.mounts.push_back({.type = container::MountRequest::Type::volume, .source = volume, .target = target});
  for (const auto& text : service.strings("tmpfs")) {
    auto request = TRY_DOING(engine::parse_tmpfs_flag(text), "tmpfs");
    definition.mounts.push_back(std::move(request));
  }
  return read_files(engine, project, service, definition);
}

Result<> read_ports(const Value& service, Definition& definition) {
  if (const auto* ports = service.find("ports"); ports && ports->is_array())
    for (const auto& port : ports->as_array()) {
      container::PortBinding binding{.container_port = static_cast<std::uint16_t>(number(port, "target")), .protocol = port.string_or("protocol", "tcp"), .host_ip = port.string_or("host_ip")};
      const std::string published = port.string_or("published");
      if (!published.empty()) {
        const auto ends = split_once(published, '-');
        const auto first = parse_int(ends ? ends->first : std::string_view(published)), last = ends ? parse_int(ends->second) : first;
        if (!first || !last || *first > 65535 || *last > 65535 || *last < *first) return failf(Errc::invalid_argument, "ports: invalid published port {}", quoted(published));
        binding.host_port = static_cast<std::uint16_t>(*first);
        if (*last > *first) binding.host_port_end = static_cast<std::uint16_t>(*last);
      }
      definition.exposed_ports.push_back(format("{}/{}", binding.container_port, binding.protocol));
      definition.ports.push_back(std::move(binding));
    }
  for (const auto& text : service.strings("expose")) {
    const bool plain = text.find('/') == text.npos;
    if (text.find('-') != text.npos) {
      const auto ends = split_once(text.substr(0, text.find('/')), '-');
      const auto first = parse_int(ends->first), last = parse_int(ends->second);
      if (!first || !last) return failf(Errc::invalid_argument, "expose: invalid port range {}", quoted(text));
      for (auto port = *first; port <= *last; ++port) definition.exposed_ports.push_back(format("{}/{}", port, plain ? "tcp" : text.substr(text.find('/') + 1)));
    } else {
      definition.exposed_ports.push_back(plain ? text + "/tcp" : text);
    }
  }
  std::ranges::sort(definition.exposed_ports);
  definition.exposed_ports.erase(std::ranges::unique(definition.exposed_ports).begin(), definition.exposed_ports.end());
  return {};
}

std::vector<std::string> links_of(const Project& project, const Value& service) {
  std::vector<std::string> out;
  for (const auto& link : service.strings("links")) {
    const auto parts = split_once(link, ':');
    const std::string target(parts ? parts->first : link), alias(parts ? parts->second : link);
    const std::string name = container_name(project, target, 1);
    out.push_back(name + ":" + alias);
    if (alias != name) out.push_back(name + ":" + name);
  }
  for (const auto& link : service.strings("external_links")) out.push_back(link.find(':') == link.npos ? link + ":" + link : link);
  return out;
}

/// "service:x" becomes the container that is it.
std::string mode_of(const Project& project, const std::string& mode) {
  constexpr std::string_view kService = "service:";
  return mode.starts_with(kService) ? "container:" + container_name(project, mode.substr(kService.size()), 1) : mode;
}

void read_networks(const Project& project, const Value& service, const ServiceContainer& wanted, const std::string& name, Definition& definition) {
  const std::string mode = service.string_or("network_mode");
  if (!mode.empty()) {
    definition.network_mode = mode_of(project, mode);
    return;
  }
  const auto* networks = service.find("networks");
  if (!networks || !networks->is_object() || networks->as_object().empty()) {
    definition.network_mode = "none";
    return;
  }
  std::vector<const json::Member*> sorted;
  for (const auto& member : networks->as_object()) sorted.push_back(&member);
  std::ranges::stable_sort(sorted, [](const auto* a, const auto* b) { return number(a->second, "priority") > number(b->second, "priority"); });
  const auto links = links_of(project, service);
  for (const auto* member : sorted) {
    const auto& [network, how] = *member;
    container::Endpoint endpoint{.network = resource_name(project, "networks", network)};
    endpoint.aliases = {name};
    if (!wanted.one_off) endpoint.aliases.push_back(wanted.service);
    for (const auto& alias : how.strings("aliases")) endpoint.aliases.push_back(alias);
    endpoint.links = links;
    endpoint.ipv4 = how.string_or("ipv4_address");
    endpoint.ipv6 = how.string_or("ipv6_address");
    endpoint.mac = how.string_or("mac_address", service.string_or("mac_address"));
    endpoint.link_local_ips = how.strings("link_local_ips");
    endpoint.driver_options = pairs(how.find("driver_opts"));
    if (const std::string interface = how.string_or("interface_name"); !interface.empty()) endpoint.driver_options.emplace_back("com.docker.network.endpoint.ifname", interface);
    endpoint.gateway_priority = static_cast<int>(number(how, "gw_priority"));
    definition.endpoints.push_back(std::move(endpoint));
  }
  definition.network_mode = definition.endpoints[0].network;
}

void add_labels(const Project& project, const Value& service, const ServiceContainer& wanted, Definition& definition) {
  definition.labels = pairs(service.find("labels"));
  std::vector<std::string> needs;
  if (const auto* depends = service.find("depends_on"); depends && depends->is_object())
    for (const auto& [other, how] : depends->as_object()) needs.push_back(format("{}:{}:{}", other, how.string_or("condition"), how.bool_or("restart") ? "true" : "false"));
  const auto put = [&](const char* key, std::string value) { definition.labels.emplace_back(key, std::move(value)); };
  put(kHashLabel, service_hash(service));
  put(kNumberLabel, std::to_string(wanted.number));
  put(kDependsLabel, join(needs, ","));
  put(kImageLabel, wanted.image_id);
  put(kOneOffLabel, wanted.one_off ? "True" : "False");
  put(kProjectLabel, project.name);
  put(kFilesLabel, join(project.files, ","));
  put(kFolderLabel, project.folder);
  put(kServiceLabel, wanted.service);
  put(kVersionLabel, kComposeVersion);
}

/// What is accepted by the model and cannot be had here, by name.
Result<> refuse(const Value& service) {
  for (const char* member : {"credential_spec", "gpus", "provider", "models", "use_api_socket", "storage_opt", "isolation"})
    if (service.find(member)) return failf(Errc::unsupported, "{} is not supported", member);
  if (const auto* deploy = service.find("deploy"))
    if (const auto* resources = deploy->find("resources"))
      if (const auto* least = resources->find("reservations"); least && least->find("devices")) return fail(Errc::unsupported, "deploy.resources.reservations.devices is not supported: mica has no GPU support");
  return {};
}

}  // namespace

std::string container_name(const Project& project, const std::string& service, int number) {
  const auto* found = project.service(service);
  if (!found) found = project.disabled.find(service);
  const std::string fixed = found ? found->string_or("container_name") : "";
  return fixed.empty() ? format("{}-{}-{}", project.name, service, number) : fixed;
}

std::string resource_name(const Project& project, const char* kind, const std::string& name) {
  const auto* all = project.model.find(kind);
  const auto* object = all ? all->find(name) : nullptr;
  const std::string own = object ? object->string_or("name") : "";
  return own.empty() ? project.name + "_" + name : own;
}

Result<engine::CreateContainer> container_request(engine::Engine& engine, const Project& project, const ServiceContainer& wanted) {
  const Value* found = project.service(wanted.service);
  if (!found) return failf(Errc::not_found, "no such service: {}", wanted.service);
  const Value& service = *found;
  const auto explain = [&] { return format("service {}", quoted(wanted.service)); };
  TRY_DOING(refuse(service), explain());
  engine::CreateContainer request{.name = wanted.name.empty() ? container_name(project, wanted.service, wanted.number) : wanted.name, .platform = service.string_or("platform"), .pull = "never"};
  Definition& definition = request.definition;
  definition.image = image_name(project, wanted.service, service);
  definition.hostname = service.string_or("hostname");
  definition.domainname = service.string_or("domainname");
  definition.user = service.string_or("user");
  definition.working_dir = service.string_or("working_dir");
  if (const auto* environment = service.find("environment"); environment && environment->is_object())
    for (const auto& [key, value] : environment->as_object())
      if (!value.is_null()) definition.env.push_back(format("{}={}", key, scalar_text(value)));
  if (const auto* command = service.find("command"); command && command->is_array()) definition.cmd = service.strings("command");
  if (const auto* entrypoint = service.find("entrypoint"); entrypoint && entrypoint->is_array()) definition.entrypoint = service.strings("entrypoint");
  definition.tty = service.bool_or("tty");
  definition.open_stdin = service.bool_or("stdin_open");
  definition.attach_stdout = definition.attach_stderr = true;
  definition.stop_signal = service.string_or("stop_signal");
  if (service.find("stop_grace_period")) definition.stop_timeout = static_cast<int>((duration(service, "stop_grace_period") + kNanosPerSecond - 1) / kNanosPerSecond);
  read_health(service, definition);
  definition.restart = TRY_DOING(restart_policy(service), explain());
  TRY_DOING(read_mounts(engine, project, service, wanted, definition), explain());
  TRY_DOING(read_ports(service, definition), explain());
  read_networks(project, service, wanted, request.name, definition);
  for (const auto& from : service.strings("volumes_from")) {
    constexpr std::string_view kContainer = "container:";
    if (from.starts_with(kContainer)) definition.volumes_from.push_back(from.substr(kContainer.size()));
    else {
      const auto parts = split_once(from, ':');
      definition.volumes_from.push_back(container_name(project, std::string(parts ? parts->first : from), 1) + (parts ? ":" + std::string(parts->second) : ""));
    }
  }
  definition.cap_add = service.strings("cap_add");
  definition.cap_drop = service.strings("cap_drop");
  definition.group_add = service.strings("group_add");
  definition.dns = service.strings("dns");
  definition.dns_options = service.strings("dns_opt");
  definition.dns_search = service.strings("dns_search");
  for (const auto& host : service.strings("extra_hosts")) {
    const auto parts = split_once(host, '=');
    definition.extra_hosts.push_back(parts ? format("{}:{}", parts->first, parts->second) : host);
  }
  definition.security_options = service.strings("security_opt");
  definition.device_cgroup_rules = service.strings("device_cgroup_rules");
  if (const auto* devices = service.find("devices"); devices && devices->is_array())
    for (const auto& device : devices->as_array()) definition.devices.push_back({device.string_or("source"), device.string_or("target"), device.string_or("permissions", "rwm")});
  definition.cgroupns_mode = service.string_or("cgroup");
  definition.ipc_mode = mode_of(project, service.string_or("ipc"));
  definition.pid_mode = mode_of(project, service.string_or("pid"));
  definition.userns_mode = service.string_or("userns_mode");
  definition.uts_mode = service.string_or("uts");
  definition.cgroup_parent = service.string_or("cgroup_parent");
  definition.runtime = service.string_or("runtime");
  definition.privileged = service.bool_or("privileged");
  definition.read_only = service.bool_or("read_only");
  definition.init = service.bool_or("init");
  definition.sysctls = pairs(service.find("sysctls"));
  definition.annotations = pairs(service.find("annotations"));
  if (const auto* logging = service.find("logging")) {
    definition.log_driver = logging->string_or("driver", "json-file");
    definition.log_options = pairs(logging->find("options"));
  }
  read_limits(service, definition);
  add_labels(project, service, wanted, definition);
  return request;
}

}  // namespace mica::compose
