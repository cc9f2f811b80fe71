#include "engine/serve_registry.h"

#include "base/format.h"
#include "engine/layout_registry.h"
#include "engine/store_registry.h"
#include "http/server.h"
#include "registry/server.h"

namespace mica::engine {
namespace {

constexpr std::size_t kMaxPemBytes = 1 << 20;

Result<http::ServerOptions> options_of(const ServeRegistry& request) {
  http::ServerOptions options{.address = request.address};
  if (request.certificate_file.empty() != request.key_file.empty())
    return fail(Errc::invalid_argument, "TLS needs both a certificate and its key");
  if (request.certificate_file.empty()) return options;
  options.certificate = TRY_DOING(sys::read_file(request.certificate_file, kMaxPemBytes), format("reading the certificate {}", request.certificate_file));
  options.key = TRY_DOING(sys::read_file(request.key_file, kMaxPemBytes), format("reading the key {}", request.key_file));
  return options;
}

}  // namespace

Result<> serve_registry(Engine* engine, const ServeRegistry& request, const std::function<void(const Serving&)>& ready, task::Cancel cancel) {
  auto options = TRY(options_of(request));
  std::unique_ptr<registry::Storage> storage;
  if (!request.layout.empty()) {
    storage = TRY(layout_registry(request.layout, request.read_only));
  } else {
    MICA_ASSERT(engine, "the store is served by its engine");
    storage = store_registry(*engine, cancel);
  }
  const auto registry = TRY(registry::RegistryServer::create(*storage, {.read_only = request.read_only, .password_file = request.password_file}));
  auto server = TRY(http::Server::start(std::move(options), [&](const http::IncomingRequest& incoming) { return registry->answer(incoming); }));
  ready({.address = server.address(), .tls = !request.certificate_file.empty(), .loopback = server.is_loopback()});
  server.serve(cancel);
  return {};
}

}  // namespace mica::engine
