#include "registry/auth_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "registry/host_names.h"
#include "sys/fd.h"

namespace mica::registry {
namespace {

constexpr std::size_t kMaxFile = 16 << 20;

/// A key of `auths`, taken apart.
struct Key {
  std::string host;
  std::string_view path;                 // without slashes at either end
  bool scheme = false;
};

Key take_apart(std::string_view key) {
  Key parts{.host = registry_host(key), .path = {}};
  const auto scheme = key.find("://");
  parts.scheme = scheme != key.npos;
  if (parts.scheme) key.remove_prefix(scheme + 3);
  if (const auto slash = key.find('/'); slash != key.npos) parts.path = trim(key.substr(slash), "/");
  return parts;
}

/// Stands for the host as a whole. Docker takes any URL for that; but the hub's may be those of its web login's tokens
/// (https://index.docker.io/v1/access-token).
bool is_for_host(std::string_view key, std::string_view host) {
  const Key parts = take_apart(key);
  if (!same_registry(parts.host, host)) return false;
  if (parts.path.empty() || parts.path == "v1" || parts.path == "v2") return true;
  return parts.scheme && parts.host != kHub;
}

bool covers(std::string_view folder, std::string_view path) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

const json::Object& members(const json::Value& content, std::string_view name) {
  static const json::Object none;
  const json::Value* value = content.find(name);
  return value && value->is_object() ? value->as_object() : none;
}

/// Keys that may speak for `path` at `host`: longest path first, then the key that Docker would write, then the other forms.
std::vector<std::string_view> matching_keys(const json::Object& auths, std::string_view host, std::string_view path) {
  struct Match {
    std::string_view key;
    std::size_t length;
    bool usual;
  };
  std::vector<Match> found;
  const std::string usual = credential_key(host);
  for (const auto& [key, entry] : auths) {
    if (is_for_host(key, host)) {
      found.push_back({key, 0, key == usual});
    } else if (const Key parts = take_apart(key); !parts.scheme && !parts.path.empty() && same_registry(parts.host, host) && covers(parts.path, path)) {
      found.push_back({key, parts.path.size(), false});
    }
  }
  std::ranges::stable_sort(found, [](const Match& a, const Match& b) { return a.length != b.length ? a.length > b.length : a.usual > b.usual; });
  std::vector<std::string_view> keys;
  for (const Match& match : found) keys.push_back(match.key);
  return keys;
}

Result<Credential> decode(const json::Value& entry) {
  Credential credential{.user = entry.string_or("username"),
                        .password = Secret(entry.string_or("password")),
                        .identity_token = Secret(entry.string_or("identitytoken")),
                        .registry_token = Secret(entry.string_or("registrytoken"))};
  const std::string encoded = entry.string_or("auth");
  if (encoded.empty()) return credential;
  const auto plain = from_base64(trim(encoded));
  const auto parts = plain ? split_once(*plain, ':') : std::nullopt;
  if (!parts) return fail(Errc::invalid_argument, "\"auth\" is not the base64 form of user:password");
  credential.user = parts->first;
  // Some tools pad what they encode.
  credential.password = Secret(std::string(trim_right(parts->second, std::string_view("\0", 1))));
  return credential;
}

/// What a chain of symbolic links ends in, whether it is there or not.
Result<std::string> behind_links(std::string path) {
  for (int links = 0; links < 40; ++links) {
    char target[PATH_MAX];
    const ssize_t length = ::readlink(path.c_str(), target, sizeof target);
    if (length < 0) return path;
    path = join_path(dir_name(path), std::string_view(target, static_cast<std::size_t>(length)));
  }
  return failf(Errc::invalid_argument, "{}: too many symbolic links", quoted(path));
}

/// Indented with tabs, as Docker's client writes it: the file is read by people too.
std::string written(const json::Value& content) {
  const std::string spaced = json::write_pretty(content, 1);
  std::string out;
  for (const std::string_view line : split(spaced, '\n')) {
    const std::size_t depth = line.find_first_not_of(' ');
    if (depth == line.npos) continue;
    out.append(depth, '\t').append(line.substr(depth)) += '\n';
  }
  return out;
}

}  // namespace

Result<AuthFile> AuthFile::parse(std::string path, std::string_view text) {
  AuthFile file{.path = std::move(path), .content = json::Value::object()};
  if (trim(text).empty()) return file;
  auto parsed = json::parse(text);
  if (!parsed) return fail(std::move(parsed.error()).doing(format("reading credentials from {}", file.path)).with_code(Errc::invalid_argument));
  if (!parsed->is_object()) return failf(Errc::invalid_argument, "reading credentials from {}: it holds no JSON object", file.path);
  for (const std::string_view name : {"auths", "credHelpers"})
    if (const json::Value* value = parsed->find(name); value && !value->is_object() && !value->is_null())
      return failf(Errc::invalid_argument, "reading credentials from {}: \"{}\" is no object", file.path, name);
  file.content = std::move(*parsed);
  return file;
}

Result<std::optional<AuthFile>> AuthFile::read(const std::string& path) {
  auto text = sys::read_file(path, kMaxFile);
  if (!text && (text.error().code() == Errc::not_found || text.error().os_number() == ENOTDIR)) return std::nullopt;
  if (!text) return fail(std::move(text.error()).doing("reading credentials"));
  auto file = TRY(parse(path, *text));
  return file;
}

std::optional<AuthFile::Helper> AuthFile::helper_for(std::string_view host) const {
  const json::Object& helpers = members(content, "credHelpers");
  const std::string usual = credential_key(host);
  auto found = std::ranges::find(helpers, usual, &json::Member::first);
  if (found == helpers.end()) found = std::ranges::find_if(helpers, [&](const json::Member& helper) { return is_for_host(helper.first, host); });
  if (found != helpers.end() && found->second.is_string()) {
    // An empty name takes the host out of credsStore.
    if (found->second.as_string().empty()) return std::nullopt;
    return Helper{.name = found->second.as_string(), .server = found->first, .named_in = format("\"credHelpers\" in {}", path)};
  }
  const std::string name = content.string_or("credsStore");
  if (name.empty()) return std::nullopt;
  return Helper{.name = name, .server = "", .named_in = format("\"credsStore\" in {}", path)};
}

Result<std::optional<Credential>> AuthFile::find(std::string_view host, std::string_view path_at_host) const {
  const json::Object& auths = members(content, "auths");
  for (const std::string_view key : matching_keys(auths, host, path_at_host)) {
    const auto entry = std::ranges::find(auths, key, &json::Member::first);
    Credential credential = TRY_DOING(decode(entry->second), format("reading credentials for {} from {}", quoted(key), path));
    if (credential.anonymous()) continue;   // the mark of a helper
    credential.source = path;
    return credential;
  }
  return std::nullopt;
}

bool AuthFile::has_entry(std::string_view host) const {
  return std::ranges::any_of(members(content, "auths"), [&](const json::Member& entry) { return is_for_host(entry.first, host); });
}

std::vector<std::string> AuthFile::hosts() const {
  std::vector<std::string> hosts;
  for (const std::string_view name : {"auths", "credHelpers"})
    for (const auto& [key, value] : members(content, name)) hosts.push_back(registry_host(key));
  return hosts;
}

void AuthFile::set_entry(std::string_view host, const Credential& credential) {
  mark(host);
  json::Value& entry = *content.find("auths")->find(credential_key(host));
  if (!credential.user.empty() || !credential.password.empty()) entry.set("auth", base64(credential.user + ":" + credential.password.reveal()));
  if (!credential.identity_token.empty()) entry.set("identitytoken", credential.identity_token.reveal());
  if (!credential.registry_token.empty()) entry.set("registrytoken", credential.registry_token.reveal());
}

void AuthFile::mark(std::string_view host) {
  json::Value* auths = content.find("auths");
  if (!auths || !auths->is_object()) auths = &content.set("auths", json::Value::object());
  auths->set(credential_key(host), json::Value::object());
}

bool AuthFile::erase(std::string_view host) {
  json::Value* auths = content.find("auths");
  if (!auths || !auths->is_object()) return false;
  return std::erase_if(auths->as_object(), [&](const json::Member& entry) { return is_for_host(entry.first, host); }) > 0;
}

Result<> AuthFile::write() const {
  const std::string target = TRY(behind_links(path));
  TRY(sys::make_directories(dir_name(target), 0700));
  struct stat before{};
  const bool replaces = ::stat(target.c_str(), &before) == 0;
  TRY(sys::write_file_atomically(target, written(content), 0600));
  // sudo keeps HOME in some set-ups: the user's file must not become root's.
  if (replaces && before.st_uid != ::geteuid()) (void)!::chown(target.c_str(), before.st_uid, before.st_gid);
  return {};
}

}  // namespace mica::registry
