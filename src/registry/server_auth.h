/// Who may use a registry server: user names and password hashes in a file, as `htpasswd -B` writes it.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/guarded.h"

namespace mica::registry {

/// Lines "user:hash"; blank ones and those with '#' in front do not count. Hashes are bcrypt, or another kind that the system's
/// libcrypt checks by prefix ($2y$, $5$, $6$, $y$). The file is read again when it has changed. Thread-safe.
class PasswordFile {
 public:
  /// Errors: invalid_argument (a line without colon, a hash of a kind that is not accepted: names the line), not_found, unsupported (no libcrypt).
  static Result<std::unique_ptr<PasswordFile>> read(const std::string& path);
  /// Checks the value of an Authorization header. A wrong user takes as long as a wrong password.
  bool admits(std::string_view authorization);

 private:
  struct State {
    std::map<std::string, std::string, std::less<>> hashes;
    std::string stamp;                                ///< of the file
    std::map<std::string, std::string> admitted;      ///< user: keyed digest of the password that matched, since hashing is slow on purpose
    std::string key;                                  ///< random, so that what is remembered is of no use elsewhere
  };
  PasswordFile(std::string path, State state) : path_(std::move(path)), state_(std::move(state)) {}
  static Result<State> load(const std::string& path);
  std::string path_;
  Guarded<State> state_;
};

}  // namespace mica::registry
