/// Secrets by their looks: names of variables, shapes of tokens, names of files.
#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

namespace mica::lint {

/// "API_TOKEN", "db_password": what BuildKit and hadolint take for the name of a secret. Names that say they are public, a file or a version
/// are not ("TOKEN_FILE").
bool is_secret_name(std::string_view name);

struct SecretText {
  std::size_t begin = 0, end = 0;
  std::string_view kind;            ///< "an AWS access key"
};
/// Tokens of known shapes, private keys, and passwords in URLs.
std::vector<SecretText> find_secrets(std::string_view text);

/// "id_rsa", ".netrc", "server.p12": by the last part of a path; of ".docker/config.json" and ".aws/credentials" by the last two.
bool is_credential_file(std::string_view path);

}  // namespace mica::lint
