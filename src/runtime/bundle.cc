#include "runtime/bundle.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "runtime/capabilities.h"
#include "runtime/devices.h"
#include "runtime/seccomp.h"
#include "sys/fd.h"

namespace mica::runtime {

namespace {

constexpr const char* kInitInside = "/sbin/docker-init";
constexpr std::size_t kMaxProfileBytes = 4 << 20;
constexpr const char* kMasked[] = {"/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                                   "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
                                   "/sys/devices/virtual/powercap"};
constexpr const char* kReadOnly[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};

using Members = std::initializer_list<json::Member>;
json::Value object(Members members) { return json::Object(members); }

json::Value mount(const std::string& destination, const char* type, const std::string& source, std::vector<std::string> options) {
  return object({{"destination", destination}, {"type", type}, {"source", source}, {"options", json::from(options)}});
}

json::Value numbers(const std::vector<std::uint32_t>& values) {
  json::Value out = json::Value::array();
  for (auto value : values) out.push(std::int64_t{value});
  return out;
}

bool has_limits(const Resources& r) {
  return r.memory || r.memory_swap || r.memory_reservation || r.memory_swappiness || r.cpu_quota || r.cpu_shares || r.pids || r.cpu_period || r.cpu_rt_runtime ||
         r.cpu_rt_period || !r.cpuset_cpus.empty() || !r.cpuset_mems.empty() || r.blkio_weight;
}

class Config {
 public:
  Config(const ProcessSpec& spec, const BundleFacts& facts) : spec_(spec), facts_(facts) {}

  Result<json::Value> build() {
    capabilities_ = TRY(container_capabilities(spec_.privileged, spec_.capabilities_add, spec_.capabilities_drop));
    json::Value linux_part = TRY(linux_section());
    json::Value out = json::Value::object();
    out.set("ociVersion", "1.0.2");
    out.set("process", process());
    out.set("root", object({{"path", spec_.rootfs}, {"readonly", spec_.read_only_root}}));
    if (!spec_.host_uts && !spec_.hostname.empty()) out.set("hostname", spec_.hostname);
    if (!spec_.host_uts && !spec_.domainname.empty()) out.set("domainname", spec_.domainname);
    out.set("mounts", mounts());
    if (!spec_.annotations.empty()) {
      json::Value annotations = json::Value::object();
      for (const auto& [name, value] : spec_.annotations) annotations.set(name, value);
      out.set("annotations", std::move(annotations));
    }
    out.set("linux", std::move(linux_part));
    return out;
  }

 private:
  json::Value process() const {
    std::vector<std::string> argv = spec_.argv;
    if (spec_.init) argv.insert(argv.begin(), {kInitInside, "--"});
    // The primary group is listed too: without it a process could drop it and escape rules that deny the group (CVE-2022-36109).
    std::vector<std::uint32_t> groups = {spec_.gid};
    for (auto gid : spec_.additional_gids)
      if (std::find(groups.begin(), groups.end(), gid) == groups.end()) groups.push_back(gid);

    json::Value out = json::Value::object();
    out.set("terminal", spec_.terminal);
    out.set("user", object({{"uid", std::int64_t{spec_.uid}}, {"gid", std::int64_t{spec_.gid}}, {"umask", std::int64_t{spec_.umask}},
                            {"additionalGids", numbers(groups)}}));
    out.set("args", json::from(argv));
    out.set("env", json::from(spec_.env));
    out.set("cwd", spec_.cwd);
    json::Value sets = json::Value::object();
    for (const char* set : {"bounding", "effective", "permitted"}) sets.set(set, json::from(capabilities_));
    out.set("capabilities", std::move(sets));
    if (spec_.no_new_privileges) out.set("noNewPrivileges", true);
    if (spec_.oom_score_adj) out.set("oomScoreAdj", *spec_.oom_score_adj);
    json::Value limits = json::Value::array();
    for (const Rlimit& limit : spec_.rlimits) limits.push(object({{"type", limit.type}, {"hard", limit.hard}, {"soft", limit.soft}}));
    if (!spec_.rlimits.empty()) out.set("rlimits", std::move(limits));
    return out;
  }

