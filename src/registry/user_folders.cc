#include "registry/user_folders.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "base/format.h"
#include "base/text.h"

namespace mica::registry {
namespace {

/// Relative paths in XDG variables are to be ignored, says the specification.
std::string absolute_variable(const char* name) {
  std::string value = variable(name);
  return value.starts_with('/') ? value : "";
}

}  // namespace

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string home_folder() {
  if (std::string home = absolute_variable("HOME"); !home.empty()) return home;
  passwd entry{}, *found = nullptr;
  std::vector<char> buffer(16 << 10);
  if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found) return found->pw_dir;
  return "/";
}

std::string config_home() {
  const std::string named = absolute_variable("XDG_CONFIG_HOME");
  return named.empty() ? join_path(home_folder(), ".config") : named;
}

std::string docker_folder() {
  const std::string named = variable("DOCKER_CONFIG");
  return named.empty() ? join_path(home_folder(), ".docker") : named;
}

std::string containers_runtime_folder() {
  if (const std::string named = absolute_variable("XDG_RUNTIME_DIR"); !named.empty()) return join_path(named, "containers");
  const std::string outside = variable("MICA_ROOTLESS_UID");
  return format("/run/containers/{}", outside.empty() ? std::to_string(::getuid()) : outside);
}

}  // namespace mica::registry
