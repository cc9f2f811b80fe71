/// What goes through a monitor's socket (containers/<id>/monitor): frames of a type, a length and a payload, both ways.
///
///   to the monitor     q  a request, JSON; the first frame of a connection, exactly one
///                      i  bytes for the container's standard input      c  its end
///                      r  the terminal's size: "ROWS COLUMNS"           g  a signal for the first process: its number
///   from the monitor   s  the first process runs: {"pid"}               o, e  bytes of standard output and error
///                      x  it has ended: {"code", "error", "oom"}        k  done: JSON, its result
///                      f  it could not be done: an error, see error_json
///
/// Requests: {"start"} (only from who started the monitor; answered by s or f), {"attach": {"input", "output"}} (s at once, then o, e, x; may come with start),
/// {"wait"} (x at the next end), {"stop": {"signal", "timeout"}} (x), {"kill": NUMBER} (k), {"pause": BOOL} (k), {"ask": ...} (k: for the host).
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "json/json.h"
#include "sys/fd.h"

namespace mica::container {

inline constexpr const char* kMonitorSocket = "monitor";
inline constexpr const char* kMonitorLock = "monitor.lock";

struct Frame {
  char type = 0;
  std::string payload;
};
std::string encode(char type, std::string_view payload);

/// Frames out of bytes as they come.
class FrameReader {
 public:
  void add(std::string_view bytes) { buffer_.append(bytes); }
  /// The next whole frame. Errors: corrupt (one beyond the limit of 16 MiB).
  Result<std::optional<Frame>> next();

 private:
  std::string buffer_;
  std::size_t start_ = 0;
};

/// An error with its code, hint and exit status, and back.
json::Value error_json(const Error& error);
Error error_from_json(std::string_view text);

/// The other end of a monitor's socket.
class MonitorConnection {
 public:
  explicit MonitorConnection(sys::Fd socket) : socket_(std::move(socket)) {}
  /// `folder` is the container's. Errors: not_found or unavailable when no monitor runs.
  static Result<MonitorConnection> open(const std::string& folder);
  const sys::Fd& fd() const { return socket_; }
  Result<> send(char type, std::string_view payload);
  Result<> request(const json::Value& request) { return send('q', json::write(request)); }
  /// Waits for the next frame; nothing at the end of the connection (the monitor died). `stop_fd` readable: cancelled.
  Result<std::optional<Frame>> receive(int stop_fd = -1);
  /// A frame that is here already, or can be read now without waiting.
  Result<std::optional<Frame>> take(bool& ended);

 private:
  sys::Fd socket_;
  FrameReader reader_;
};

}  // namespace mica::container
