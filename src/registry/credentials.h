/// Who we are at which registry: Docker's config.json, podman's auth files, credential helpers.
///
/// Looked up per registry, first hit wins: DOCKER_AUTH_CONFIG (JSON, only auths), REGISTRY_AUTH_FILE, config.json ($DOCKER_CONFIG or
/// ~/.docker), then podman's files ($XDG_RUNTIME_DIR/containers/auth.json or /run/containers/UID/auth.json,
/// $XDG_CONFIG_HOME or ~/.config/containers/auth.json). Within one file a helper (credHelpers, then credsStore) keeps `auths` from being
/// asked; there a key with a path ("host/ns/repo", "host/ns") beats "host", and keys in the old URL forms count too. Only config.json
/// is ever written.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "task/task.h"

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

/// Reads its files when first asked, and asks a helper once for each registry; thread-safe; copies share what was read. The places are
/// those of the environment at the time of construction.
class Credentials {
 public:
  Credentials();
  /// The credential for `host` ("docker.io", "localhost:5000"); anonymous when there is none. `path`: the repository, for keys with
  /// paths. A helper that says that it has none is no error. What cannot be read or asked is an error only when no later place has a
  /// credential; a caller that can do without one may go on anonymously, with a remark. Errors: invalid_argument (a file that does not
  /// parse), permission_denied (a file that cannot be read), unavailable (a helper that is missing or broken: names helper, its
  /// words, and the file that asks for it), cancelled.
  Result<Credential> find(const std::string& host, const std::string& path = "", task::Cancel cancel = {}) const;

  struct Stored {
    std::string where;                   ///< file, or "docker-credential-pass"
    bool plain_text = false;             ///< readable by whoever reads the file
  };
  /// Keeps user and password (or identity token) in the helper that config.json names for the host, else in config.json itself. Unknown members and
  /// other hosts stay as they are; the file is replaced atomically with mode 0600, through a symbolic link.
  /// Errors: invalid_argument (config.json does not parse: it is not touched), unavailable (helper), those of writing.
  Result<Stored> store(const std::string& host, const Credential& credential, task::Cancel cancel = {}) const;
  /// Removes it from helper and file. False: there was nothing. With a helper that is broken (unavailable) the file's part is removed all
  /// the same.
  Result<bool> erase(const std::string& host, task::Cancel cancel = {}) const;
  /// Hosts with an entry in any of the files or in the helper of credsStore, sorted, for "did you mean" hints. What fails is left out.
  std::vector<std::string> known_hosts() const;
  /// The config.json that is read and written.
  std::string config_path() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace mica::registry
