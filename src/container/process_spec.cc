#include "container/process_spec.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "container/definition_names.h"
#include "runtime/capabilities.h"
#include "base/environment.h"
#include "runtime/users.h"

namespace mica::container {
namespace {

constexpr std::string_view kDefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::int64_t kCpuPeriod = 100'000, kNanosPerCpu = 1'000'000'000;

std::vector<std::string> environment(const Definition& definition, const std::string& home) {
  std::vector<std::string> env = {std::string(kDefaultPath), "HOSTNAME=" + definition.hostname};
  if (definition.tty) env.emplace_back("TERM=xterm");
  for (const auto& entry : definition.env) {
    const auto pair = split_once(entry, '=');
    set_variable(env, pair ? pair->first : entry, pair ? pair->second : "");
  }
  if (!has_variable(env, "HOME")) env.push_back("HOME=" + home);
  return env;
}

std::vector<runtime::DeviceRate> rates(const std::vector<BlkioRate>& list) {
  std::vector<runtime::DeviceRate> out;
  for (const auto& rate : list) out.push_back({rate.path, rate.rate});
  return out;
}

/// The folder that a process starts in. Errors: invalid_argument.
Result<std::string> working_folder(const std::string& asked, const std::string& fallback) {
  const std::string& folder = asked.empty() ? fallback : asked;
  if (folder.empty()) return std::string("/");
  if (!folder.starts_with("/")) return failf(Errc::invalid_argument, "the working directory '{}' is invalid, it needs to be an absolute path", folder);
  return clean_path(folder);
}

Result<> set_user(runtime::ProcessSpec& spec, const Definition& definition, const StartFacts& facts) {
  const auto user = TRY(runtime::resolve_user(definition.user, facts.passwd, facts.group));
  spec.uid = user.uid;
  spec.gid = user.gid;
  spec.additional_gids = user.additional_gids;
  const auto more = TRY(runtime::resolve_groups(definition.group_add, facts.group));
  spec.additional_gids.insert(spec.additional_gids.end(), more.begin(), more.end());
  spec.env = environment(definition, user.home);
  return {};
}

Result<> set_security(runtime::ProcessSpec& spec, const Definition& definition) {
  spec.privileged = definition.privileged;
  spec.capabilities_add = definition.cap_add;
  spec.capabilities_drop = definition.cap_drop;
  for (const auto& option : definition.security_options) {
    const auto at = option.find_first_of("=:");
    const std::string key = option.substr(0, at), value = at == option.npos ? "" : option.substr(at + 1);
    if (key == "no-new-privileges") spec.no_new_privileges = value.empty() || value == "true";
    else if (key == "seccomp") spec.seccomp = value == "builtin" ? "" : value;
    else if (key == "systempaths" && value == "unconfined") spec.all_paths = true;
    else if (key == "writable-cgroups") spec.writable_cgroups = value.empty() || value == "true";
    else if (!((key == "apparmor" && (value == "unconfined" || value.empty())) || (key == "label" && value == "disable")))
      return fail(Error(Errc::unsupported, format("--security-opt {}: not supported", option))
                      .with_hint("known: no-new-privileges, seccomp=FILE|unconfined|builtin, systempaths=unconfined, writable-cgroups, apparmor=unconfined, label=disable"));
  }
  return {};
}

void set_namespaces(runtime::ProcessSpec& spec, const Definition& definition, const StartFacts& facts) {
  if (!facts.network_namespace.empty()) {
    spec.network = runtime::NetworkMode::namespace_path;
    spec.network_namespace = facts.network_namespace;
  } else {
    spec.network = definition.network_mode == "host" ? runtime::NetworkMode::host : runtime::NetworkMode::none;
  }
  spec.host_pid = definition.pid_mode == "host";
  spec.host_ipc = definition.ipc_mode == "host";
  spec.no_shm = definition.ipc_mode == "none";
  spec.host_uts = definition.uts_mode == "host";
  spec.pid_namespace = facts.pid_namespace;
  spec.ipc_namespace = facts.ipc_namespace;
  if (!definition.cgroupns_mode.empty()) spec.private_cgroups = definition.cgroupns_mode == "private";
}

Result<std::vector<std::string>> arguments(const Definition& definition) {
  std::vector<std::string> argv;
  if (definition.entrypoint) argv = *definition.entrypoint;
  if (definition.cmd) argv.insert(argv.end(), definition.cmd->begin(), definition.cmd->end());
  if (argv.empty()) return fail(Errc::invalid_argument, "no command specified");
  return argv;
}

}  // namespace

runtime::Resources resources_of(const Limits& limits) {
  runtime::Resources out;
  auto set = [](auto& to, std::int64_t value) {
    if (value != 0) to = value;
  };
  set(out.memory, limits.memory);
  set(out.memory_swap, limits.memory_swap);
  set(out.memory_reservation, limits.memory_reservation);
  out.memory_swappiness = limits.memory_swappiness;
  set(out.cpu_shares, limits.cpu_shares);
  set(out.cpu_quota, limits.cpu_quota);
  if (limits.cpu_period) out.cpu_period = static_cast<std::uint64_t>(limits.cpu_period);
  if (limits.nano_cpus) {
    out.cpu_period = static_cast<std::uint64_t>(kCpuPeriod);
    out.cpu_quota = limits.nano_cpus * kCpuPeriod / kNanosPerCpu;
  }
  if (limits.cpu_rt_period) out.cpu_rt_period = static_cast<std::uint64_t>(limits.cpu_rt_period);
  set(out.cpu_rt_runtime, limits.cpu_rt_runtime);
  out.cpuset_cpus = limits.cpuset_cpus;
  out.cpuset_mems = limits.cpuset_mems;
  if (limits.pids && *limits.pids != 0) out.pids = *limits.pids;
  out.oom_kill_disable = limits.oom_kill_disable;
  if (limits.blkio_weight) out.blkio_weight = limits.blkio_weight;
  out.blkio_weight_device = rates(limits.blkio_weight_device);
  out.read_bps = rates(limits.device_read_bps);
  out.write_bps = rates(limits.device_write_bps);
  out.read_iops = rates(limits.device_read_iops);
  out.write_iops = rates(limits.device_write_iops);
  return out;
}

Result<runtime::ProcessSpec> process_spec(const Definition& definition, const StartFacts& facts) {
  runtime::ProcessSpec spec;
  spec.argv = TRY(arguments(definition));
  spec.cwd = TRY(working_folder(definition.working_dir, ""));
  spec.rootfs = facts.rootfs;
  spec.read_only_root = definition.read_only;
  spec.terminal = definition.tty;
  spec.init = definition.init;
  spec.hostname = definition.hostname;
  spec.domainname = definition.domainname;
  TRY(set_user(spec, definition, facts));
  TRY(set_security(spec, definition));
  set_namespaces(spec, definition, facts);
  spec.mounts = facts.mounts;
  for (const auto& device : definition.devices) spec.devices.push_back(format("{}:{}:{}", device.host, device.container, device.permissions));
  spec.device_rules = definition.device_cgroup_rules;
  spec.sysctls = definition.sysctls;
  spec.shm_bytes = definition.shm_bytes ? definition.shm_bytes : kDefaultShmBytes;
  for (const auto& limit : definition.ulimits)
    spec.rlimits.push_back({"RLIMIT_" + to_upper(limit.name), static_cast<std::uint64_t>(limit.soft), static_cast<std::uint64_t>(limit.hard)});
  spec.resources = resources_of(definition.limits);
  spec.oom_score_adj = definition.oom_score_adj;
  spec.annotations = definition.annotations;
  return spec;
}

Result<json::Value> exec_process(const Definition& definition, const ExecFacts& facts) {
  const auto user = TRY(runtime::resolve_user(facts.user.empty() ? definition.user : facts.user, facts.passwd, facts.group));
  std::vector<std::string> env = environment(definition, user.home);
  // HOME is the user's, unless somebody has said what it is.
  const bool has_home = std::any_of(definition.env.begin(), definition.env.end(), [](const auto& entry) { return entry.starts_with("HOME="); });
  if (!has_home) set_variable(env, "HOME", user.home);
  if (facts.tty) set_variable(env, "TERM", "xterm");
  else if (definition.tty) remove_variable(env, "TERM");
  for (const auto& entry : facts.env) {
    const auto pair = split_once(entry, '=');
    set_variable(env, pair ? pair->first : entry, pair ? pair->second : "");
  }
  const auto capabilities = TRY(runtime::container_capabilities(definition.privileged || facts.privileged, definition.cap_add, definition.cap_drop));
  const std::string cwd = TRY(working_folder(facts.workdir, definition.working_dir));
  json::Array groups;
  groups.emplace_back(std::int64_t{user.gid});
  for (const auto gid : user.additional_gids)
    if (gid != user.gid) groups.emplace_back(std::int64_t{gid});
  json::Object sets;
  for (const char* set : {"bounding", "effective", "permitted"}) sets.emplace_back(set, json::from(capabilities));
  return json::Value(json::Object{{"terminal", facts.tty},
                                  {"user", json::Object{{"uid", std::int64_t{user.uid}}, {"gid", std::int64_t{user.gid}}, {"umask", 022}, {"additionalGids", std::move(groups)}}},
                                  {"args", json::from(facts.command)},
                                  {"env", json::from(env)},
                                  {"cwd", cwd},
                                  {"capabilities", json::Value(std::move(sets))}});
}

}  // namespace mica::container
