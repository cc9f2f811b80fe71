#include "registry/credentials.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "registry/auth_file.h"
#include "registry/credential_helper.h"
#include "registry/host_names.h"
#include "registry/user_folders.h"
#include "sys/fd.h"

namespace mica::registry {
namespace {

constexpr std::string_view kVariable = "DOCKER_AUTH_CONFIG";
constexpr std::string_view kTokenUser = "<token>";

Credential from_helper(const CredentialHelper& helper, const AuthFile& file, CredentialHelper::Entry entry) {
  Credential credential{.source = format("{} (named in {})", helper.program(), file.path)};
  if (entry.user == kTokenUser) {
    credential.identity_token = std::move(entry.secret);
  } else {
    credential.user = std::move(entry.user);
    credential.password = std::move(entry.secret);
  }
  return credential;
}

CredentialHelper::Entry for_helper(const Credential& credential) {
  if (!credential.identity_token.empty()) return {.user = std::string(kTokenUser), .secret = credential.identity_token};
  return {.user = credential.user, .secret = credential.password};
}

/// Keeps two of us from writing config.json at once, each without the other's change. On the folder: no file is left behind.
Result<sys::Fd> lock_folder_of(const std::string& path) {
  const std::string folder = dir_name(path);
  TRY(sys::make_directories(folder, 0700));
  sys::Fd fd = TRY(sys::open(folder, O_RDONLY | O_DIRECTORY));
  while (::flock(fd.get(), LOCK_EX) != 0)
    if (errno != EINTR) break;   // file systems without locks: the change is atomic at least
  return fd;
}

}  // namespace

std::string credential_key(std::string_view host) {
  std::string name = registry_host(host);
  return name == kHub ? std::string(kHubKey) : name;
}

struct Credentials::State {
  std::string variable = registry::variable("DOCKER_AUTH_CONFIG");
  std::string config = join_path(docker_folder(), "config.json");
  std::vector<std::string> before, after;   // files asked before and after config.json

  std::mutex mutex;   // of what follows, and held while a helper runs: two threads that need the same answer ask once
  bool loaded = false;
  std::vector<Result<AuthFile>> files;
  std::map<std::pair<std::string, std::string>, std::optional<CredentialHelper::Entry>> answers;   // by helper and server

  State() {
    if (std::string named = registry::variable("REGISTRY_AUTH_FILE"); !named.empty()) before.push_back(std::move(named));
    after = {join_path(containers_runtime_folder(), "auth.json"), join_path(config_home(), "containers/auth.json")};
  }

  void load() {
    if (loaded) return;
    loaded = true;
    if (!variable.empty()) {
      auto parsed = AuthFile::parse(std::string(kVariable), variable);
      // Nobody expects a variable to start programs.
      if (parsed)
        for (const char* member : {"credHelpers", "credsStore"}) parsed->content.erase(member);
      files.push_back(std::move(parsed));
    }
    auto add = [&](const std::string& path) {
      auto file = AuthFile::read(path);
      if (!file) files.push_back(fail(std::move(file.error())));
      else if (*file) files.push_back(std::move(**file));
    };
    for (const std::string& path : before) add(path);
    add(config);
    for (const std::string& path : after) add(path);
  }

  void forget() {
    loaded = false;
    files.clear();
    answers.clear();
  }

  Result<std::optional<CredentialHelper::Entry>> ask(const CredentialHelper& helper, const std::string& server, const task::Cancel& cancel) {
    const auto known = answers.find({helper.program(), server});
    if (known != answers.end()) return known->second;
    auto entry = TRY(helper.get(server, cancel));
    answers.insert_or_assign({helper.program(), server}, entry);
    return entry;
  }

  Result<std::optional<Credential>> find_in(const AuthFile& file, const std::string& host, const std::string& path, const task::Cancel& cancel) {
    const auto named = file.helper_for(host);
    if (!named) return file.find(host, path);
    const CredentialHelper helper(named->name, named->named_in);
    const std::string usual = credential_key(host);
    auto entry = TRY(ask(helper, usual, cancel));
    // podman asks under the name that its file has.
    if (!entry && !named->server.empty() && named->server != usual) entry = TRY(ask(helper, named->server, cancel));
    if (!entry) return std::nullopt;
    return from_helper(helper, file, std::move(*entry));
  }
};

Credentials::Credentials() : state_(std::make_shared<State>()) {}

Result<Credential> Credentials::find(const std::string& host, const std::string& path, task::Cancel cancel) const {
  const std::lock_guard lock(state_->mutex);
  state_->load();
  std::optional<Error> problem;
  for (const Result<AuthFile>& file : state_->files) {
    auto found = file ? state_->find_in(*file, host, path, cancel) : fail(file.error());
    if (!found && found.error().code() == Errc::cancelled) return fail(std::move(found.error()));
    if (!found && !problem) problem = std::move(found.error());
    if (found && *found) {
      if (problem) log::debug("credentials: {}", problem->text());
      return std::move(**found);
    }
  }
  if (problem) return fail(std::move(*problem));
  return Credential{};
}

Result<Credentials::Stored> Credentials::store(const std::string& host, const Credential& credential, task::Cancel cancel) const {
  const std::lock_guard lock(state_->mutex);
  const sys::Fd folder = TRY(lock_folder_of(state_->config));
  auto read = TRY(AuthFile::read(state_->config));
  AuthFile file = read ? std::move(*read) : AuthFile{.path = state_->config, .content = json::Value::object()};
  state_->forget();
  const auto named = file.helper_for(host);
  if (named) {
    const CredentialHelper helper(named->name, named->named_in);
    TRY(helper.store(credential_key(host), for_helper(credential), cancel));
    file.mark(host);
    TRY_DOING(file.write(), format("keeping the credentials of {}", host));
    return Stored{.where = helper.program()};
  }
  file.set_entry(host, credential);
  TRY_DOING(file.write(), format("keeping the credentials of {}", host));
  return Stored{.where = file.path, .plain_text = true};
}

Result<bool> Credentials::erase(const std::string& host, task::Cancel cancel) const {
  const std::lock_guard lock(state_->mutex);
  state_->forget();
  if (!sys::exists(state_->config)) return false;
  const sys::Fd folder = TRY(lock_folder_of(state_->config));
  auto file = TRY(AuthFile::read(state_->config));
  if (!file) return false;
  bool had = file->erase(host);
  if (had) TRY_DOING(file->write(), format("removing the credentials of {}", host));
  if (const auto named = file->helper_for(host)) {
    const CredentialHelper helper(named->name, named->named_in);
    const std::string key = credential_key(host);
    // Most helpers erase what they do not have without a word.
    const auto there = had ? Result<std::optional<CredentialHelper::Entry>>(std::nullopt) : helper.get(key, cancel);
    TRY(helper.erase(key, cancel));
    had = had || (there && *there);
  }
  return had;
}

std::vector<std::string> Credentials::known_hosts() const {
  const std::lock_guard lock(state_->mutex);
  state_->load();
  std::vector<std::string> hosts;
  for (const Result<AuthFile>& file : state_->files) {
    if (!file) continue;
    std::ranges::move(file->hosts(), std::back_inserter(hosts));
    const std::string store = file->content.string_or("credsStore");
    if (store.empty()) continue;
    for (const std::string& server : CredentialHelper(store, file->path).list({}).value_or(std::vector<std::string>{}))
      hosts.push_back(registry_host(server));
  }
  std::ranges::sort(hosts);
  const auto again = std::ranges::unique(hosts);
  hosts.erase(again.begin(), again.end());
  return hosts;
}

std::string Credentials::config_path() const { return state_->config; }

}  // namespace mica::registry
