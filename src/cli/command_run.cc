#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/run_flags.h"
#include "engine/extra_hosts.h"
#include "engine/interrupt.h"
#include "engine/run_container.h"

namespace mica::cli {
namespace {

Result<std::int64_t> number(const Args& args, std::string_view flag) {
  const auto value = parse_int(args.text(flag));
  if (!value) return failf(Errc::invalid_argument, "invalid argument {} for \"--{}\" flag: not a number", quoted(args.text(flag)), flag);
  return *value;
}

/// "k=v" words of a repeated flag.
std::vector<std::pair<std::string, std::string>> pairs(const Args& args, std::string_view flag) {
  std::vector<std::pair<std::string, std::string>> result;
  for (const auto& word : args.list(flag)) {
    const auto at = word.find('=');
    result.emplace_back(word.substr(0, at), at == word.npos ? "" : word.substr(at + 1));
  }
  return result;
}

Result<> read_limits(const Args& args, engine::RunContainer& request) {
  runtime::Resources& limits = request.resources;
  if (args.has("memory")) limits.memory = TRY(parse_size(args.text("memory")));
  if (args.has("memory-reservation")) limits.memory_reservation = TRY(parse_size(args.text("memory-reservation")));
  if (args.has("memory-swap")) limits.memory_swap = args.text("memory-swap") == "-1" ? -1 : TRY(parse_size(args.text("memory-swap")));
  if (args.has("cpu-shares")) limits.cpu_shares = TRY(number(args, "cpu-shares"));
  if (args.has("cpu-quota")) limits.cpu_quota = TRY(number(args, "cpu-quota"));
  if (args.has("cpu-period")) limits.cpu_period = static_cast<std::uint64_t>(TRY(number(args, "cpu-period")));
  if (args.has("cpus")) {
    if (args.has("cpu-quota") || args.has("cpu-period")) return fail(Errc::invalid_argument, "conflicting options: CPU period or quota cannot be combined with --cpus");
    limits.cpu_quota = TRY(engine::parse_cpus(args.text("cpus")));
    limits.cpu_period = 100'000;
  }
  if (args.has("pids-limit")) limits.pids = TRY(number(args, "pids-limit"));
  limits.cpuset_cpus = args.text("cpuset-cpus");
  limits.cpuset_mems = args.text("cpuset-mems");
  if (args.has("shm-size")) request.shm_bytes = TRY(parse_size(args.text("shm-size")));
  if (args.has("oom-score-adj")) request.oom_score_adj = static_cast<int>(TRY(number(args, "oom-score-adj")));
  for (const auto& text : args.list("ulimit")) {
    auto limit = TRY(engine::parse_ulimit(text));
    request.rlimits.push_back(std::move(limit));
  }
  return {};
}

/// `--pid`, `--ipc`, `--uts`: the host's or the container's own.
Result<bool> host_or_own(const Args& args, std::string_view flag) {
  const std::string value = args.text(flag);
  if (value.empty() || value == "private" || value == "shareable") return false;
  if (value == "host") return true;
  return failf(Errc::unsupported, "--{} {}: only host and private are supported so far", flag, value);
}

Result<engine::RunContainer> request_from(const Args& args) {
  engine::RunContainer request{.image = args.positional(0)};
  request.command.assign(args.positionals().begin() + 1, args.positionals().end());
  if (args.has("entrypoint")) request.entrypoint = args.text("entrypoint");
  request.env = args.list("env");
  request.env_files = args.list("env-file");
  request.user = args.text("user");
  request.workdir = args.text("workdir");
  request.hostname = args.text("hostname");
  request.domainname = args.text("domainname");
  request.groups = args.list("group-add");
  request.terminal = args.flag("tty");
  request.interactive = args.flag("interactive");
  request.network = args.text("network", args.text("net", "default"));
  for (const auto& text : args.list("add-host")) {
    auto host = engine::parse_extra_host(text);
    if (!host) return failf(Errc::invalid_argument, "invalid argument {} for \"--add-host\" flag: {}", quoted(text), host.error().text());
    request.add_hosts.push_back(std::move(*host));
  }
  request.dns = args.list("dns");
  request.read_only = args.flag("read-only");
  request.privileged = args.flag("privileged");
  request.init = args.flag("init");
  request.capabilities_add = args.list("cap-add");
  request.capabilities_drop = args.list("cap-drop");
  request.devices = args.list("device");
  request.sysctls = pairs(args, "sysctl");
  request.annotations = pairs(args, "annotation");
  request.cgroup_parent = args.text("cgroup-parent");
  request.host_pid = TRY(host_or_own(args, "pid"));
  request.host_ipc = TRY(host_or_own(args, "ipc"));
  request.host_uts = TRY(host_or_own(args, "uts"));
  for (const auto& [flag, text] : args.given()) {
    if (flag != "volume" && flag != "mount" && flag != "tmpfs") continue;
    auto mount = TRY(flag == "volume" ? engine::parse_volume(text) : flag == "mount" ? engine::parse_mount_flag(text) : engine::parse_tmpfs(text));
    request.mounts.push_back(std::move(mount));
  }
  for (const auto& text : args.list("security-opt")) TRY(engine::apply_security_option(request, text));
  TRY(read_limits(args, request));
  return request;
}

Result<int> start(Context& context) {
  const Args& args = context.args;
  const std::string pull = args.text("pull", "missing");
  if (pull != "missing" && pull != "never" && pull != "always")
    return failf(Errc::invalid_argument, "invalid pull option: '{}': must be one of \"always\", \"missing\" or \"never\"", pull);
  if (pull == "always") return fail(Errc::unsupported, "--pull always: not supported yet by mica run");
  if (args.flag("tty") && !::isatty(STDIN_FILENO)) return fail(Errc::invalid_argument, "the input device is not a TTY");
  auto request = TRY(request_from(args));
  request.warn = [](std::string_view text) { note(format("mica: warning: {}\n", text)); };
  if (!args.flag("rm")) note("mica: note: the container is removed when it ends (as with --rm)\n");
  if (args.has("runtime")) context.options.runtime = args.text("runtime");
  const auto interrupt = TRY(engine::Interrupt::install());
  auto engine = TRY(engine::Engine::open(context.options));
  return engine::run_container(*engine, request, interrupt.cancel());
}

/// 125: what failed was mica or the runtime, not the command.
Result<int> run(Context& context) {
  auto status = start(context);
  if (status || status.error().exit_status() != 0 || status.error().code() == Errc::cancelled) return status;
  return fail(std::move(status).error().with_exit_status(125));
}

}  // namespace

constinit const Command kRun{.usage = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
                             .summary = "Run a command in a new container from an image",
                             .aliases = "mica container run, mica run",
                             .flags = kRunFlags,
                             .least = 1,
                             .needs = Needs::mounts,
                             .flags_first = true,
                             .run = run};

}  // namespace mica::cli
