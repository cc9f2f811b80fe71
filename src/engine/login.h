/// login and logout: credentials are tried at the registry, then kept where Docker's configuration has them. No store is opened.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/secret.h"
#include "task/task.h"

namespace mica::engine {

/// The name under which a registry's credentials are kept, for "HOST", "https://HOST/v1/", "HOST/path"; "" is the hub
/// ("https://index.docker.io/v1/"). Errors: invalid_argument (no name of a host).
Result<std::string> login_server(std::string_view given);

/// A line for the user while it goes on.
using Remark = std::function<void(std::string)>;

struct KnownLogin {
  std::string user;                      ///< may be empty: a token says it all
  std::string source;                    ///< the file or helper that has it
};
/// What is stored for `server`. Errors: those of registry::Credentials::find.
Result<std::optional<KnownLogin>> known_login(const std::string& server, task::Cancel cancel);
/// Tries what is stored. Errors: unauthorized (it does not count any more), unavailable, permission_denied (blocked), cancelled.
Result<> try_known_login(const std::string& server, const Remark& remark, task::Cancel cancel);

struct KeptLogin {
  std::string where;                     ///< a file, or "docker-credential-pass"
  bool plain_text = false;
  std::string overruled_by;              ///< another place with credentials for this server, which is asked before; empty: none
};
/// Tries user and password, then keeps them, or the identity token that the registry gave for them. When they are refused nothing is
/// written. Errors: as try_known_login; invalid_argument (an empty name or password; config.json does not parse).
Result<KeptLogin> log_in(const std::string& server, const std::string& user, const Secret& password, const Remark& remark, task::Cancel cancel);

struct LoggedOut {
  bool had = false;                      ///< something was stored
  std::string left_in;                   ///< a place that mica does not write and that still has credentials; empty: none
};
/// Errors: unavailable (the helper; what config.json itself had is removed all the same), invalid_argument, those of writing.
Result<LoggedOut> log_out(const std::string& server, task::Cancel cancel);

}  // namespace mica::engine
