/// A request as a server gets it, and what a handler answers with.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "stream/stream.h"
#include "sys/fd.h"

namespace mica::http {

struct IncomingRequest {
  std::string method;                                            ///< as sent: "GET"
  std::string path;                                              ///< percent-decoded, without query; may hold any byte but NUL
  std::vector<std::pair<std::string, std::string>> query;        ///< decoded, in order
  std::vector<std::pair<std::string, std::string>> headers;      ///< names in lower case
  std::int64_t content_length = -1;                              ///< -1: not said
  bool chunked = false;

  bool has_body() const { return chunked || content_length > 0; }
  /// First header with this lower-case name, or "".
  std::string_view header(std::string_view name) const;
  /// First parameter of this name.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

/// Takes a request target apart: "/v2/a%2Fb/tags/list?n=3", also in absolute form ("http://host/v2/").
/// Errors: invalid_argument (escapes that are none, a NUL, no path).
Result<> parse_target(std::string_view target, IncomingRequest& into);

/// Percent-encodes what may not stand in a query value as it is.
std::string encode_query(std::string_view text);

/// A byte range of something with `size` bytes, after RFC 9110, 14.1.2. One range is served; several, other units and nonsense count
/// as no range at all. `satisfiable` false: 416.
struct ByteRange {
  std::int64_t offset = 0, length = 0;
  bool whole = true, satisfiable = true;
};
ByteRange parse_range(std::string_view header, std::int64_t size);

/// The body is `file` if there is one, else what `stream` gives (chunked; for long answers that are made while they go out), else `body`.
struct Reply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  struct FilePart {
    sys::Fd file;
    std::int64_t offset = 0, length = 0;
  };
  std::optional<FilePart> file;
  std::unique_ptr<stream::Source> stream;
};

/// Gets a request's body as it comes in. A slow `take` slows the sender down: nothing is read meanwhile. Destroyed without `finish`
/// when the connection breaks.
class Receiver {
 public:
  virtual ~Receiver() = default;
  /// After an error, which the receiver remembers for `finish`, the rest is thrown away.
  virtual Result<> take(std::span<const unsigned char> bytes) = 0;
  virtual Reply finish() = 0;
};

/// Either the reply at once (a body is not looked at), or who takes the body.
using Answer = std::variant<Reply, std::unique_ptr<Receiver>>;

}  // namespace mica::http
