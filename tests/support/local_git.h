/// Lets the git program find repositories on disk under URLs of a server, for tests of what takes such URLs only.
#pragma once
#include <cstdlib>
#include <string>

namespace mica::testing {

/// While this lives, `url` PATH means the repository `folder`/PATH to git, through its own environment.
class LocalGit {
 public:
  LocalGit(const std::string& url, const std::string& folder) {
    ::setenv("GIT_CONFIG_COUNT", "1", 1);
    ::setenv("GIT_CONFIG_KEY_0", ("url.file://" + folder + "/.insteadOf").c_str(), 1);
    ::setenv("GIT_CONFIG_VALUE_0", url.c_str(), 1);
    ::setenv("GIT_ALLOW_PROTOCOL", "file", 1);
  }
  LocalGit(const LocalGit&) = delete;
  LocalGit& operator=(const LocalGit&) = delete;
  ~LocalGit() {
    for (const char* name : {"GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0", "GIT_ALLOW_PROTOCOL"}) ::unsetenv(name);
  }
};

}  // namespace mica::testing
