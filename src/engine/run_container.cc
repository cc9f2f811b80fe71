#include "engine/run_container.h"

#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "engine/images.h"
#include "runtime/network.h"
#include "runtime/environment.h"
#include "runtime/users.h"

namespace mica::engine {
namespace {

constexpr std::string_view kDefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::size_t kMaxUserFileBytes = 16 << 20;
constexpr const char* kHostsFile = "/etc/hosts";
constexpr std::size_t kMaxHostsBytes = 16 << 20;

/// "K=V" as it is; "K": our own value, or nothing (and then K is taken away).
void add_variable(std::vector<std::string>& env, const std::string& word) {
  if (const auto pair = split_once(word, '=')) return runtime::set_variable(env, pair->first, pair->second);
  runtime::remove_variable(env, word);
  if (const char* value = std::getenv(word.c_str())) runtime::set_variable(env, word, value);
}

Result<std::vector<std::string>> environment(const RunContainer& request, const oci::ImageConfig& config, const std::string& hostname,
                                             const std::string& home) {
  std::vector<std::string> env = {std::string(kDefaultPath), "HOSTNAME=" + hostname};
  if (request.terminal) env.push_back("TERM=xterm");
  for (const auto& entry : config.env) {
    const auto pair = split_once(entry, '=');
    runtime::set_variable(env, pair ? pair->first : entry, pair ? pair->second : "");
  }
  for (const auto& file : request.env_files) {
    const std::string text = TRY_DOING(sys::read_file(file), "reading --env-file");
    for (std::string_view line : split(text, '\n')) {
      line = trim_left(trim_right(line, "\r"));
      if (line.empty() || line.starts_with("#")) continue;
      const auto name = line.substr(0, line.find('='));
      if (name.empty() || name.find_first_of(" \t") != name.npos)
        return failf(Errc::invalid_argument, "poorly formatted environment: variable {} contains whitespaces or is empty, in {}", quoted(name), file);
      add_variable(env, std::string(line));
    }
  }
  for (const auto& word : request.env) {
    if (word.empty() || word[0] == '=') return failf(Errc::invalid_argument, "invalid environment variable: {}", word);
    add_variable(env, word);
  }
  if (!runtime::has_variable(env, "HOME")) env.push_back("HOME=" + home);
  return env;
}

Result<std::vector<std::string>> arguments(const RunContainer& request, const oci::ImageConfig& config) {
  std::vector<std::string> argv;
  if (request.entrypoint) {
    if (!request.entrypoint->empty()) argv.push_back(*request.entrypoint);
  } else if (config.entrypoint) {
    argv = *config.entrypoint;
  }
  if (!request.command.empty()) argv.insert(argv.end(), request.command.begin(), request.command.end());
  else if (!request.entrypoint && config.cmd) argv.insert(argv.end(), config.cmd->begin(), config.cmd->end());
  if (argv.empty())
    return fail(Error(Errc::invalid_argument, "no command specified").with_hint("the image has neither CMD nor ENTRYPOINT: name a command after it"));
  return argv;
}

/// The container's own address has its host name, as programs that look that up expect; on the host's network the host's file says it.
std::string hosts_of(const RunContainer& request, const runtime::ProcessSpec& spec, const runtime::BuildNetwork* network) {
  const auto extra = runtime::with_gateway(request.add_hosts, network);
  if (spec.network == runtime::NetworkMode::host) return runtime::host_hosts_file(sys::read_file(kHostsFile, kMaxHostsBytes).value_or(""), extra);
  const std::string names = spec.domainname.empty() ? spec.hostname : format("{}.{} {}", spec.hostname, spec.domainname, spec.hostname);
  return runtime::container_hosts_file(extra, network ? network->address() : "", names);
}

/// Files that a container gets from us, bind-mounted over the image's.
Result<> add_etc_files(const RunContainer& request, runtime::ProcessSpec& spec, const runtime::BuildNetwork* network, const std::string& folder) {
  std::vector<std::string> servers = request.dns;
  if (servers.empty() && network) servers = network->nameservers();
  const bool host_network = request.network == "host";
  const std::string resolv = TRY(runtime::resolv_conf(servers, host_network));
  TRY(sys::write_file(folder + "/resolv.conf", resolv));
  TRY(sys::write_file(folder + "/hosts", hosts_of(request, spec, network)));
  TRY(sys::write_file(folder + "/hostname", spec.hostname + "\n"));
  for (const char* name : {"resolv.conf", "hosts", "hostname"}) {
    const std::string target = std::string("/etc/") + name;
    const bool taken = std::any_of(spec.mounts.begin(), spec.mounts.end(), [&](const auto& m) { return m.destination == target; });
    if (!taken) spec.mounts.push_back({.source = folder + "/" + name, .destination = target, .read_only = request.read_only, .recursive = false});
  }
  return {};
}

/// The flags that need control groups.
std::vector<std::string_view> limits_in(const runtime::Resources& r) {
  std::vector<std::string_view> limits;
  if (r.memory) limits.push_back("--memory");
  if (r.memory_reservation) limits.push_back("--memory-reservation");
  if (r.memory_swap) limits.push_back("--memory-swap");
  if (r.cpu_quota || r.cpu_period) limits.push_back("a limit of CPU time");
  if (r.cpu_shares) limits.push_back("--cpu-shares");
  if (!r.cpuset_cpus.empty()) limits.push_back("--cpuset-cpus");
  if (!r.cpuset_mems.empty()) limits.push_back("--cpuset-mems");
  if (r.pids) limits.push_back("--pids-limit");
  return limits;
}

std::string host_name() {
  char buffer[256] = {};
  ::gethostname(buffer, sizeof buffer - 1);
  return buffer;
}

}  // namespace

Result<int> run_container(Engine& engine, const RunContainer& request, task::Cancel cancel) {
  auto found = engine.images().resolve(request.image);
  if (!found) {
    Error error = std::move(found).error();
    if (error.code() == Errc::not_found) std::move(error).with_hint("'mica images' lists what is here; build, load or import it first");
    return fail(std::move(error));
  }
  const store::ImageRow& image = *found;
  if (!image.layers.empty()) TRY(engine.workspace().lease(engine.database(), image.layers));
  const auto config = TRY(read_config(engine, image.id));
  const auto view = TRY(engine.layers().view(image.layers));
  const std::string passwd = view.read_file("etc/passwd", kMaxUserFileBytes).value_or("");
  const std::string group = view.read_file("etc/group", kMaxUserFileBytes).value_or("");
  const auto user = TRY(runtime::resolve_user(request.user.empty() ? config.user : request.user, passwd, group));

  const std::string folder = engine.workspace().path() + "/run";
  TRY(sys::make_directories(folder, 0711));
  std::unique_ptr<runtime::BuildNetwork> network;
  runtime::ProcessSpec spec;
  spec.argv = TRY(arguments(request, config));
  spec.hostname = !request.hostname.empty() ? request.hostname : request.network == "host" || request.host_uts ? host_name() : random_hex(6);
  spec.domainname = request.domainname;
  spec.env = TRY(environment(request, config, spec.hostname, user.home));
  spec.cwd = !request.workdir.empty() ? clean_path(request.workdir) : !config.working_dir.empty() ? clean_path(config.working_dir) : "/";
  if (!spec.cwd.starts_with("/")) return failf(Errc::invalid_argument, "the working directory '{}' is invalid, it needs to be an absolute path", spec.cwd);
  spec.uid = user.uid;
  spec.gid = user.gid;
  spec.additional_gids = user.additional_gids;
  const auto more = TRY(runtime::resolve_groups(request.groups, group));
  spec.additional_gids.insert(spec.additional_gids.end(), more.begin(), more.end());
  spec.terminal = request.terminal;
  spec.read_only_root = request.read_only;
  if (request.network == "host") spec.network = runtime::NetworkMode::host;
  else if (request.network == "none") spec.network = runtime::NetworkMode::none;
  else if (request.network == "default" || request.network == "bridge") {
    const bool reach_host = std::any_of(request.add_hosts.begin(), request.add_hosts.end(), [](const auto& host) { return host.second == runtime::kHostGateway; });
    network = TRY_DOING(runtime::make_build_network(engine.root(), folder, cancel, {.reach_host = reach_host}), "setting up the container's network");
    spec.network = runtime::NetworkMode::namespace_path;
    spec.network_namespace = network->namespace_path();
  } else {
    return fail(Error(Errc::unsupported, format("--network {}: own networks are not supported yet", request.network)).with_hint("use bridge, host or none"));
  }
  spec.host_pid = request.host_pid;
  spec.host_ipc = request.host_ipc;
  spec.host_uts = request.host_uts;
  spec.privileged = request.privileged;
  spec.capabilities_add = request.capabilities_add;
  spec.capabilities_drop = request.capabilities_drop;
  spec.no_new_privileges = request.no_new_privileges;
  spec.seccomp = request.seccomp;
  spec.mounts = request.mounts;
  spec.devices = request.devices;
  spec.sysctls = request.sysctls;
  spec.shm_bytes = request.shm_bytes;
  spec.rlimits = request.rlimits;
  spec.resources = request.resources;
  spec.cgroup_parent = request.cgroup_parent;
  spec.oom_score_adj = request.oom_score_adj;
  spec.init = request.init;
  spec.annotations = request.annotations;
  TRY(add_etc_files(request, spec, network.get(), folder));

  auto* snapshotter = TRY(engine.snapshotter());
  auto* runtime = TRY(engine.runtime());
  if (request.warn && !runtime->can_limit())
    for (const std::string_view limit : limits_in(spec.resources)) request.warn(format("{} has no effect: there are no control groups that may be written", limit));
  const auto root = TRY_DOING(snapshotter->writable(image.layers, cancel), "preparing the root filesystem");
  spec.rootfs = root->path();
  runtime::Streams streams;
  if (request.interactive) streams.stdin_fd = STDIN_FILENO;
  if (request.terminal) streams.terminal_fd = STDIN_FILENO;
  const auto exit = TRY(runtime->run(spec, streams, folder, cancel));
  return exit.status;
}

}  // namespace mica::engine
