/// HTTP client over libcurl, which is opened (dlopen) when the first request is made: linking it would cost every start of mica
/// several milliseconds for the libraries that it pulls in.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "stream/stream.h"
#include "task/task.h"

namespace mica::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "GET";
  std::string url;
  Headers headers;
  stream::Source* body = nullptr;      ///< sent for PUT/POST/PATCH
  std::int64_t body_size = -1;         ///< -1: chunked
  int max_redirects = 10;              ///< Authorization is dropped on another host
  bool verify_tls = true;
  std::string ca_file;                 ///< extra CA bundle; empty: the system's
  std::string client_cert, client_key;
  std::int64_t connect_timeout_ms = 30'000;
  std::int64_t stall_timeout_s = 60;   ///< less than 1 byte/s for so long: unavailable
};

struct Response {
  int status = 0;
  Headers headers;                     ///< of the last response, names in lower case
  std::string final_url;
  /// First header with this lower-case name, or "".
  std::string header(std::string_view name) const;
};

/// Connections are kept between requests; thread-safe (each concurrent request has its own handle from a pool).
class Client {
 public:
  Client();
  ~Client();
  Client(const Client&) = delete;
  /// Runs one request; the body goes to `sink` only for 2xx answers, otherwise its first 64 KiB go to `error_body`.
  /// Errors: unavailable (connection, DNS, TLS: says which, with libcurl's words), cancelled, unsupported (libcurl missing).
  Result<Response> run(const Request& request, stream::Sink& sink, std::string* error_body, task::Cancel cancel);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mica::http
