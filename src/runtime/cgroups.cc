#include "runtime/cgroups.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "sys/fd.h"
#include "sys/userns.h"

namespace mica::runtime {

namespace {

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

}  // namespace

Cgroups Cgroups::parse(std::string_view mountinfo, bool (*has_controllers)(const std::string& path)) {
  Cgroups out;
  bool v1 = false, v2 = false, v2_controllers = false;
  for (std::string_view line : split(mountinfo, '\n')) {
    auto words = split_blanks(line);
    auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 7 || words.end() - dash < 4) continue;
    std::string_view type = dash[1];
    if (type != "cgroup" && type != "cgroup2") continue;
    out.mounts.emplace_back(words[4]);
    if (type == "cgroup2") {
      v2 = true;
      v2_controllers = v2_controllers || has_controllers(out.mounts.back());
    } else if (dash[3].find("name=") == std::string_view::npos) {
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

void Cgroups::remove(const std::string& path) const {
  if (!writable) return;
  for (const std::string& mount : mounts) remove_group(mount + path);
}

}  // namespace mica::runtime