  json::Value mounts() const {
    json::Value out = json::Value::array();
    auto add = [&](json::Value entry) {
      std::string destination = entry.string_or("destination");
      for (const BindMount& own : spec_.mounts)
        if (clean_path(own.destination) == destination) return;
      out.push(std::move(entry));
    };
    bool own_network = spec_.network != NetworkMode::host;
    const char* system_access = spec_.privileged ? "rw" : "ro";
    add(mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}));
    add(mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}));
    add(mount("/dev/pts", "devpts", "devpts", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}));
    // sysfs belongs to the network namespace: without rights over that, the host's can only be shown.
    if (facts_.rootless && !own_network) add(mount("/sys", "bind", "/sys", {"rbind", "nosuid", "noexec", "nodev", system_access}));
    else add(mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", system_access}));
    if (facts_.cgroups && !(spec_.lean && !has_limits(spec_.resources)))
      add(mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", spec_.writable_cgroups ? "rw" : system_access}));
    if (!spec_.lean && !spec_.no_shm) {
      if (spec_.host_ipc) add(mount("/dev/mqueue", "bind", "/dev/mqueue", {"rbind", "nosuid", "noexec", "nodev"}));
      else add(mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
    }
    if (spec_.host_ipc) add(mount("/dev/shm", "bind", "/dev/shm", {"rbind", "nosuid", "noexec", "nodev"}));
    else if (!spec_.no_shm) add(mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", format("size={}", spec_.shm_bytes)}));

    std::vector<BindMount> own = spec_.mounts;
    if (spec_.init) own.push_back({.source = facts_.init_program, .destination = kInitInside, .read_only = true});
    auto depth = [](const BindMount& m) {
      std::string clean = clean_path(m.destination);
      return clean == "/" ? 0 : std::count(clean.begin(), clean.end(), '/');
    };
    std::stable_sort(own.begin(), own.end(), [&](const BindMount& a, const BindMount& b) { return depth(a) < depth(b); });
    for (const BindMount& m : own) {
      std::vector<std::string> options;
      if (m.type == "bind") options = {m.recursive ? "rbind" : "bind", m.propagation};
      if (m.read_only) options.emplace_back(m.recursive_read_only ? "rro" : "ro");
      options.insert(options.end(), m.options.begin(), m.options.end());
      out.push(mount(clean_path(m.destination), m.type.c_str(), m.source, options));
    }
    return out;
  }

  json::Value namespaces() const {
    json::Value out = json::Value::array();
    auto add = [&](const char* type) { out.push(object({{"type", type}})); };
    add("mount");
    if (spec_.network == NetworkMode::none) add("network");
    if (spec_.network == NetworkMode::namespace_path) out.push(object({{"type", "network"}, {"path", spec_.network_namespace}}));
    if (!spec_.host_uts) add("uts");
    auto add_or_join = [&](const char* type, const std::string& path) {
      if (path.empty()) add(type);
      else out.push(object({{"type", type}, {"path", path}}));
    };
    if (!spec_.host_pid) add_or_join("pid", spec_.pid_namespace);
    if (!spec_.host_ipc) add_or_join("ipc", spec_.ipc_namespace);
    if (facts_.cgroups && spec_.private_cgroups.value_or(facts_.cgroup_v2)) add("cgroup");
    return out;
  }

  static Result<json::Value> rates(const std::vector<DeviceRate>& list, const char* member) {
    json::Value out = json::Value::array();
    for (const DeviceRate& rate : list) {
      struct stat info {};
      if (::stat(rate.path.c_str(), &info) != 0 || !S_ISBLK(info.st_mode)) return failf(Errc::invalid_argument, "{} is not a block device", rate.path);
      out.push(object({{"major", std::int64_t{::major(info.st_rdev)}}, {"minor", std::int64_t{::minor(info.st_rdev)}}, {member, rate.rate}}));
    }
    return out;
  }

  static Result<json::Value> block_io(const Resources& r) {
    json::Value out = json::Value::object();
    if (r.blkio_weight) out.set("weight", std::int64_t{*r.blkio_weight});
    struct { const char* name; const std::vector<DeviceRate>& list; const char* member; } parts[] = {
        {"weightDevice", r.blkio_weight_device, "weight"}, {"throttleReadBpsDevice", r.read_bps, "rate"}, {"throttleWriteBpsDevice", r.write_bps, "rate"},
        {"throttleReadIOPSDevice", r.read_iops, "rate"}, {"throttleWriteIOPSDevice", r.write_iops, "rate"}};
    for (const auto& part : parts) {
      if (part.list.empty()) continue;
      auto values = TRY(rates(part.list, part.member));
      out.set(part.name, std::move(values));
    }
    return out;
  }

  /// "c 42:* rwm"
  static Result<json::Value> device_rule(const std::string& text) {
    const auto words = split_blanks(text);
    const auto numbers = words.size() == 3 ? split_once(words[1], ':') : std::nullopt;
    if (!numbers || (words[0] != "a" && words[0] != "b" && words[0] != "c")) return failf(Errc::invalid_argument, "invalid device cgroup rule format: '{}'", text);
    json::Value out = object({{"allow", true}, {"type", words[0]}});
    if (numbers->first != "*") out.set("major", parse_int(numbers->first).value_or(0));
    if (numbers->second != "*") out.set("minor", parse_int(numbers->second).value_or(0));
    out.set("access", words[2]);
    return out;
  }

  Result<json::Value> resources(const std::vector<Device>& devices) const {
    json::Value rules = json::Value::array();
    // What every container has (null, zero, tty, ...) is allowed by the runtime itself.
    rules.push(object({{"allow", spec_.privileged}, {"access", "rwm"}}));
    if (!spec_.privileged)
      for (const Device& d : devices)
        rules.push(object({{"allow", true}, {"type", std::string(1, d.type)}, {"major", d.major}, {"minor", d.minor}, {"access", d.access}}));
    for (const std::string& text : spec_.device_rules) {
      auto rule = TRY(device_rule(text));
      rules.push(std::move(rule));
    }
    json::Value out = json::Value::object();
    out.set("devices", std::move(rules));
    const Resources& r = spec_.resources;
    json::Value memory = json::Value::object(), cpu = json::Value::object();
    auto put = [](json::Value& where, const char* name, const auto& value) {
      if (value) where.set(name, *value);
    };
    put(memory, "limit", r.memory);
    put(memory, "swap", r.memory_swap);
    put(memory, "reservation", r.memory_reservation);
    put(memory, "swappiness", r.memory_swappiness);
    if (r.oom_kill_disable) memory.set("disableOOMKiller", true);
    put(cpu, "realtimePeriod", r.cpu_rt_period);
    put(cpu, "realtimeRuntime", r.cpu_rt_runtime);
    put(cpu, "quota", r.cpu_quota);
    put(cpu, "period", r.cpu_period);
    put(cpu, "shares", r.cpu_shares);
    if (!r.cpuset_cpus.empty()) cpu.set("cpus", r.cpuset_cpus);
    if (!r.cpuset_mems.empty()) cpu.set("mems", r.cpuset_mems);
    if (!memory.as_object().empty()) out.set("memory", std::move(memory));
    if (!cpu.as_object().empty()) out.set("cpu", std::move(cpu));
    if (r.pids) out.set("pids", object({{"limit", *r.pids}}));
    auto block = TRY(block_io(r));
    if (!block.as_object().empty()) out.set("blockIO", std::move(block));
    return out;
  }

  json::Value sysctls() const {
    json::Value out = json::Value::object();
    if (spec_.network != NetworkMode::host) {
      out.set("net.ipv4.ip_unprivileged_port_start", "0");
      if (!facts_.rootless) out.set("net.ipv4.ping_group_range", "0 2147483647");
    }
    for (const auto& [name, value] : spec_.sysctls) out.set(name, value);
    return out;
  }

  Result<json::Value> filter() const {
    auto known = seccomp_facts(capabilities_);
    known.x32 = facts_.x32;
    if (spec_.seccomp.empty() || spec_.seccomp == "builtin" || spec_.seccomp == "default") return default_seccomp(known);
    auto text = TRY_DOING(sys::read_file(spec_.seccomp, kMaxProfileBytes), "opening the seccomp profile");
    return seccomp_from_profile(text, known);
  }

  Result<json::Value> linux_section() const {
    std::vector<Device> devices;
    if (spec_.privileged) devices = TRY(host_devices());
    for (const std::string& text : spec_.devices) {
      auto found = TRY(parse_device(text));
      devices.insert(devices.end(), found.begin(), found.end());
    }
    json::Value out = json::Value::object();
    out.set("namespaces", namespaces());
    if (auto values = sysctls(); !values.as_object().empty()) out.set("sysctl", std::move(values));
    json::Value nodes = json::Value::array();
    for (const Device& d : devices)
      nodes.push(object({{"path", d.path}, {"type", std::string(1, d.type)}, {"major", d.major}, {"minor", d.minor},
                         {"fileMode", std::int64_t{d.mode}}, {"uid", std::int64_t{d.uid}}, {"gid", std::int64_t{d.gid}}}));
    if (!devices.empty()) out.set("devices", std::move(nodes));
    if (facts_.cgroups) {
      auto limits = TRY(resources(devices));
      out.set("resources", std::move(limits));
    }
    if (facts_.cgroups && !facts_.cgroup_path.empty()) out.set("cgroupsPath", facts_.cgroup_path);
    if (!spec_.privileged && spec_.seccomp != "unconfined") {
      json::Value calls = TRY(filter());
      out.set("seccomp", std::move(calls));
    }
    if (!spec_.privileged && !spec_.all_paths) {
      out.set("maskedPaths", json::from({std::begin(kMasked), std::end(kMasked)}));
      out.set("readonlyPaths", json::from({std::begin(kReadOnly), std::end(kReadOnly)}));
    }
    std::string propagation;
    for (const BindMount& m : spec_.mounts) {
      if (m.propagation.ends_with("shared")) propagation = "shared";
      else if (m.propagation.ends_with("slave") && propagation.empty()) propagation = "rslave";
    }
    if (!propagation.empty()) out.set("rootfsPropagation", propagation);
    return out;
  }

  const ProcessSpec& spec_;
  const BundleFacts& facts_;
  std::vector<std::string> capabilities_;
};

}  // namespace

Result<json::Value> bundle_config(const ProcessSpec& spec, const BundleFacts& facts) { return Config(spec, facts).build(); }

}  // namespace mica::runtime
