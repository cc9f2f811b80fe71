/// Telling apart why libcurl got no response.
#pragma once
#include <string_view>

#include "http/client.h"
#include "http/curl_library.h"

namespace mica::http {

/// `status`: what had come of the response's headers, 0 when nothing had.
Failure::Kind failure_kind(const CurlLibrary& curl, CURL* easy, CURLcode code, std::string_view words, int status);

bool is_about_certificate(Failure::Kind kind);

/// Fills in what the certificate at failure.url says, by one more handshake that sends nothing. libcurl does not keep the certificate of
/// a handshake that failed; this runs only then. Leaves the members empty when that fails too.
void read_certificate(const CurlLibrary& curl, const Request& request, Failure& failure);

}  // namespace mica::http
