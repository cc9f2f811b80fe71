#include "engine/layout.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "base/text.h"

namespace mica::engine {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// Who started us, also from inside the namespace where that user is 0.
uid_t real_user() {
  const auto outside = parse_int(variable("MICA_ROOTLESS_UID"));
  return outside ? static_cast<uid_t>(*outside) : ::geteuid();
}

std::string home(uid_t user) {
  if (std::string home = variable("HOME"); home.starts_with('/')) return home;
  passwd entry, *found = nullptr;
  std::vector<char> buffer(16 << 10);
  if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found) return found->pw_dir;
  return "/";
}

}  // namespace

std::string default_root() {
  if (std::string root = variable("MICA_ROOT"); !root.empty()) return root;
  const uid_t user = real_user();
  if (user == 0) return "/var/lib/mica";
  // The XDG base directory specification has relative paths ignored.
  if (const std::string data = variable("XDG_DATA_HOME"); data.starts_with('/')) return join_path(data, "mica");
  return join_path(home(user), ".local/share/mica");
}

}  // namespace mica::engine
