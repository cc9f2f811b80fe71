// Trying a credential before it is stored.
#include "base/format.h"
#include "registry/client.h"
#include "registry/request.h"

namespace mica::registry {
namespace {
constexpr const char* kWrong = "check user name and password; some registries want an access token in place of the password";
}

Result<Credential> Client::check_login(const std::string& host, const Credential& credential, task::Cancel cancel) {
  auto endpoint = TRY(session_->hosts.for_host(host));
  const std::string key = endpoint.host;
  // Its own session: what is stored, and the tokens that it gave, must not answer for the new one.
  Session session(session_->http, session_->hosts, session_->credentials, session_->options, session_->clock);
  session.log_in(key, credential);
  Place place(session, std::move(endpoint), key, Access::pull);
  const Call call{.path = "/", .expected = {200, 401, 403}, .doing = format("logging in to {}", key)};
  auto reply = place.ask(call, cancel);
  session_->requests += session.requests;
  std::optional<Error> error;
  if (!reply) error = std::move(reply.error());
  else if (reply->status != 200) error = place.refusal(call, *reply).with_code(Errc::unauthorized);
  if (error) {
    if (error->code() == Errc::unauthorized) return fail(std::move(*error).with_hint(kWrong));
    if (error->code() == Errc::not_found) return fail(std::move(*error).with_hint(format("{} does not look like a registry: check its name", key)));
    return fail(std::move(*error));
  }
  Credential out = credential;
  if (Secret token = session.identity_token(); !token.empty()) {
    out.identity_token = std::move(token);
    out.password = Secret();
  }
  return out;
}

}  // namespace mica::registry
