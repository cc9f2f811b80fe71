#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "cli/commands.h"
#include "sys/fd.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"dir", 0, "string", "Folder for the name (default /usr/local/bin for root,\nelse ~/.local/bin)"},
    {"force", 'f', "", "Also where another docker is there, or would be hidden"},
};

std::string real_path(const std::string& path) {
  char full[PATH_MAX];
  return ::realpath(path.c_str(), full) ? full : "";
}

std::string default_folder() {
  const char* home = std::getenv("HOME");
  return ::geteuid() == 0 || !home ? "/usr/local/bin" : std::string(home) + "/.local/bin";
}

/// The first program called docker in $PATH that is not `self`; empty: there is none.
std::string other_docker(const std::string& self) {
  const char* path = std::getenv("PATH");
  for (const auto folder : split(path ? path : "", ':')) {
    const std::string candidate = std::string(folder) + "/docker";
    if (::access(candidate.c_str(), X_OK) == 0 && real_path(candidate) != self) return candidate;
  }
  return "";
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  const std::string self = real_path("/proc/self/exe"), folder = args.text("dir", default_folder()), name = folder + "/docker";
  if (!args.flag("force")) {
    std::string other = other_docker(self);
    if (other.empty() && ::access(name.c_str(), F_OK) == 0 && real_path(name) != self) other = name;
    if (!other.empty()) return fail(Error(Errc::already_exists, format("{} is another docker", other)).with_hint("--force hides or replaces it"));
  }
  const std::string fresh = format("{}.{}", name, ::getpid());
  if (::symlink(self.c_str(), fresh.c_str()) != 0) return fail_errno(format("making {}", name));
  if (::rename(fresh.c_str(), name.c_str()) != 0) {
    const auto error = fail_errno(format("making {}", name));
    ::unlink(fresh.c_str());
    return error;
  }
  TRY(print(format("{} -> {}\n", name, self)));
  return 0;
}

}  // namespace

constinit const Command kInstallAlias{.usage = "[OPTIONS]",
                                      .summary = "Make mica known by the name of docker",
                                      .aliases = {},
                                      .flags = kFlags,
                                      .least = 0,
                                      .most = 0,
                                      .needs = Needs::nothing,
                                      .run = run};

}  // namespace mica::cli
