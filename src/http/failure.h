/// Telling apart why libcurl got no response.
#pragma once
#include <string_view>

#include "http/client.h"
#include "http/curl_library.h"

namespace mica::http {

/// `status`: what had come of the response's headers, 0 when nothing had.
Failure::Kind failure_kind(const CurlLibrary& curl, CURL* easy, CURLcode code, std::string_view words, int status);

/// "host:port" of the proxy that libcurl's `words` say it could not connect to; empty: it was the host of `url` itself, or words do not tell.
std::string unreachable_proxy(const CurlLibrary& curl, const std::string& url, std::string_view words);

/// After a request broke off before any answer: whether the server wants a client certificate. With TLS 1.3 it says so only after the handshake, and
/// what it says is lost when our request is cut off first. One more handshake, which then listens for a moment.
bool asks_for_certificate(const CurlLibrary& curl, const Request& request, const std::string& url);

bool is_about_certificate(Failure::Kind kind);

/// Fills in what the certificate at failure.url says, by one more handshake that sends nothing. libcurl does not keep the certificate of
/// a handshake that failed; this runs only then. Leaves the members empty when that fails too.
void read_certificate(const CurlLibrary& curl, const Request& request, Failure& failure);

}  // namespace mica::http
