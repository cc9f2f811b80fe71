/// The heart of a container's monitor: one loop that carries bytes between the container, its log and whoever is attached, does what
/// others ask through the socket, runs the health check, and starts the container again as its policy says.
///
/// It touches neither store nor runtime itself: a MonitorHost does (engine/monitor_container.cc), so that the loop is tested with ordinary processes.
#pragma once
#include <memory>
#include <string>

#include "container/container_table.h"
#include "container/log_file.h"
#include "container/monitor_protocol.h"
#include "sys/process.h"

namespace mica::container {

/// Our ends of a running container's streams; those that it lacks are empty.
struct ProcessStreams {
  int pid = 0;
  sys::Fd terminal;                         ///< in place of the three
  sys::Fd input, output, errors;
};

class MonitorHost {
 public:
  virtual ~MonitorHost() = default;
  /// Everything up to the first process. Called again for each restart.
  virtual Result<ProcessStreams> start() = 0;
  /// The state's beginning: what the database has.
  virtual State load() = 0;
  /// Network, ports and pid times are the host's to fill in. Failing is the host's to note.
  virtual void save(State& state) = 0;
  /// Asked after the first process has ended, while its control group is still there.
  virtual bool out_of_memory() = 0;
  /// After each end: nothing of the process remains. `final`: it will not be started again (the network goes too).
  virtual void clean_up(bool final) = 0;
  /// The row goes (--rm), before anybody hears of the end.
  virtual void remove() = 0;
  virtual Result<> pause(bool pause) = 0;
  /// Current ones: `update` may have changed them.
  virtual RestartPolicy restart_policy() = 0;
  virtual void event(std::string action, Pairs attributes) = 0;
  /// The health check's command, started in the container: its output goes to standard output and error.
  virtual Result<sys::Spawn> health_check() = 0;
  /// Ends what a check that took too long has started in the container.
  virtual void end_health_check() = 0;
  /// Other requests ({"ask": ...}): networks.
  virtual Result<json::Value> ask(const json::Value& request) = 0;
};

struct MonitorSettings {
  int stop_signal = 15;
  int stop_timeout = 10;                    ///< seconds; -1: for ever
  bool auto_remove = false;
  bool stdin_once = false;                  ///< the end of the first input is the end of the container's
  std::optional<oci::Healthcheck> health;   ///< with its defaults filled in; nullopt or {"NONE"}: none
};

/// Runs until the container has ended for good and everybody has heard of it. `starter`: the connection of who wants it started (its request is not read yet),
/// or empty. `log`: nullptr keeps none. SIGTERM stops the container as a shutdown of the machine does: it starts again at the next boot.
/// Blocks SIGCHLD and SIGTERM in this thread; other children than the health check's and the container's are reaped.
void monitor(MonitorHost& host, const MonitorSettings& settings, sys::Fd listener, sys::Fd starter, LogWriter* log);

/// How long to wait before the next restart: 100 ms, doubled each time up to a minute; from the start again after a run of 10 s.
std::int64_t next_delay_ms(std::int64_t last_delay_ms, std::int64_t ran_ns);
/// Whether an end with this code is followed by another start.
bool restarts(const RestartPolicy& policy, int exit_code, int restart_count);

}  // namespace mica::container
