/// Where the repositories of a reference are: mirrors, locations, schemes and certificates, from the files that others have already.
///
/// Read, when present: registries.conf (v2, with registries.conf.d; /etc/containers, ~/.config/containers, CONTAINERS_REGISTRIES_CONF),
/// certs.d of /etc/docker, /etc/containers, /etc/containerd, ~/.config/containers, ~/.config/docker, ~/.config/mica (with containerd's
/// hosts.toml inside), and daemon.json's `insecure-registries` and `registry-mirrors` (/etc/docker, ~/.config/docker). ~/.config is
/// $XDG_CONFIG_HOME when that is set.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "oci/reference.h"

namespace mica::registry {

/// One place that may serve a repository.
struct Endpoint {
  std::string scheme = "https";          ///< tried first
  std::string address;                   ///< host[:port] to connect to: "registry-1.docker.io"
  std::string host;                      ///< host[:port] whose credentials are used: "docker.io"
  std::string prefix = "/v2";            ///< before the repository's path (hosts.toml's override_path changes it)
  std::string path;                      ///< the repository there: "library/alpine"
  std::string query;                     ///< appended to pull requests: "ns=docker.io", or empty
  bool plain_http = false;               ///< http may be tried when https does not answer (loopback, insecure)
  bool verify_tls = true;                ///< false: insecure, certificate errors are tolerated
  std::string ca_file;                   ///< one PEM file with the extra authorities, as long as the Hosts lives; empty: the system's only
  std::string client_cert, client_key;
  bool mirror = false;                   ///< pulls only; any failure moves on to the next place
  bool serves_tags = true, serves_digests = true;
  std::string configured_in;             ///< the file that says so; empty: by default
};

/// Thread-safe; copies share what was read. Loopback addresses may speak plain HTTP; their certificates are verified all the same.
class Hosts {
 public:
  /// Reads nothing yet. `system_root`: the folder that /etc is taken from.
  explicit Hosts(std::string system_root = "/");
  /// Places for a pull, in order of trying: mirrors, then the location. Never empty; mirrors that are not for this kind of reference (tag
  /// or digest) are left out. Errors: permission_denied (blocked, naming the file),
  /// invalid_argument (a configuration file that does not parse, with its line; a .cert without .key).
  Result<std::vector<Endpoint>> for_pull(const oci::Reference& reference) const;
  /// The one place that a push goes to.
  Result<Endpoint> for_push(const oci::Reference& reference) const;
  /// The registry itself, for login (path is empty): a location that registries.conf puts in its place does not count.
  Result<Endpoint> for_host(const std::string& host) const;
  /// What a short name ("app") may stand for, in order: an alias of [aliases], else one a registry of unqualified-search-registries, else
  /// docker.io only. A name that says its registry stands for itself.
  Result<std::vector<oci::Reference>> candidates(std::string_view name) const;
  /// Folders in which a certificate for `address` would be found, for messages.
  std::vector<std::string> certificate_folders(const std::string& address) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace mica::registry
