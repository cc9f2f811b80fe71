#include "registry/server.h"

#include "base/format.h"
#include "base/log.h"
#include "registry/server_parts.h"

namespace mica::registry {
namespace {

using http::Answer;
using http::Reply;

Reply not_allowed(Route::Kind kind, const std::string& method) {
  Reply refused = refusal(405, "UNSUPPORTED", format("{} is not possible here", quoted(method)));
  refused.headers.emplace_back("Allow", methods_of(kind));
  return refused;
}

Answer dispatch(const Call& call) {
  const std::string& method = call.request.method;
  const bool get = method == "GET" || method == "HEAD";
  switch (call.route.kind) {
    case Route::Kind::none: return refusal(404, "UNSUPPORTED", "this is a registry: its API is below /v2/");
    case Route::Kind::base:
      if (get) {
        Reply ok = reply(200);
        ok.headers.emplace_back("Content-Type", "application/json");
        ok.body = "{}";
        return ok;
      }
      break;
    case Route::Kind::catalog:
      if (get) return list_repositories(call);
      break;
    case Route::Kind::tags:
      if (get) return list_tags(call);
      break;
    case Route::Kind::referrers:
      if (get) return list_referrers(call);
      break;
    case Route::Kind::document:
      if (get) return get_document(call);
      if (method == "PUT") return put_document(call);
      if (method == "DELETE") return delete_document(call);
      break;
    case Route::Kind::blob:
      if (get) return get_blob(call);
      if (method == "DELETE") return delete_blob(call);
      break;
    case Route::Kind::uploads:
      if (method == "POST") return begin_upload(call);
      break;
    case Route::Kind::upload:
      if (get) return upload_state(call);
      if (method == "PATCH") return append_upload(call);
      if (method == "PUT") return finish_upload(call);
      if (method == "DELETE") return cancel_upload(call);
      break;
  }
  return not_allowed(call.route.kind, method);
}

bool has_repository(Route::Kind kind) { return kind != Route::Kind::none && kind != Route::Kind::base && kind != Route::Kind::catalog; }

Answer look(RegistryServer::State& server, const http::IncomingRequest& request) {
  const Route route = route_of(request.path);
  if (server.passwords && !server.passwords->admits(request.header("authorization"))) {
    Reply refused = refusal(401, "UNAUTHORIZED", "user name and password are needed");
    refused.headers.emplace_back("WWW-Authenticate", "Basic realm=\"registry\", charset=\"UTF-8\"");
    return refused;
  }
  if (has_repository(route.kind) && !is_repository_name(route.repository))
    return refusal(400, "NAME_INVALID", format("{} is no valid repository name", quoted(route.repository)));
  if (server.read_only && has_repository(route.kind) && request.method != "GET" && request.method != "HEAD") {
    if (request.method == "DELETE") return refusal(405, "UNSUPPORTED", "this registry is read-only");
    return refusal(403, "DENIED", "this registry is read-only");
  }
  return dispatch({server, request, route});
}

/// Puts on every reply what every reply has, also on those that come at the end of a body.
void sign(Reply& reply) { reply.headers.emplace_back("Docker-Distribution-Api-Version", "registry/2.0"); }

class Signing : public http::Receiver {
 public:
  explicit Signing(std::unique_ptr<http::Receiver> inner) : inner_(std::move(inner)) {}
  Result<> take(std::span<const unsigned char> bytes) override { return inner_->take(bytes); }
  Reply finish() override {
    Reply reply = inner_->finish();
    sign(reply);
    return reply;
  }

 private:
  std::unique_ptr<http::Receiver> inner_;
};

}  // namespace

Result<std::unique_ptr<RegistryServer>> RegistryServer::create(Storage& storage, const RegistryOptions& options) {
  auto state = std::unique_ptr<State>(new State{.storage = storage, .read_only = options.read_only, .passwords = {}, .uploads = {}});
  if (!options.password_file.empty()) state->passwords = TRY(PasswordFile::read(options.password_file));
  return std::unique_ptr<RegistryServer>(new RegistryServer(std::move(state)));
}

RegistryServer::RegistryServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
RegistryServer::~RegistryServer() = default;

Answer RegistryServer::answer(const http::IncomingRequest& request) {
  Answer answer = look(*state_, request);
  if (auto* receiver = std::get_if<std::unique_ptr<http::Receiver>>(&answer)) return std::make_unique<Signing>(std::move(*receiver));
  sign(std::get<Reply>(answer));
  return answer;
}

Reply reply(int status, std::string location) {
  Reply out{.status = status};
  if (!location.empty()) out.headers.emplace_back("Location", std::move(location));
  return out;
}

Reply refusal(int status, std::string_view code, std::string_view message) {
  json::Value error = json::Value::object();
  error.set("code", code);
  error.set("message", message);
  json::Value list = json::Value::array();
  list.push(std::move(error));
  json::Value document = json::Value::object();
  document.set("errors", std::move(list));
  Reply out = reply(status);
  out.headers.emplace_back("Content-Type", "application/json");
  out.body = json::write(document);
  return out;
}

Reply refusal(const Error& error, std::string_view missing) {
  switch (error.code()) {
    case Errc::not_found: return refusal(404, missing, error.text());
    case Errc::permission_denied: return refusal(403, "DENIED", error.text());
    case Errc::unsupported: return refusal(405, "UNSUPPORTED", error.text());
    case Errc::conflict: return refusal(409, "DENIED", error.text());
    case Errc::resource_exhausted: return refusal(507, "UNKNOWN", error.text());
    default: log::debug("registry: {}", error.text()); return refusal(500, "UNKNOWN", error.text());
  }
}

Reply bad_digest(const Error& error) { return refusal(400, "DIGEST_INVALID", error.text()); }

}  // namespace mica::registry
