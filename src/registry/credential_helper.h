/// Programs that keep credentials: docker-credential-NAME, in the protocol of github.com/docker/docker-credential-helpers.
///
/// One word as argument (get, store, erase, list), the request on standard input, the answer on standard output. A failure is a status
/// other than 0 with the reason on standard *output*.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "task/task.h"

namespace mica::registry {

class CredentialHelper {
 public:
  /// `named_in`: the file and member that ask for it, for messages: "\"credsStore\" in /root/.docker/config.json".
  CredentialHelper(std::string name, std::string named_in, std::int64_t patience_ms = 120'000);

  struct Entry {
    std::string user;                    ///< "<token>": the secret is an identity token
    Secret secret;
  };
  /// Every call: errors: unavailable (missing, broken, no answer in time: names helper, its words and `named_in`), invalid_argument (a
  /// name that is no program's), cancelled.
  /// Nothing when the helper says that it has none.
  Result<std::optional<Entry>> get(const std::string& server, task::Cancel cancel) const;
  Result<> store(const std::string& server, const Entry& entry, task::Cancel cancel) const;
  /// False when the helper says that it had none.
  Result<bool> erase(const std::string& server, task::Cancel cancel) const;
  /// The servers that it has credentials for.
  Result<std::vector<std::string>> list(task::Cancel cancel) const;

  const std::string& program() const { return program_; }   ///< "docker-credential-pass"

 private:
  /// The answer; nothing for "not found".
  Result<std::optional<std::string>> run(const char* action, std::string_view input, const task::Cancel& cancel) const;
  Error broken(std::string_view why) const;

  std::string program_, named_in_;
  std::int64_t patience_ms_;
};

}  // namespace mica::registry
