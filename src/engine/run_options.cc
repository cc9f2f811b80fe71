#include "engine/run_options.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "base/text.h"

namespace mica::engine {

Result<runtime::Rlimit> parse_ulimit(std::string_view text) {
  static constexpr std::string_view kNames[] = {"core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack"};
  const auto pair = split_once(text, '=');
  if (!pair) return failf(Errc::invalid_argument, "invalid ulimit argument: {}", text);
  if (std::find(std::begin(kNames), std::end(kNames), pair->first) == std::end(kNames))
    return failf(Errc::invalid_argument, "invalid ulimit type: {}", pair->first);
  auto number = [](std::string_view word) -> std::optional<std::uint64_t> {
    const auto n = parse_int(word);
    if (!n || *n < -1) return std::nullopt;
    return *n == -1 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(*n);
  };
  const auto limits = split_once(pair->second, ':');
  const auto soft = number(limits ? limits->first : pair->second);
  const auto hard = limits ? number(limits->second) : soft;
  if (!soft || !hard) return failf(Errc::invalid_argument, "invalid ulimit value in {}", quoted(text));
  if (*soft > *hard) return failf(Errc::invalid_argument, "ulimit soft limit must be less than or equal to hard limit: {} > {}", *soft, *hard);
  return runtime::Rlimit{"RLIMIT_" + to_upper(pair->first), *soft, *hard};
}

Result<std::int64_t> parse_cpus(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const double cpus = std::strtod(copy.c_str(), &end);
  if (copy.empty() || *end || !(cpus > 0) || cpus > 100'000) return failf(Errc::invalid_argument, "invalid value for --cpus: {}", quoted(text));
  return static_cast<std::int64_t>(std::llround(cpus * 100'000));
}

}  // namespace mica::engine
