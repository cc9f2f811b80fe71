/// HTTP client over libcurl, which is opened (dlopen) when the first request is made: linking it would cost every start of mica
/// several milliseconds for the libraries that it pulls in.
///
/// Not done here, but by whoever knows what the request means: repeating it (nothing is sent twice), authentication (the header is
/// the caller's), decoding (no encoding is asked for), limits on the size of a body (the sink's).
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

struct Response {
  int status = 0;
  Headers headers;                     ///< of the last response, names in lower case
  std::string final_url;               ///< what answered, after redirects
  /// Where a redirect that was not followed leads (absolute), because it asks for a body again that has been read already. The
  /// caller may send the request there with a fresh body.
  std::string redirect_url;
  /// First header with this lower-case name, or "".
  std::string header(std::string_view name) const;
};

/// Why no response came, for callers that must tell the kinds apart or say more than libcurl's words.
struct Failure {
  enum class Kind {
    none,                  ///< the request did not fail for a reason of the network
    name,                  ///< no such host
    connect,               ///< refused, no route, or no answer in time
    tls,                   ///< the handshake failed, not for a certificate
    not_tls,               ///< what answered does not speak TLS: mostly plain HTTP
    untrusted,             ///< nobody who is trusted vouches for the certificate
    wrong_host,            ///< the certificate is another host's
    expired,               ///< or not valid yet
    client_certificate,    ///< the server wants one, or refuses ours
    proxy,                 ///< the proxy said no
    stalled,               ///< no byte for too long
    broken,                ///< anything else: connection closed or reset, nonsense received
  };
  Kind kind = Kind::none;
  std::string url;                     ///< what was asked at that moment, after redirects: shown in messages without its query
  /// Of the server's certificate, for untrusted, wrong_host and expired; empty when they could not be learnt.
  std::string subject, issuer, valid_from, valid_until;
  std::string proxy;                   ///< for connect: it was this proxy ("host:port") that could not be reached
};

struct Request {
  std::string method = "GET";
  std::string url;                     ///< http or https
  Headers headers;
  stream::Source* body = nullptr;      ///< sent for PUT/POST/PATCH
  std::int64_t body_size = -1;         ///< -1: chunked
  int max_redirects = 10;              ///< credentials (Authorization, Cookie) are dropped for another scheme, host or port; 0: none
                                       ///< are followed, the 3xx is the answer
  bool verify_tls = true;
  std::string ca_file;                 ///< extra CA bundle beside the system's
  std::string client_cert, client_key;
  std::int64_t connect_timeout_ms = 30'000;
  /// No byte in either direction for so long: unavailable. Time that sink or source take does not count.
  std::int64_t stall_timeout_s = 60;
  std::int64_t answer_timeout_s = 0;   ///< the same, once the request has been sent and no byte of the answer has come; 0: no other
  Failure* failure = nullptr;          ///< set by a run that fails for a reason of the network
  /// Called once, before any byte of the body, with status and headers of the response that is kept (no redirect on the way): for
  /// callers that must look before they take the body. An error ends the request with that error.
  std::function<Result<>(const Response&)> on_headers;
};

/// Connections are kept between requests; thread-safe (each concurrent request has its own handle from a pool).
class Client {
 public:
  Client();
  ~Client();
  Client(const Client&) = delete;
  /// Runs one request; the body goes to `sink` only for 2xx answers (it is not finished), otherwise its first 64 KiB go to
  /// `error_body` (may be null). Any status is a success of this call. Proxies come from the environment as libcurl reads it, plus
  /// HTTP_PROXY; the machine itself is never asked through one. SSL_CERT_FILE and SSL_CERT_DIR replace the system's certificates.
  /// Errors: unavailable (connection, DNS, TLS, a body that ends early, no byte for too long, too many redirects: says which, with
  /// libcurl's words), permission_denied (the server's certificate is not trusted), invalid_argument (URL, certificate files),
  /// cancelled (within some 100 ms), unsupported (libcurl missing, a redirect to another protocol), the sink's, the source's and
  /// on_headers' own. Texts name the URL without its query, which may be signed.
  Result<Response> run(const Request& request, stream::Sink& sink, std::string* error_body, task::Cancel cancel);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mica::http
