#include "runtime/bundle.h"

#include <doctest/doctest.h>

#include "base/text.h"
#include "sys/fd.h"

using namespace mica;
using runtime::BindMount;
using runtime::BundleFacts;
using runtime::NetworkMode;
using runtime::ProcessSpec;

namespace {

ProcessSpec step() {
  return {.argv = {"/bin/sh", "-c", "make"}, .env = {"PATH=/bin"}, .cwd = "/src", .rootfs = "/r", .hostname = "buildkitsandbox", .lean = true};
}

json::Value config(const ProcessSpec& spec, const BundleFacts& facts = {.cgroup_path = "/mica/x"}) {
  auto got = runtime::bundle_config(spec, facts);
  REQUIRE_MESSAGE(got, got.error().text());
  return *got;
}

/// "process.user.umask" of a config, as JSON; "" when there is none.
std::string at(const json::Value& value, std::string_view path) {
  const json::Value* here = &value;
  for (std::string_view key : split(path, '.'))
    if (here) here = here->find(key);
  return here ? json::write(*here) : "";
}

std::string mount_at(const json::Value& value, std::string_view destination) {
  for (const json::Value& mount : value.find("mounts")->as_array())
    if (mount.string_or("destination") == destination)
      return mount.string_or("type") + " " + mount.string_or("source") + " " + join(mount.strings("options"), ",");
  return "";
}

std::string destinations(const json::Value& value) {
  std::vector<std::string> out;
  for (const json::Value& mount : value.find("mounts")->as_array()) out.push_back(mount.string_or("destination"));
  return join(out, " ");
}

std::string namespaces(const json::Value& value) {
  std::vector<std::string> out;
  for (const json::Value& one : value.find("linux")->find("namespaces")->as_array())
    out.push_back(one.string_or("type") + (one.find("path") ? "=" + one.string_or("path") : ""));
  return join(out, " ");
}

}  // namespace

TEST_CASE("the bundle of a build step, in full but for the filter") {
  json::Value got = config(step());
  CHECK(got.find("linux")->find("seccomp") != nullptr);
  got.find("linux")->erase("seccomp");
  const std::string capabilities =
      R"(["CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FOWNER","CAP_FSETID","CAP_KILL","CAP_SETGID","CAP_SETUID","CAP_SETPCAP","CAP_NET_BIND_SERVICE","CAP_NET_RAW","CAP_SYS_CHROOT","CAP_MKNOD","CAP_AUDIT_WRITE","CAP_SETFCAP"])";
  CHECK(json::write(got) ==
        R"({"ociVersion":"1.0.2","process":{"terminal":false,"user":{"uid":0,"gid":0,"umask":18,"additionalGids":[0]},"args":["/bin/sh","-c","make"],"env":["PATH=/bin"],"cwd":"/src",)"
        R"("capabilities":{"bounding":)" + capabilities + R"(,"effective":)" + capabilities + R"(,"permitted":)" + capabilities + "}},"
        R"("root":{"path":"/r","readonly":false},"hostname":"buildkitsandbox","mounts":[)"
        R"({"destination":"/proc","type":"proc","source":"proc","options":["nosuid","noexec","nodev"]},)"
        R"({"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","strictatime","mode=755","size=65536k"]},)"
        R"({"destination":"/dev/pts","type":"devpts","source":"devpts","options":["nosuid","noexec","newinstance","ptmxmode=0666","mode=0620","gid=5"]},)"
        R"({"destination":"/sys","type":"sysfs","source":"sysfs","options":["nosuid","noexec","nodev","ro"]},)"
        R"({"destination":"/dev/shm","type":"tmpfs","source":"shm","options":["nosuid","noexec","nodev","mode=1777","size=67108864"]}],)"
        R"("linux":{"namespaces":[{"type":"mount"},{"type":"network"},{"type":"uts"},{"type":"pid"},{"type":"ipc"}],)"
        R"("sysctl":{"net.ipv4.ip_unprivileged_port_start":"0","net.ipv4.ping_group_range":"0 2147483647"},)"
        R"("resources":{"devices":[{"allow":false,"access":"rwm"}]},"cgroupsPath":"/mica/x",)"
        R"("maskedPaths":["/proc/asound","/proc/acpi","/proc/interrupts","/proc/kcore","/proc/keys","/proc/latency_stats","/proc/timer_list","/proc/timer_stats","/proc/sched_debug","/proc/scsi","/sys/firmware","/sys/devices/virtual/powercap"],)"
        R"("readonlyPaths":["/proc/bus","/proc/fs","/proc/irq","/proc/sys","/proc/sysrq-trigger"]}})");
}

