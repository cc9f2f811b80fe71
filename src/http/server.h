/// HTTP/1.1 server over libmicrohttpd, which is opened (dlopen) when the first server starts.
///
/// Every connection has a thread of its own, so a handler, a Receiver and a Reply's stream may simply block: on a disk, on a lock, on
/// something that has yet to happen. While one takes its time nothing is read from its connection, and TCP tells the sender. Files go
/// out by sendfile where there is no TLS. Bodies are never held in memory here.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "http/incoming.h"
#include "task/task.h"

namespace mica::http {

struct ServerOptions {
  std::string address = "127.0.0.1:0";           ///< see listen_on()
  std::string certificate, key;                  ///< PEM texts; both or none: TLS or not
  unsigned max_connections = 256;                ///< beyond it a new connection is closed at once
  unsigned idle_seconds = 60;                    ///< without a byte in either direction
  std::size_t max_header_bytes = 32 << 10;       ///< of a request's target and headers; beyond: 431 (414 for the target)
};

class Server {
 public:
  /// Called on many threads at a time, once the header of a request is there.
  using Handler = std::function<Answer(const IncomingRequest&)>;

  /// Accepts connections from now on. Errors: those of listen_on(); unsupported (no library); invalid_argument (certificate or key).
  static Result<Server> start(ServerOptions options, Handler handler);
  Server(Server&&) noexcept;
  /// Breaks off what is under way.
  ~Server();

  const std::string& address() const;            ///< "127.0.0.1:45123"
  bool is_loopback() const;
  /// Until the token stops. Then takes no more connections, and gives requests under way a few seconds to end.
  void serve(task::Cancel cancel);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mica::http
