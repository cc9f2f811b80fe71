#include "registry/retry.h"

#include <poll.h>
#include <sys/random.h>
#include <time.h>

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "registry/client.h"

namespace mica::registry {
namespace {

constexpr std::int64_t kMaxDelayMs = 30'000;
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

class SystemClock : public Clock {
 public:
  std::int64_t monotonic_ms() const override { return monotonic_ns() / 1'000'000; }
  Timestamp now() const override { return mica::now(); }
  double chance() const override {
    std::uint32_t bits = 0;
    (void)::getrandom(&bits, sizeof bits, 0);
    return bits / 4294967296.0;
  }
  Result<> sleep(std::int64_t ms, const task::Cancel& cancel) const override {
    const std::int64_t end = monotonic_ms() + ms;
    for (std::int64_t left = ms; left > 0; left = end - monotonic_ms()) {
      TRY(cancel.check());
      pollfd stop{cancel.fd(), POLLIN, 0};
      (void)::poll(&stop, stop.fd >= 0 ? 1 : 0, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    }
    return cancel.check();
  }
};

/// "in 90 s", "in 6 hours": of a wait that is the user's.
std::string shown(std::int64_t ms) { return ms < 120'000 ? format("{} s", (ms + 999) / 1000) : human_duration(ms / 1000); }

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

bool is_passing(int status) {
  switch (status) {
    case 408: case 429: case 499: case 500: case 502: case 503: case 504: case 522: return true;
    default: return false;
  }
}

bool is_passing(http::Failure::Kind kind) {
  using Kind = http::Failure::Kind;
  switch (kind) {
    case Kind::name:
    case Kind::connect:
    case Kind::tls:
    case Kind::stalled:
    case Kind::broken: return true;
    case Kind::none:
    case Kind::not_tls:
    case Kind::untrusted:
    case Kind::wrong_host:
    case Kind::expired:
    case Kind::client_certificate:
    case Kind::proxy: return false;
  }
  return false;
}

std::optional<Timestamp> parse_http_date(std::string_view text) {
  const auto words = split_blanks(text);
  if (words.size() != 6 || words[5] != "GMT") return std::nullopt;
  const auto month = std::ranges::find(kMonths, words[2]);
  const auto clock = split(words[4], ':');
  const auto day = parse_int(words[1]), year = parse_int(words[3]);
  if (month == kMonths.end() || clock.size() != 3 || !day || !year || *day < 1 || *day > 31 || *year < 1970 || *year > 9999) return std::nullopt;
  const auto hour = parse_int(clock[0]), minute = parse_int(clock[1]), second = parse_int(clock[2]);
  if (!hour || !minute || !second || *hour < 0 || *hour > 23 || *minute < 0 || *minute > 59 || *second < 0 || *second > 60) return std::nullopt;
  tm broken{};
  broken.tm_year = static_cast<int>(*year - 1900);
  broken.tm_mon = static_cast<int>(month - kMonths.begin());
  broken.tm_mday = static_cast<int>(*day);
  broken.tm_hour = static_cast<int>(*hour);
  broken.tm_min = static_cast<int>(*minute);
  broken.tm_sec = static_cast<int>(*second);
  return Timestamp::from_seconds(std::min<std::int64_t>(::timegm(&broken), 9'000'000'000));
}

std::optional<std::int64_t> parse_retry_after(std::string_view value, Timestamp now) {
  value = trim(value);
  constexpr std::int64_t kMaxSeconds = 10LL * 365 * 86'400;
  if (!value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; }))
    return std::min(parse_int(value).value_or(kMaxSeconds), kMaxSeconds) * 1000;
  const auto date = parse_http_date(value);
  if (!date) return std::nullopt;
  return std::max<std::int64_t>(0, (date->ns - now.ns) / 1'000'000);
}

Retry::Retry(const ClientOptions& options, const Clock& clock, int attempts)
    : options_(options), clock_(clock), attempts_(attempts), delay_ms_(options.first_delay_ms) {}

Result<> Retry::again(Error why, const std::string& what, std::optional<std::int64_t> retry_after_ms, const task::Cancel& cancel) {
  if (cancel.stopped()) return fail(task::Cancel::error());
  if (made_ >= attempts_) {
    if (made_ > 1) why.doing(format("giving up after {} attempts", made_));
    return fail(std::move(why));
  }
  std::int64_t wait = at_once_ ? 0 : static_cast<std::int64_t>(static_cast<double>(delay_ms_) * (0.75 + clock_.chance() / 2));
  if (retry_after_ms) {
    wait = *retry_after_ms;
    if (waited_ms_ + wait > options_.patience_ms)
      return fail(std::move(why).with_hint(format("the server asks to wait: try again in {}", shown(wait))));
  }
  if (options_.remark)
    options_.remark(format("{}: {}; trying again in {:.1f} s (attempt {} of {})", what, why.text(), static_cast<double>(wait) / 1000, made_ + 1, attempts_));
  TRY(clock_.sleep(wait, cancel));
  ++made_;
  waited_ms_ += wait;
  if (!at_once_) delay_ms_ = std::min(delay_ms_ * 2, kMaxDelayMs);
  at_once_ = false;
  return {};
}

void Retry::progress() {
  made_ = 0;                             // the attempt that moved something is not one that failed
  waited_ms_ = 0;
  delay_ms_ = options_.first_delay_ms;
  at_once_ = true;
}

}  // namespace mica::registry