TEST_CASE("a container has message queues and its control group in addition, a limited step the latter") {
  ProcessSpec spec = step();
  CHECK(destinations(config(spec)) == "/proc /dev /dev/pts /sys /dev/shm");
  spec.resources.memory = 1 << 20;
  CHECK(destinations(config(spec)) == "/proc /dev /dev/pts /sys /sys/fs/cgroup /dev/shm");
  spec.lean = false;
  CHECK(destinations(config(spec)) == "/proc /dev /dev/pts /sys /sys/fs/cgroup /dev/mqueue /dev/shm");
  CHECK(mount_at(config(spec), "/sys/fs/cgroup") == "cgroup cgroup nosuid,noexec,nodev,ro");
  CHECK(destinations(config(spec, {.cgroups = false})) == "/proc /dev /dev/pts /sys /dev/mqueue /dev/shm");
}

TEST_CASE("namespaces follow the modes, and a private control group namespace exists on v2 only") {
  ProcessSpec spec = step();
  CHECK(namespaces(config(spec, {.cgroup_v2 = true})) == "mount network uts pid ipc cgroup");
  spec.network = NetworkMode::host;
  CHECK(namespaces(config(spec)) == "mount uts pid ipc");
  CHECK(at(config(spec), "linux.sysctl") == "");
  spec.network = NetworkMode::namespace_path;
  spec.network_namespace = "/run/n";
  CHECK(namespaces(config(spec)) == "mount network=/run/n uts pid ipc");
  spec.host_pid = spec.host_ipc = spec.host_uts = true;
  CHECK(namespaces(config(spec)) == "mount network=/run/n");
  CHECK(at(config(spec), "hostname") == "");
  CHECK(mount_at(config(spec), "/dev/shm") == "bind /dev/shm rbind,nosuid,noexec,nodev");
}

TEST_CASE("own mounts come after the system's, in order of depth, and replace those at the same place") {
  ProcessSpec spec = step();
  spec.mounts = {{.source = "/h/deep", .destination = "/a/b/c", .read_only = true, .recursive = false},
                 {.source = "/h/dot", .destination = "/a/./b/", .propagation = "rslave"},
                 {.source = "tmpfs", .destination = "/dev/shm", .type = "tmpfs", .options = {"size=1m", "mode=1777"}},
                 {.source = "/h/top", .destination = "/z"}};
  const auto got = config(spec);
  CHECK(destinations(got) == "/proc /dev /dev/pts /sys /z /a/b /dev/shm /a/b/c");
  CHECK(mount_at(got, "/a/b/c") == "bind /h/deep bind,rprivate,ro");
  CHECK(mount_at(got, "/a/b") == "bind /h/dot rbind,rslave");
  CHECK(mount_at(got, "/dev/shm") == "tmpfs tmpfs size=1m,mode=1777");
  CHECK(at(got, "linux.rootfsPropagation") == R"("rslave")");
}

TEST_CASE("privileged: all devices and capabilities, no filter, no masks, writable system folders") {
  ProcessSpec spec = step();
  spec.privileged = true;
  spec.lean = false;
  const auto got = config(spec);
  CHECK(at(got, "linux.seccomp") == "");
  CHECK(at(got, "linux.maskedPaths") == "");
  CHECK(at(got, "linux.readonlyPaths") == "");
  CHECK(mount_at(got, "/sys") == "sysfs sysfs nosuid,noexec,nodev,rw");
  CHECK(mount_at(got, "/sys/fs/cgroup") == "cgroup cgroup nosuid,noexec,nodev,rw");
  CHECK(at(got, "linux.resources.devices") == R"([{"allow":true,"access":"rwm"}])");
  CHECK(at(got, "linux.devices").find("/dev/null") != std::string::npos);
  CHECK(at(got, "linux.devices").find("/dev/pts/") == std::string::npos);
}

TEST_CASE("a device is made and allowed") {
  ProcessSpec spec = step();
  spec.devices = {"/dev/null:/dev/nothing:r"};
  const auto got = config(spec);
  CHECK(at(got, "linux.devices").starts_with(R"([{"path":"/dev/nothing","type":"c","major":1,"minor":3,"fileMode":438,)"));
  CHECK(at(got, "linux.resources.devices") == R"([{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":1,"minor":3,"access":"r"}])");
  spec.devices = {"/nowhere"};
  CHECK_FALSE(runtime::bundle_config(spec, {}));
}

