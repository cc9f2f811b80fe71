/// Who we are at which registry: Docker's config.json, podman's auth files, credential helpers.
///
/// Looked up per registry, first hit wins: DOCKER_AUTH_CONFIG (JSON, only auths), REGISTRY_AUTH_FILE, config.json's credHelpers,
/// credsStore and auths ($DOCKER_CONFIG or ~/.docker), then podman's files ($XDG_RUNTIME_DIR/containers/auth.json,
/// ~/.config/containers/auth.json). Within one file a key with a path ("host/ns/repo", "host/ns") beats "host"; keys in the old URL forms
/// count too. Only config.json is ever written.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/secret.h"

namespace mica::registry {

struct Credential {
  std::string user;
  Secret password;
  Secret identity_token;                 ///< OAuth2 refresh token: `identitytoken`, or a helper's user "<token>"
  Secret registry_token;                 ///< `registrytoken`: sent as the bearer token as it is
  /// Where it was found, for messages: "/root/.docker/config.json", "docker-credential-pass (named in /root/.docker/config.json)".
  std::string source;
  bool anonymous() const { return user.empty() && password.empty() && identity_token.empty() && registry_token.empty(); }
};

/// The key under which a registry's credentials are kept: "docker.io" and its aliases are "https://index.docker.io/v1/", any other host
/// stands for itself (lower case, without scheme and path).
std::string credential_key(std::string_view host);

/// Reads its files when first asked; thread-safe; copies share what was read.
class Credentials {
 public:
  Credentials();
  /// The credential for `host` ("docker.io", "localhost:5000"); anonymous when there is none. `path`: the repository, for keys with
  /// paths. A helper that says that it has none is no error. Errors: invalid_argument (a file that does not parse), unavailable (a
  /// helper that is missing or broken: names helper, its words, and the file that asks for it).
  Result<Credential> find(const std::string& host, const std::string& path = "") const;

  struct Stored {
    std::string where;                   ///< file, or "docker-credential-pass"
    bool plain_text = false;             ///< readable by whoever reads the file
  };
  /// Keeps user and password (or identity token) in the helper that config.json names for the host, else in config.json itself. Unknown members and
  /// other hosts stay as they are; the file is replaced atomically with mode 0600, through a symbolic link.
  /// Errors: invalid_argument (config.json does not parse: it is not touched), unavailable (helper), those of writing.
  Result<Stored> store(const std::string& host, const Credential& credential) const;
  /// Removes it from helper and file. False: there was nothing.
  Result<bool> erase(const std::string& host) const;
  /// Hosts with an entry in any of the files, for "did you mean" hints.
  std::vector<std::string> known_hosts() const;
  /// The config.json that is read and written.
  std::string config_path() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace mica::registry
