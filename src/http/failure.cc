#include "http/failure.h"

#include <poll.h>

#include "base/text.h"
#include "http/environment.h"
#include "http/url.h"

namespace mica::http {
namespace {

using Kind = Failure::Kind;

constexpr long kHandshakeMs = 5000;
constexpr int kProbeMs = 300, kProbeReads = 8;   // an alert follows the handshake at once
// X509_V_ERR_* of OpenSSL's x509_vfy.h, which CURLINFO_SSL_VERIFYRESULT passes on.
constexpr long kNotYetValid = 9, kExpired = 10, kHostMismatch = 62, kAddressMismatch = 64;

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

Kind handshake_kind(std::string_view words) {
  // OpenSSL's words for an answer that is no TLS record, then GnuTLS's.
  if (has(words, "wrong version number") || has(words, "http request") || has(words, "packet length too long") || has(words, "unknown protocol") ||
      has(words, "unexpected TLS packet") || has(words, "record overflow"))
    return Kind::not_tls;
  // TLS 1.2 has no alert of its own for a missing certificate; what else it says by this one (no cipher in common) hardly happens.
  if (has(words, "alert") && (has(words, "handshake failure") || has(words, "certificate required") || has(words, "bad certificate") || has(words, "unknown ca") || has(words, "certificate unknown")))
    return Kind::client_certificate;
  return Kind::tls;
}

Kind certificate_kind(const CurlLibrary& curl, CURL* easy, std::string_view words) {
  long verdict = 0;
  curl.easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
  if (verdict == kExpired || verdict == kNotYetValid || has(words, "expired") || has(words, "not yet valid") || has(words, "not activated")) return Kind::expired;
  if (verdict == kHostMismatch || verdict == kAddressMismatch || has(words, "does not match") || has(words, "no alternative certificate") || has(words, "subject name"))
    return Kind::wrong_host;
  return Kind::untrusted;
}

std::string_view field(const curl_slist* line, std::string_view name) {
  for (; line; line = line->next)
    if (auto pair = split_once(line->data, ':'); pair && pair->first == name) return trim(pair->second);
  return {};
}

/// A connection that is made and does not send anything; null: out of memory.
CURL* prepare_probe(const CurlLibrary& curl, const Request& request, const std::string& url) {
  CURL* easy = curl.easy_init();
  if (!easy) return nullptr;
  curl.easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl.easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
  curl.easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
  curl.easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kHandshakeMs);
  if (auto origin = origin_of(curl, url))
    if (const auto proxy = proxy_for(*origin)) curl.easy_setopt(easy, CURLOPT_PROXY, proxy->c_str());
  if (!request.client_cert.empty()) curl.easy_setopt(easy, CURLOPT_SSLCERT, request.client_cert.c_str());
  if (!request.client_key.empty()) curl.easy_setopt(easy, CURLOPT_SSLKEY, request.client_key.c_str());
  return easy;
}

}  // namespace

Kind failure_kind(const CurlLibrary& curl, CURL* easy, CURLcode code, std::string_view words, int status) {
  long tunnel = 0;
  curl.easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
  if (status == 0 && tunnel >= 300) return Kind::proxy;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return Kind::name;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY: return Kind::proxy;
    case CURLE_COULDNT_CONNECT: return Kind::connect;
    case CURLE_OPERATION_TIMEDOUT: return status == 0 ? Kind::connect : Kind::stalled;
    case CURLE_SSL_CONNECT_ERROR: return handshake_kind(words);
    case CURLE_PEER_FAILED_VERIFICATION: return certificate_kind(curl, easy, words);
    // With TLS 1.3 a server refuses the client's certificate after the handshake, seen from here.
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR: return handshake_kind(words) == Kind::client_certificate ? Kind::client_certificate : Kind::broken;
    default: return Kind::broken;
  }
}

std::string unreachable_proxy(const CurlLibrary& curl, const std::string& url, std::string_view words) {
  constexpr std::string_view kStart = "Failed to connect to ", kPort = " port ";
  const auto start = words.find(kStart), port = words.find(kPort);
  const auto origin = origin_of(curl, url);
  if (start == words.npos || port == words.npos || port < start || !origin) return {};
  const std::string host(words.substr(start + kStart.size(), port - start - kStart.size()));
  const std::string_view rest = words.substr(port + kPort.size());
  const std::string number(rest.substr(0, rest.find_first_not_of("0123456789")));
  if (number.empty() || (equals_ignoring_case(host, origin->host) && number == origin->port)) return {};
  return host + ":" + number;
}

bool asks_for_certificate(const CurlLibrary& curl, const Request& request, const std::string& url) {
  CURL* easy = prepare_probe(curl, request, url);
  if (!easy) return false;
  char words[CURL_ERROR_SIZE] = "";
  curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, words);
  bool asks = false;
  curl_socket_t socket = CURL_SOCKET_BAD;
  if (curl.easy_perform(easy) == CURLE_OK && curl.easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK && socket != CURL_SOCKET_BAD) {
    char bytes[256];
    std::size_t count = 0;
    CURLcode got = CURLE_AGAIN;
    // Session tickets come first: they wake us, too, and are nothing to read.
    for (int i = 0; i < kProbeReads && got == CURLE_AGAIN; ++i) {
      pollfd ready{.fd = socket, .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, kProbeMs) <= 0) break;
      got = curl.easy_recv(easy, bytes, sizeof bytes, &count);
    }
    asks = got != CURLE_OK && got != CURLE_AGAIN && handshake_kind(words) == Kind::client_certificate;
  }
  curl.easy_cleanup(easy);
  return asks;
}

bool is_about_certificate(Kind kind) { return kind == Kind::untrusted || kind == Kind::wrong_host || kind == Kind::expired; }

void read_certificate(const CurlLibrary& curl, const Request& request, Failure& failure) {
  CURL* easy = prepare_probe(curl, request, failure.url);
  if (!easy) return;
  curl.easy_setopt(easy, CURLOPT_CERTINFO, 1L);
  curl_certinfo* chain = nullptr;
  if (curl.easy_perform(easy) == CURLE_OK && curl.easy_getinfo(easy, CURLINFO_CERTINFO, &chain) == CURLE_OK && chain && chain->num_of_certs > 0) {
    const curl_slist* server = chain->certinfo[0];
    failure.subject = field(server, "Subject");
    failure.issuer = field(server, "Issuer");
    failure.valid_from = field(server, "Start date");
    failure.valid_until = field(server, "Expire date");
  }
  curl.easy_cleanup(easy);
}

}  // namespace mica::http
