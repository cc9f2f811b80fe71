#include "container/health_check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/format.h"

namespace mica::container {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kMaxOutput = 4096, kKeptProbes = 5;

/// "30s", "1m30s", "1.5s", as Go prints durations.
std::string duration(std::int64_t ns) {
  if (ns % kSecond != 0) return format("{}ms", ns / 1'000'000);
  const std::int64_t seconds = ns / kSecond;
  if (seconds >= 3600) return format("{}h{}m{}s", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (seconds >= 60) return format("{}m{}s", seconds / 60, seconds % 60);
  return format("{}s", seconds);
}

}  // namespace

std::optional<oci::Healthcheck> with_defaults(const std::optional<oci::Healthcheck>& check) {
  if (!check || check->test.empty() || check->test[0] == "NONE") return std::nullopt;
  oci::Healthcheck out = *check;
  if (out.interval == 0) out.interval = 30 * kSecond;
  if (out.timeout == 0) out.timeout = 30 * kSecond;
  if (out.start_interval == 0) out.start_interval = 5 * kSecond;
  if (out.retries == 0) out.retries = 3;
  return out;
}

void Health::begin(std::int64_t now_ns) {
  status_ = "starting";
  streak_ = 0;
  began_ = now_ns;
  log_.clear();
}

bool Health::add(Probe probe, std::int64_t now_ns) {
  const std::string before = status_;
  if (probe.exit_code == 0) {
    status_ = "healthy";
    streak_ = 0;
  } else if (status_ != "starting" || !in_start_period(now_ns)) {
    if (++streak_ >= check_.retries) status_ = "unhealthy";
  }
  log_.push_back(std::move(probe));
  if (log_.size() > kKeptProbes) log_.erase(log_.begin());
  return status_ != before;
}

std::int64_t Health::wait_ns(std::int64_t now_ns) const { return status_ == "starting" && in_start_period(now_ns) ? check_.start_interval : check_.interval; }

json::Value Health::to_json() const {
  json::Array log;
  for (const auto& probe : log_)
    log.emplace_back(json::Object{{"Start", rfc3339(probe.start)}, {"End", rfc3339(probe.end)}, {"ExitCode", probe.exit_code}, {"Output", probe.output}});
  return json::Value(json::Object{{"Status", status_}, {"FailingStreak", streak_}, {"Log", std::move(log)}});
}

HealthProbe::HealthProbe(sys::Process process, sys::Fd reader, std::int64_t timeout_ns)
    : process_(std::move(process)), reader_(std::move(reader)), timeout_(timeout_ns), deadline_(monotonic_ns() + timeout_ns), started_(now()) {}

Result<HealthProbe> HealthProbe::start(sys::Spawn spawn, std::int64_t timeout_ns) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("making a pipe");
  sys::Fd reader(ends[0]), writer(ends[1]);
  spawn.stdout_fd = spawn.stderr_fd = writer.get();
  auto process = TRY(sys::Process::start(spawn));
  return HealthProbe(std::move(process), std::move(reader), timeout_ns);
}

void HealthProbe::read() {
  char buffer[kMaxOutput];
  const ssize_t count = ::read(reader_.get(), buffer, sizeof buffer);
  if (count > 0) text_.append(buffer, std::min(static_cast<std::size_t>(count), kMaxOutput - std::min(text_.size(), kMaxOutput)));
  if (count == 0) reader_.reset();
}

Health::Probe HealthProbe::finish(bool timed_out) {
  Health::Probe probe{.start = started_, .end = now(), .exit_code = -1, .output = {}};
  if (timed_out) {
    auto killed = process_.signal(SIGKILL);
    (void)killed;   // it may just have ended
  }
  const auto exit = process_.wait();
  while (reader_) {
    pollfd more{reader_.get(), POLLIN, 0};
    if (::poll(&more, 1, 0) <= 0) break;
    read();
  }
  probe.output = std::move(text_);
  if (timed_out) probe.output = format("Health check exceeded timeout ({})", duration(timeout_)) + (probe.output.empty() ? "" : ": " + probe.output);
  else if (exit) probe.exit_code = exit->status;
  return probe;
}

}  // namespace mica::container