TEST_CASE("limits and the rest of the process") {
  ProcessSpec spec = step();
  spec.uid = 1000;
  spec.gid = 100;
  spec.additional_gids = {50, 100, 51};
  spec.umask = 077;
  spec.no_new_privileges = true;
  spec.oom_score_adj = -5;
  spec.rlimits = {{"RLIMIT_NOFILE", 10, 20}};
  spec.resources = {.memory = 100, .memory_swap = 200, .cpu_quota = 150000, .cpu_shares = 512, .pids = 7, .cpu_period = 100000, .cpuset_cpus = "0-1"};
  spec.sysctls = {{"net.ipv4.ping_group_range", "0 0"}, {"kernel.msgmax", "1"}};
  spec.annotations = {{"a.b", "c"}};
  const auto got = config(spec);
  CHECK(at(got, "process.user") == R"({"uid":1000,"gid":100,"umask":63,"additionalGids":[100,50,51]})");
  CHECK(at(got, "process.noNewPrivileges") == "true");
  CHECK(at(got, "process.oomScoreAdj") == "-5");
  CHECK(at(got, "process.rlimits") == R"([{"type":"RLIMIT_NOFILE","hard":20,"soft":10}])");
  CHECK(at(got, "linux.resources.memory") == R"({"limit":100,"swap":200})");
  CHECK(at(got, "linux.resources.cpu") == R"({"quota":150000,"period":100000,"shares":512,"cpus":"0-1"})");
  CHECK(at(got, "linux.resources.pids") == R"({"limit":7})");
  CHECK(at(got, "linux.sysctl") == R"({"net.ipv4.ip_unprivileged_port_start":"0","net.ipv4.ping_group_range":"0 0","kernel.msgmax":"1"})");
  CHECK(at(got, "annotations") == R"({"a.b":"c"})");
}

TEST_CASE("without root: no limits, the host's /sys only with the host's network, no group sysctl") {
  ProcessSpec spec = step();
  spec.resources.memory = 1 << 20;
  const BundleFacts facts{.rootless = true, .cgroups = false};
  CHECK(at(config(spec, facts), "linux.resources") == "");
  CHECK(at(config(spec, facts), "linux.cgroupsPath") == "");
  CHECK(at(config(spec, facts), "linux.sysctl") == R"({"net.ipv4.ip_unprivileged_port_start":"0"})");
  CHECK(mount_at(config(spec, facts), "/sys").starts_with("sysfs "));
  spec.network = NetworkMode::host;
  CHECK(mount_at(config(spec, facts), "/sys") == "bind /sys rbind,nosuid,noexec,nodev,ro");
}

TEST_CASE("an init goes before the command and is mounted from the host") {
  ProcessSpec spec = step();
  spec.init = true;
  const auto got = config(spec, {.init_program = "/usr/bin/catatonit"});
  CHECK(at(got, "process.args") == R"(["/sbin/docker-init","--","/bin/sh","-c","make"])");
  CHECK(mount_at(got, "/sbin/docker-init") == "bind /usr/bin/catatonit rbind,rprivate,ro");
}

TEST_CASE("the filter is the default one, none, or a file's") {
  auto folder = sys::TempDir::create("/tmp", "bundle-test");
  REQUIRE(folder);
  const std::string file = folder->path() + "/profile.json";
  REQUIRE(sys::write_file(file, R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["chmod"],"action":"SCMP_ACT_ERRNO"}]})"));
  ProcessSpec spec = step();
  CHECK(at(config(spec), "linux.seccomp.defaultAction") == R"("SCMP_ACT_ERRNO")");
  spec.seccomp = "builtin";
  CHECK(at(config(spec), "linux.seccomp.defaultAction") == R"("SCMP_ACT_ERRNO")");
  spec.seccomp = "unconfined";
  CHECK(at(config(spec), "linux.seccomp") == "");
  spec.seccomp = file;
  CHECK(at(config(spec), "linux.seccomp.defaultAction") == R"("SCMP_ACT_ALLOW")");
  spec.seccomp = folder->path() + "/missing";
  auto got = runtime::bundle_config(spec, {});
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == Errc::not_found);
}
