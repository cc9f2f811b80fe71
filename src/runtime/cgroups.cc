// Why await_attachable(): a process that joins a group makes the kernel take a lock that every fork and exit in the system reads. The
// readers pay nothing for it as long as nobody writes, so the first writer waits for an RCU grace period: 8 to 16 ms on an idle machine
// with 250 ticks a second, a third of all that starting a container takes. Further writers within some 15 ms wait no more. The
// runtime joins its groups some 6 ms after it was started, so the wait is over, or nearly, when somebody else has begun it together
// with the runtime. Joining the group in which one is already takes the same lock, and does nothing else.
// (Median of `runc run true` with pauses of 30 ms between: 31 ms without, 20 ms with. Kernels mounted with favordynmods never wait.)
#include "runtime/cgroups.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/fd.h"
#include "sys/userns.h"

namespace mica::runtime {

namespace {

constexpr std::int64_t kAbandonedSeconds = 3600;

bool controllers_on(const std::string& path) {
  auto text = sys::read_file(path + "/cgroup.controllers", 4096);
  return text && !trim(*text).empty();
}

/// A container that runs programs of systemd's kind may have made groups inside its own.
void remove_group(const std::string& path) {
  if (::rmdir(path.c_str()) == 0 || errno != EBUSY) return;
  if (DIR* dir = ::opendir(path.c_str())) {
    while (const dirent* entry = ::readdir(dir))
      if (entry->d_type == DT_DIR && entry->d_name[0] != '.') remove_group(path + "/" + entry->d_name);
    ::closedir(dir);
  }
  if (::rmdir(path.c_str()) != 0) log::debug("control group stays path={} errno={}", path, errno);
}

/// One hierarchy of /proc/self/mountinfo.
struct Hierarchy {
  std::string_view root, mount, type, options;   // `root`: which group of the hierarchy is to be seen at `mount`
};

std::vector<Hierarchy> hierarchies(std::string_view mountinfo) {
  std::vector<Hierarchy> out;
  for (std::string_view line : split(mountinfo, '\n')) {
    auto words = split_blanks(line);
    auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 7 || words.end() - dash < 4) continue;
    if (dash[1] == "cgroup" || dash[1] == "cgroup2") out.push_back({words[3], words[4], dash[1], dash[3]});
  }
  return out;
}

/// `list` with commas holds every word of `wanted`.
bool holds_all(std::string_view list, std::string_view wanted) {
  auto have = split(list, ',');
  auto want = split(wanted, ',');
  return std::all_of(want.begin(), want.end(), [&](std::string_view word) { return std::find(have.begin(), have.end(), word) != have.end(); });
}

}  // namespace

Cgroups Cgroups::parse(std::string_view mountinfo, bool (*has_controllers)(const std::string& path)) {
  Cgroups out;
  bool v1 = false, v2 = false, v2_controllers = false;
  for (const Hierarchy& one : hierarchies(mountinfo)) {
    out.mounts.emplace_back(one.mount);
    if (one.type == "cgroup2") {
      v2 = true;
      v2_controllers = v2_controllers || has_controllers(out.mounts.back());
    } else if (one.options.find("name=") == std::string_view::npos) {
      v1 = true;
    }
  }
  if (v1) out.layout = v2_controllers ? CgroupLayout::hybrid : CgroupLayout::v1;
  else if (v2) out.layout = CgroupLayout::v2;
  return out;
}

Cgroups Cgroups::of_this_machine() {
  auto text = sys::read_file("/proc/self/mountinfo");
  Cgroups out = parse(text ? *text : "", controllers_on);
  out.writable = !sys::is_rootless() && !out.mounts.empty() &&
                 std::all_of(out.mounts.begin(), out.mounts.end(), [](const std::string& path) { return ::access(path.c_str(), W_OK) == 0; });
  return out;
}

std::string Cgroups::find_own_processes(std::string_view mountinfo, std::string_view groups) {
  for (const Hierarchy& one : hierarchies(mountinfo)) {
    for (std::string_view line : split(groups, '\n')) {
      const auto number = split_once(line, ':');   // NUMBER:CONTROLLERS:PATH
      const auto parts = number ? split_once(number->second, ':') : std::nullopt;
      if (!parts) continue;
      const bool same = one.type == "cgroup2" ? parts->first.empty() : !parts->first.empty() && holds_all(one.options, parts->first);
      std::string_view path = parts->second;
      if (!same || path.starts_with("/..")) continue;
      if (one.root != "/") {
        if (!path.starts_with(one.root)) continue;
        path.remove_prefix(one.root.size());
      }
      return join_path(one.mount, "." + std::string(path)) + "/cgroup.procs";
    }
  }
  return {};
}

void Cgroups::await_attachable() const {
  if (!writable) return;
  // Read now, not at the start: whoever manages this machine's processes may have moved us meanwhile.
  const auto mountinfo = sys::read_file("/proc/self/mountinfo");
  const auto groups = sys::read_file("/proc/self/cgroup");
  const std::string path = mountinfo && groups ? find_own_processes(*mountinfo, *groups) : "";
  if (path.empty()) return;
  auto file = sys::open(path, O_WRONLY);
  auto joined = file ? sys::write_all(*file, "0") : Result<>();   // "0": whoever writes
  if (!joined) log::debug("joining our own control group: {}", joined.error().text());
}

void Cgroups::remove_abandoned(const std::string& parent) const {
  if (!writable) return;
  for (const std::string& mount : mounts) {
    DIR* dir = ::opendir((mount + parent).c_str());
    if (!dir) continue;
    while (const dirent* entry = ::readdir(dir)) {
      struct stat info {};
      if (entry->d_name[0] == '.' || ::fstatat(::dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(info.st_mode)) continue;
      // The kernel refuses while somebody is in it.
      if (now().seconds() - info.st_mtim.tv_sec > kAbandonedSeconds) ::unlinkat(::dirfd(dir), entry->d_name, AT_REMOVEDIR);
    }
    ::closedir(dir);
  }
}

void Cgroups::remove(const std::string& path) const {
  if (!writable) return;
  for (const std::string& mount : mounts) remove_group(mount + path);
}

std::int64_t out_of_memory_kills(const Cgroups& cgroups, const std::string& path) {
  if (path.empty()) return 0;
  for (const auto& mount : cgroups.mounts) {
    for (const char* name : {"/memory.events", "/memory.oom_control"}) {
      const auto text = sys::read_file(mount + path + name, 4096);
      if (!text) continue;
      for (const std::string_view line : split(*text, '\n'))
        if (line.starts_with("oom_kill ")) return parse_int(trim(line.substr(9))).value_or(0);
    }
  }
  return 0;
}

}  // namespace mica::runtime
