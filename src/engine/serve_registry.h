/// `registry serve`: a registry over a layout folder or over this store.
#pragma once
#include <functional>
#include <string>

#include "engine/engine.h"

namespace mica::engine {

struct ServeRegistry {
  std::string address = "127.0.0.1:0";       ///< see http::listen_on()
  std::string layout;                        ///< folder; empty: the engine's own store
  std::string password_file;                 ///< empty: no passwords
  std::string certificate_file, key_file;    ///< PEM; both or none
  bool read_only = false;
};
struct Serving {
  std::string address;                       ///< "127.0.0.1:5001", "unix:/run/x.sock"
  bool tls = false, loopback = true;
};
/// Serves until the token stops; `ready` is called once connections are accepted. `engine` may be null with a layout.
/// Errors: invalid_argument, conflict (address in use; a folder with other things), not_found, unsupported (a library is missing).
Result<> serve_registry(Engine* engine, const ServeRegistry& request, const std::function<void(const Serving&)>& ready, task::Cancel cancel);

}  // namespace mica::engine
