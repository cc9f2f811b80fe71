/// One request and its one response: what client.cc repeats along redirects.
#pragma once
#include <memory>
#include <string>

#include "http/client.h"
#include "http/curl_library.h"
#include "http/url.h"

namespace mica::http {

/// An easy handle in a multi handle of its own: the connections that it has open stay with it, and one thread uses it at a time.
class Handle {
 public:
  Handle(const CurlLibrary& curl, CURLSH* share);
  ~Handle();
  Handle(const Handle&) = delete;
  CURL* easy;
  CURLM* multi;
  Origin last;                         ///< to whom its newest connection goes

 private:
  const CurlLibrary& curl_;
};

struct Hop {
  std::string method, url;
  Headers headers;
  bool send_body = false;
  bool follow = true;                  ///< a redirect will be followed: its body and headers are nobody's
};

struct Answer {
  Response response;
  std::string redirect_url;            ///< absolute; empty unless the status is a redirect with a location
  bool body_touched = false;           ///< bytes of the request's body have been read
};

/// Sends `hop` and takes its answer; the body as Client::run says. `share` is set on every use, since a reset forgets it.
Result<Answer> exchange(const CurlLibrary& curl, Handle& handle, CURLSH* share, const Request& request, const Hop& hop, stream::Sink& sink,
                        std::string* error_body, const task::Cancel& cancel);

}  // namespace mica::http
