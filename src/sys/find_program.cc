#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/text.h"
#include "sys/os_failure.h"
#include "sys/process.h"

namespace mica::sys {

namespace {
bool is_program(const std::string& path) {
  struct stat info;
  return ::access(path.c_str(), X_OK) == 0 && ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}
}  // namespace

Result<std::string> find_program(std::string_view name) {
  if (name.find('/') != std::string_view::npos) return std::string(name);  // exec says best what is wrong with it
  const char* path = ::getenv("PATH");
  // An ordinary user's PATH often lacks the folders in which runtimes and network programs are.
  const std::string folders = format("{}:/usr/local/sbin:/usr/sbin:/sbin", path && *path ? path : "/usr/local/bin:/usr/bin:/bin");
  for (const std::string_view folder : split(folders, ':')) {
    if (!folder.starts_with('/') || name.empty()) continue;  // never from wherever we happen to be
    std::string candidate = format("{}/{}", folder, name);
    if (is_program(candidate)) return candidate;
  }
  return failf(Errc::not_found, "program {} was not found in PATH", quoted(name));
}

}  // namespace mica::sys
