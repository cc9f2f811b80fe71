#include "base/format.h"
#include "base/text.h"
#include "registry/request.h"

namespace mica::registry {

Session::Session(http::Client& http, Hosts hosts, Credentials credentials, ClientOptions options, const Clock& clock)
    : http(http), hosts(std::move(hosts)), credentials(std::move(credentials)), options(std::move(options)), clock(clock),
      tokens(http, this->options, clock, [this] { ++requests; }) {}

void Session::remark(const std::string& line) const {
  if (options.remark) options.remark(line);
}

const Asker& Session::asker(const std::string& host, const std::string& path) {
  std::lock_guard lock(asking_);
  const auto [found, is_new] = askers_.try_emplace(host + "/" + path);
  Asker& asker = found->second;
  if (!is_new) return asker;
  asker.looked_up = host;
  auto account = credentials.find(host, path);
  if (account) {
    asker.account = std::move(*account);
  } else {
    // The content may be public: a broken helper is named, and again when access is denied.
    asker.trouble = account.error().text();
    remark(format("going on without credentials for {}: {}", host, account.error().text()));
  }
  if (asker.account.anonymous())
    for (std::string& other : credentials.known_hosts())
      if (asker.others.size() < 5) asker.others.push_back(std::move(other));
  return asker;
}

void Session::log_in(const std::string& host, Credential account) {
  std::lock_guard lock(asking_);
  askers_[host + "/"] = {.account = std::move(account), .looked_up = host};
  login_ = true;
}
Secret Session::identity_token() { return memory_.lock()->identity_token; }
void Session::keep_identity_token(const Secret& token) {
  if (!token.empty()) memory_.lock()->identity_token = token;
}

void Session::note_warnings(const http::Response& response, const std::string& host) {
  for (const auto& [name, value] : response.headers) {
    if (name != "warning" || !value.starts_with("299 ")) continue;
    const auto open = value.find('"'), close = value.rfind('"');
    if (open == value.npos || close <= open) continue;
    const std::string text = printable(replace_all(value.substr(open + 1, close - open - 1), "\\\"", "\""));
    if (memory_.lock()->warnings.insert(text).second) remark(format("{} warns: {}", host, text));
  }
}

std::optional<Challenge> Session::challenge(const std::string& origin) {
  auto memory = memory_.lock();
  const auto found = memory->challenges.find(origin);
  return found == memory->challenges.end() ? std::nullopt : std::optional(found->second);
}
void Session::remember(const std::string& origin, const Challenge& challenge) { memory_.lock()->challenges[origin] = challenge; }

std::string Session::known_scheme(const std::string& address) {
  auto memory = memory_.lock();
  const auto found = memory->schemes.find(address);
  return found == memory->schemes.end() ? "" : found->second;
}
void Session::remember_scheme(const std::string& address, const std::string& scheme) {
  auto memory = memory_.lock();
  // A host that has once spoken TLS is never asked in the clear again.
  std::string& known = memory->schemes[address];
  if (known != "https") known = scheme;
}

UploadStyle Session::style(const std::string& address) { return memory_.lock()->styles[address]; }
void Session::change_style(const std::string& address, const std::function<void(UploadStyle&)>& change) { change(memory_.lock()->styles[address]); }

bool Session::is_passed_over(const std::string& address) { return memory_.lock()->passed_over.contains(address); }
void Session::pass_over(const std::string& address) { memory_.lock()->passed_over.insert(address); }

}  // namespace mica::registry
