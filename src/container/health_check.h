/// A container's health check while it runs: when the next one is due, what came out, what that makes of the container's health.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "json/json.h"
#include "oci/image.h"
#include "sys/process.h"

namespace mica::container {

/// Docker's times where a check does not say: interval and timeout 30 s, start interval 5 s, 3 retries. Nothing for {"NONE"} and no test.
std::optional<oci::Healthcheck> with_defaults(const std::optional<oci::Healthcheck>& check);

/// Health as a function of results.
class Health {
 public:
  explicit Health(const oci::Healthcheck& check) : check_(check) {}
  struct Probe {
    Timestamp start, end;
    int exit_code = 0;
    std::string output;
  };
  void begin(std::int64_t now_ns);                        ///< the container has started: "starting", no log
  /// Returns whether the status has changed.
  bool add(Probe probe, std::int64_t now_ns);
  const std::string& status() const { return status_; }   ///< starting, healthy, unhealthy
  std::int64_t wait_ns(std::int64_t now_ns) const;        ///< until the next one
  json::Value to_json() const;                            ///< State.Health of inspect

 private:
  bool in_start_period(std::int64_t now_ns) const { return now_ns - began_ < check_.start_period; }
  oci::Healthcheck check_;
  std::string status_ = "starting";
  int streak_ = 0;
  std::int64_t began_ = 0;
  std::vector<Probe> log_;
};

/// One running check: its process and what it has written so far.
class HealthProbe {
 public:
  static Result<HealthProbe> start(sys::Spawn spawn, std::int64_t timeout_ns);
  const sys::Fd& process() const { return process_.pidfd(); }
  int pid() const { return process_.pid(); }
  const sys::Fd& output() const { return reader_; }
  std::int64_t deadline_ns() const { return deadline_; }
  void read();                                            ///< when output() is readable
  /// When process() is readable, or the deadline has passed.
  Health::Probe finish(bool timed_out);

 private:
  HealthProbe(sys::Process process, sys::Fd reader, std::int64_t timeout_ns);
  sys::Process process_;
  sys::Fd reader_;
  std::int64_t timeout_, deadline_;
  Timestamp started_;
  std::string text_;
};

}  // namespace mica::container
