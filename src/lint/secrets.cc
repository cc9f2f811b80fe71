#include "lint/secrets.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace mica::lint {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alnum(char c) { return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z'); }
bool is_token_char(char c) { return is_alnum(c) || c == '_' || c == '-'; }
bool is_upper_or_digit(char c) { return is_upper(c) || is_digit(c); }

struct Shape {
  std::string_view prefix;
  std::size_t least = 0, most = 0;    // characters after the prefix
  bool (*is_part)(char) = is_alnum;
  std::string_view kind;
};
constexpr auto kShapes = std::to_array<Shape>({
    {"AKIA", 16, 16, is_upper_or_digit, "an AWS access key"},
    {"ASIA", 16, 16, is_upper_or_digit, "an AWS access key"},
    {"ghp_", 36, 255, is_alnum, "a GitHub token"},
    {"gho_", 36, 255, is_alnum, "a GitHub token"},
    {"ghu_", 36, 255, is_alnum, "a GitHub token"},
    {"ghs_", 36, 255, is_alnum, "a GitHub token"},
    {"ghr_", 36, 255, is_alnum, "a GitHub token"},
    {"github_pat_", 22, 255, is_token_char, "a GitHub token"},
    {"glpat-", 20, 64, is_token_char, "a GitLab token"},
    {"xoxb-", 20, 255, is_token_char, "a Slack token"},
    {"xoxp-", 20, 255, is_token_char, "a Slack token"},
    {"xoxa-", 20, 255, is_token_char, "a Slack token"},
    {"sk_live_", 24, 255, is_alnum, "a Stripe key"},
    {"rk_live_", 24, 255, is_alnum, "a Stripe key"},
    {"AIza", 35, 35, is_token_char, "a Google API key"},
    {"npm_", 36, 36, is_alnum, "an npm token"},
    {"dckr_pat_", 20, 255, is_token_char, "a Docker Hub token"},
    {"pypi-AgEIcHlwaS5vcmc", 20, 1000, is_token_char, "a PyPI token"},
    {"hvs.", 24, 255, is_token_char, "a Vault token"},
});

/// "https://user:password@host" in `text` from the "://" at `at`: the password. Variables and placeholders are none.
std::optional<SecretText> url_password(std::string_view text, std::size_t at) {
  const std::size_t begin = at + 3;
  const std::size_t end = std::min(text.find_first_of("/ \t\r\n\"'`<>|;", begin), text.size());
  const std::string_view authority = text.substr(begin, end - begin);
  const std::size_t host = authority.rfind('@'), colon = authority.find(':');
  if (host == authority.npos || colon == authority.npos || colon > host) return std::nullopt;
  const std::string_view password = authority.substr(colon + 1, host - colon - 1);
  if (password.size() < 3 || password.find_first_of("${}*") != password.npos) return std::nullopt;
  return SecretText{begin + colon + 1, begin + host, "a password in a URL"};
}

}  // namespace

bool is_secret_name(std::string_view name) {
  constexpr auto kWords = std::to_array<std::string_view>({"apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret",
                                                           "token"});
  constexpr auto kHarmless = std::to_array<std::string_view>({"public", "file", "path", "version", "url", "dir"});
  constexpr auto kParts = std::to_array<std::string_view>({"api_key", "client_key", "password", "private_key", "secret", "token", "passphrase"});
  const std::string lower = to_lower(name);
  bool found = false;
  for (const std::string_view word : split(lower, '_')) {
    if (std::ranges::find(kHarmless, word) != kHarmless.end()) return false;
    found |= std::ranges::find(kWords, word) != kWords.end();
  }
  return found || std::ranges::any_of(kParts, [&](std::string_view part) { return lower.find(part) != lower.npos; });
}

std::vector<SecretText> find_secrets(std::string_view text) {
  std::vector<SecretText> found;
  for (const Shape& shape : kShapes)
    for (std::size_t at = text.find(shape.prefix); at != text.npos; at = text.find(shape.prefix, at + 1)) {
      if (at > 0 && is_alnum(text[at - 1])) continue;
      const std::size_t begin = at + shape.prefix.size();
      std::size_t end = begin;
      while (end < text.size() && shape.is_part(text[end])) ++end;
      const std::size_t length = end - begin;
      if (length < shape.least || length > shape.most) continue;
      if (text.substr(at, end - at).ends_with("EXAMPLE")) continue;
      found.push_back({at, end, shape.kind});
    }
  for (std::size_t at = text.find("-----BEGIN "); at != text.npos; at = text.find("-----BEGIN ", at + 1)) {
    const std::size_t end = text.find("-----", at + 11);
    if (end != text.npos && text.substr(at, end - at).find("PRIVATE KEY") != text.npos && end - at < 60)
      found.push_back({at, end + 5, "a private key"});
  }
  for (std::size_t at = text.find("://"); at != text.npos; at = text.find("://", at + 3))
    if (const auto secret = url_password(text, at)) found.push_back(*secret);
  std::ranges::sort(found, {}, &SecretText::begin);
  return found;
}

bool is_credential_file(std::string_view path) {
  constexpr auto kNames = std::to_array<std::string_view>({"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".netrc", "_netrc", ".pypirc", ".npmrc",
                                                           ".git-credentials", ".dockercfg", ".pgpass", ".htpasswd", ".vault-token"});
  constexpr auto kEndings = std::to_array<std::string_view>({".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk"});
  constexpr auto kPairs = std::to_array<std::string_view>({".docker/config.json", ".aws/credentials", ".kube/config", ".azure/accessTokens.json",
                                                           "gcloud/application_default_credentials.json"});
  while (path.ends_with('/')) path.remove_suffix(1);
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (std::ranges::find(kNames, name) != kNames.end()) return true;
  if (std::ranges::any_of(kEndings, [&](std::string_view ending) { return name.size() > ending.size() && name.ends_with(ending); })) return true;
  return std::ranges::any_of(kPairs, [&](std::string_view pair) { return path == pair || (path.ends_with(pair) && path[path.size() - pair.size() - 1] == '/'); });
}

}  // namespace mica::lint
