/// Bearer tokens (distribution's token and OAuth2 specs): asked for once, shared by all who need the same, renewed before they expire.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/secret.h"
#include "registry/credentials.h"
#include "registry/retry.h"
#include "registry/scopes.h"
#include "task/task.h"

namespace mica::registry {

/// What a token is for. Equal questions get one token.
struct TokenQuestion {
  std::string realm, service;            ///< of the challenge
  std::string host;                      ///< whose credentials these are, for messages
  Credential account;
  Scopes scopes;
  bool registry_is_https = true;         ///< then a password goes to an https realm only
  bool offline = false;                  ///< asks for an identity token too: what login does
  // How the realm is reached when it is at the registry's own origin.
  std::string registry_url;
  bool verify_tls = true;
  std::string ca_file, client_cert, client_key;
};

struct Token {
  Secret value;
  Secret identity_token;                 ///< the answer to `offline`; empty when the service gives none
  std::int64_t expires_ms = 0;           ///< on the clock's monotonic scale, less a margin
  bool fresh = false;                    ///< fetched by this very call
};

/// Thread-safe.
class Tokens {
 public:
  /// `count`: called for each request made. All must outlive this.
  Tokens(http::Client& http, const ClientOptions& options, const Clock& clock, std::function<void()> count);
  ~Tokens();
  /// Waits for whoever is fetching the same. Errors: unauthorized (the service refuses the account: names it, its source and `logout`),
  /// permission_denied (a realm that must not see a password), unavailable (trouble at the service, with its URL), cancelled.
  Result<Token> find(const TokenQuestion& question, task::Cancel cancel);
  /// One that is there already and has not expired.
  std::optional<Token> cached(const TokenQuestion& question);
  /// `used` was refused: it is not given out again. Nothing when another one has taken its place meanwhile.
  void drop(const TokenQuestion& question, const Secret& used);

 private:
  struct Entry;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mica::registry
