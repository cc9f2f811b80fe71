#include "runtime/devices.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "sys/fd.h"

namespace mica::runtime {

namespace {

constexpr std::string_view kOwnInside[] = {"/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/console", "/dev/fd", "/dev/.udev", "/dev/.lxc"};

void add_node(const struct stat& info, const std::string& inside, const std::string& access, std::vector<Device>& out) {
  out.push_back({.path = inside, .type = S_ISBLK(info.st_mode) ? 'b' : 'c', .major = ::major(info.st_rdev), .minor = ::minor(info.st_rdev),
                 .mode = info.st_mode & 07777, .uid = info.st_uid, .gid = info.st_gid, .access = access});
}

Result<> add_folder(const std::string& host, const std::string& inside, const std::string& access, std::vector<Device>& out) {
  auto folder = TRY(sys::open(host, O_RDONLY | O_DIRECTORY));
  auto names = TRY(sys::list_names(folder));
  for (const std::string& name : names) {
    std::string path = host + "/" + name;
    if (std::find(std::begin(kOwnInside), std::end(kOwnInside), path) != std::end(kOwnInside)) continue;
    auto info = sys::lstat_at(folder, name);
    if (!info) continue;   // gone meanwhile
    if (S_ISDIR(info->st_mode)) TRY(add_folder(path, inside + "/" + name, access, out));
    else if (S_ISCHR(info->st_mode) || S_ISBLK(info->st_mode)) add_node(*info, inside + "/" + name, access, out);
  }
  return {};
}

}  // namespace

Result<std::vector<Device>> parse_device(const std::string& text) {
  auto parts = split(text, ':');
  auto is_access = [](std::string_view word) { return !word.empty() && word.find_first_not_of("rwm") == std::string_view::npos; };
  std::string host(parts[0]), inside = host, access = "rwm";
  if (parts.size() == 2 && is_access(parts[1])) access = parts[1];
  else if (parts.size() >= 2) inside = parts[1];
  if (parts.size() == 3) access = parts[2];
  if (host.empty() || parts.size() > 3 || !is_access(access) || !inside.starts_with('/'))
    return failf(Errc::invalid_argument, "invalid device specification: {}", quoted(text));
  struct stat info {};
  if (::stat(host.c_str(), &info) != 0) return fail_errno(format("looking at device {}", quoted(host)));
  std::vector<Device> out;
  if (S_ISDIR(info.st_mode)) TRY(add_folder(host, inside, access, out));
  else if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) add_node(info, inside, access, out);
  else return failf(Errc::invalid_argument, "{} is not a device", quoted(host));
  return out;
}

Result<std::vector<Device>> host_devices() {
  std::vector<Device> out;
  TRY(add_folder("/dev", "/dev", "rwm", out));
  return out;
}

}  // namespace mica::runtime
