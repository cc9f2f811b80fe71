#include "engine/login.h"

#include "base/format.h"
#include "base/text.h"
#include "http/client.h"
#include "oci/reference.h"
#include "registry/client.h"

namespace mica::engine {
namespace {

/// Somebody waits at a terminal: rather an error soon than one more try.
constexpr int kAttempts = 3;

/// A registry client for one question.
struct Asking {
  http::Client http;
  registry::Client client;
  explicit Asking(const Remark& remark) : client(http, registry::Hosts(), registry::Credentials(), {.remark = remark, .attempts = kAttempts}) {}
};

/// The place that is asked first; none when that is `kept`, or nothing can be found out.
std::string other_source(const std::string& server, const std::string& kept, const task::Cancel& cancel) {
  const auto found = registry::Credentials().find(server, "", cancel);
  if (!found || found->anonymous() || found->source.starts_with(kept)) return {};
  return found->source;
}

}  // namespace

Result<std::string> login_server(std::string_view given) {
  std::string key = registry::credential_key(trim(given).empty() ? "docker.io" : trim(given));
  const bool is_url = key.find("://") != key.npos;
  // The grammar of references knows what a host is.
  if (!is_url && !oci::Reference::parse(key + (key.find_first_of(".:") == key.npos ? ":1/x" : "/x")))
    return failf(Errc::invalid_argument, "{} is no name of a registry: HOST or HOST:PORT is wanted", quoted(given));
  return key;
}

Result<std::optional<KnownLogin>> known_login(const std::string& server, task::Cancel cancel) {
  auto found = TRY(registry::Credentials().find(server, "", cancel));
  if (found.anonymous()) return std::nullopt;
  return KnownLogin{.user = std::move(found.user), .source = std::move(found.source)};
}

Result<> try_known_login(const std::string& server, const Remark& remark, task::Cancel cancel) {
  Asking asking(remark);
  const auto credential = TRY(asking.client.credentials().find(server, "", cancel));
  TRY(asking.client.check_login(server, credential, cancel));
  return {};
}

Result<KeptLogin> log_in(const std::string& server, const std::string& user, const Secret& password, const Remark& remark, task::Cancel cancel) {
  if (user.empty()) return fail(Errc::invalid_argument, "a user name is needed");
  if (password.empty()) return fail(Errc::invalid_argument, "password is empty");
  if (user.find(':') != user.npos) return failf(Errc::invalid_argument, "a user name cannot have a colon: {}", quoted(user));
  Asking asking(remark);
  const auto credential = TRY(asking.client.check_login(server, {.user = user, .password = password}, cancel));
  const auto stored = TRY_DOING(registry::Credentials().store(server, credential, cancel), "the login worked, but could not be kept");
  return KeptLogin{.where = stored.where, .plain_text = stored.plain_text, .overruled_by = other_source(server, stored.where, cancel)};
}

Result<LoggedOut> log_out(const std::string& server, task::Cancel cancel) {
  LoggedOut out;
  out.had = TRY(registry::Credentials().erase(server, cancel));
  out.left_in = other_source(server, registry::Credentials().config_path(), cancel);
  return out;
}

}  // namespace mica::engine
