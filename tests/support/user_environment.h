/// A user of its own for a test: a temporary HOME with the variables that lead into it, programs in front of PATH, and the test's
/// variables, all as before when this dies.
#pragma once
#include <sys/stat.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <string>

#include "base/text.h"
#include "sys/fd.h"

namespace mica::support {

class UserEnvironment {
 public:
  UserEnvironment() : folder_(sys::TempDir::create(std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp", "mica-user").value()) {
    for (const char* name : {"DOCKER_CONFIG", "DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE", "XDG_CONFIG_HOME", "CONTAINERS_REGISTRIES_CONF"}) set(name, "");
    set("HOME", home());
    set("XDG_RUNTIME_DIR", home() + "/run");
    const char* path = std::getenv("PATH");
    set("PATH", home() + "/bin:" + (path ? path : "/usr/bin:/bin"));
    sys::make_directories(home() + "/bin").value();
  }
  ~UserEnvironment() {
    for (const auto& [name, value] : before_) value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }
  UserEnvironment(const UserEnvironment&) = delete;

  const std::string& home() const { return folder_.path(); }
  void set(const std::string& name, const std::string& value) {
    const char* now = std::getenv(name.c_str());
    before_.try_emplace(name, now ? std::optional<std::string>(now) : std::nullopt);
    value.empty() ? ::unsetenv(name.c_str()) : ::setenv(name.c_str(), value.c_str(), 1);
  }
  /// Below HOME, with its folders.
  std::string write(const std::string& path, std::string_view text) const {
    const std::string full = home() + "/" + path;
    sys::make_directories(dir_name(full)).value();
    sys::write_file(full, text).value();
    return full;
  }
  void program(const std::string& name, std::string_view script) const { ::chmod(write("bin/" + name, script).c_str(), 0755); }

 private:
  sys::TempDir folder_;
  std::map<std::string, std::optional<std::string>> before_;
};

}  // namespace mica::support
