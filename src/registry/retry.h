/// When a request is repeated, and how long that waits.
///
/// Repeated: what a network does (connections that fail or break) and what servers say when they cannot just now (408, 429, 499, 500, 502,
/// 503, 504, 522). Never: other statuses, certificates that are not trusted. The wait doubles from `first_delay_ms` with jitter;
/// Retry-After goes first, and ends the work when it asks for more patience than there is.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "http/client.h"
#include "task/task.h"

namespace mica::registry {

struct ClientOptions;

/// Time and chance, so that tests need not wait. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t monotonic_ms() const = 0;
  virtual Timestamp now() const = 0;
  /// In [0, 1).
  virtual double chance() const = 0;
  /// Errors: cancelled.
  virtual Result<> sleep(std::int64_t ms, const task::Cancel& cancel) const = 0;
};
const Clock& system_clock();

bool is_passing(int status);
bool is_passing(http::Failure::Kind kind);

/// Milliseconds from now that a Retry-After (seconds, or an HTTP date) asks for; nullopt when it says neither.
std::optional<std::int64_t> parse_retry_after(std::string_view value, Timestamp now);
/// "Sun, 06 Nov 1994 08:49:37 GMT", the one form that servers may still send.
std::optional<Timestamp> parse_http_date(std::string_view text);

/// The attempts of one piece of work. Not thread-safe.
class Retry {
 public:
  /// `attempts`: in all, before progress makes them new. `options` must outlive it.
  Retry(const ClientOptions& options, const Clock& clock, int attempts);
  /// Waits until the next attempt, after telling the user why; or returns `why`, with what is to be known of the attempts made, when
  /// there is none. `what`: "reading manifest latest". `retry_after_ms` as the server asked.
  Result<> again(Error why, const std::string& what, std::optional<std::int64_t> retry_after_ms, const task::Cancel& cancel);
  /// Bytes were moved: all attempts are there again, and the next one need not wait.
  void progress();

 private:
  const ClientOptions& options_;
  const Clock& clock_;
  int attempts_, made_ = 1;
  std::int64_t delay_ms_, waited_ms_ = 0;
  bool at_once_ = false;
};

}  // namespace mica::registry
