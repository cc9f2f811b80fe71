/// containerd's hosts.toml (docs/hosts.md there): other places that may serve what a registry has.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace mica::registry {

/// One server in it, with what applies to requests there. `header` and `dial_timeout` are not taken.
struct TomlHost {
  std::string scheme = "https";
  std::string address;                   ///< host[:port]; empty: the registry's own
  std::string prefix = "/v2";            ///< before repository paths
  bool pull = true, resolve = true, push = true;   ///< capabilities
  std::vector<std::string> authorities;  ///< PEM files
  std::string client_cert, client_key;   ///< the same file when it holds both
  bool skip_verify = false;
};

struct HostsToml {
  std::string file;
  TomlHost server;                       ///< asked last
  std::vector<TomlHost> hosts;           ///< before it, in the file's order
};

/// Nothing when `file` is not there. Relative paths of certificates are from its folder. Errors: invalid_argument.
Result<std::optional<HostsToml>> read_hosts_toml(const std::string& file);

}  // namespace mica::registry
