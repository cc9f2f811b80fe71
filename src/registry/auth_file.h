/// One file of credentials in Docker's form: config.json, and podman's auth.json, which is the same as far as read here.
///
///   auths        {"HOST": {"auth": base64 of "user:password", "identitytoken", "registrytoken", "username", "password"}, ...}
///   credHelpers  {"HOST": "NAME"}       docker-credential-NAME keeps that host's credentials
///   credsStore   "NAME"                 and this one all others'
///
/// HOST is host[:port], an old URL form ("https://host/v1/"), or has a path ("host/team", "host/team/app"), which goes first.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "json/json.h"
#include "registry/credentials.h"

namespace mica::registry {

struct AuthFile {
  std::string path;                      ///< for messages: where it was read
  json::Value content;                   ///< an object

  /// Nothing when there is no such file. An empty file is an empty object. Errors: invalid_argument (does not parse; its content is
  /// not shown), permission_denied.
  static Result<std::optional<AuthFile>> read(const std::string& path);
  static Result<AuthFile> parse(std::string path, std::string_view text);

  struct Helper {
    std::string name;                    ///< "pass"
    std::string server;                  ///< the key of credHelpers that named it; empty: credsStore did
    std::string named_in;                ///< "\"credsStore\" in /root/.docker/config.json"
  };
  /// Whoever keeps the host's credentials; nothing: `auths` does.
  std::optional<Helper> helper_for(std::string_view host) const;
  /// What `auths` has for the repository `path` at `host`. Errors: invalid_argument (an entry that cannot be decoded).
  Result<std::optional<Credential>> find(std::string_view host, std::string_view path) const;
  /// Has an entry for the host as a whole, be it empty.
  bool has_entry(std::string_view host) const;
  /// Hosts with an entry of any kind.
  std::vector<std::string> hosts() const;

  void set_entry(std::string_view host, const Credential& credential);
  /// An empty entry: how others see that a helper has the credentials.
  void mark(std::string_view host);
  /// Removes every entry for the host as a whole, in whatever form of key. False: there was none.
  bool erase(std::string_view host);
  /// Replaces the file, through symbolic links: mode 0600, the owner stays. Makes missing folders with mode 0700.
  Result<> write() const;
};

}  // namespace mica::registry
