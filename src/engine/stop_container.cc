#include <signal.h>

#include "base/format.h"
#include "container/events.h"
#include "container/monitor_protocol.h"
#include "container/signal_names.h"
#include "engine/container_mounts.h"
#include "engine/container_names.h"
#include "engine/containers.h"

namespace mica::engine {
namespace {

/// Nothing when no monitor runs: what was to be done is done.
Result<std::optional<container::MonitorConnection>> connect(Engine& engine, const std::string& id) {
  auto connection = container::MonitorConnection::open(container_folder(engine, id));
  if (connection) return std::optional(std::move(*connection));
  if (connection.error().code() == Errc::not_found || connection.error().code() == Errc::unavailable) return std::nullopt;
  return fail(std::move(connection).error());
}

/// Until the monitor says that it has ended; its exit code, or nothing when the monitor died.
Result<std::optional<int>> await_end(container::MonitorConnection& connection, const task::Cancel& cancel) {
  while (true) {
    const auto frame = TRY(connection.receive(cancel.fd()));
    if (!frame) return std::nullopt;
    if (frame->type == 'f') return fail(container::error_from_json(frame->payload));
    if (frame->type != 'x') continue;
    const auto end = TRY(json::parse(frame->payload));
    return static_cast<int>(end.int_or("code"));
  }
}

Result<json::Value> ask(container::MonitorConnection& connection, json::Value request) {
  TRY(connection.request(request));
  const auto frame = TRY(connection.receive());
  if (!frame) return fail(Errc::unavailable, "the container's monitor has ended");
  if (frame->type == 'f') return fail(container::error_from_json(frame->payload));
  return json::parse(frame->payload);
}

Result<json::Value> ask_running(Engine& engine, const container::Row& row, const json::Value& request) {
  auto connection = TRY(connect(engine, row.id));
  if (!is_running(row) || !connection) return failf(Errc::conflict, "container {} is not running", row.id);
  return ask(*connection, request);
}

}  // namespace

Result<bool> stop_container(Engine& engine, const std::string& id, std::optional<int> timeout, const std::string& signal, const task::Cancel& cancel) {
  auto row = TRY(find_container(engine, id));
  if (!is_running(row)) return false;
  json::Value options = json::Value::object();
  if (timeout) options.set("timeout", *timeout);
  if (!signal.empty()) {
    const int number = TRY(container::parse_signal(signal));
    options.set("signal", number);
  }
  auto connection = TRY(connect(engine, row.id));
  if (!connection) return false;
  TRY(connection->request(json::Value(json::Object{{"stop", std::move(options)}})));
  if (!TRY(await_end(*connection, cancel))) TRY(settle_dead(engine, row));
  return true;
}

Result<> restart_container(Engine& engine, const std::string& id, std::optional<int> timeout, const std::string& signal, const task::Cancel& cancel) {
  TRY(stop_container(engine, id, timeout, signal, cancel));
  TRY(start_container(engine, id, nullptr, cancel));
  const auto row = TRY(find_container(engine, id));
  container::record_event(engine.root(), container_event(row, "restart"));
  return {};
}

Result<> kill_container(Engine& engine, const std::string& id, const std::string& signal) {
  const int number = TRY(container::parse_signal(signal.empty() ? "KILL" : signal));
  const auto row = TRY(find_container(engine, id));
  if (!is_running(row)) return failf(Errc::conflict, "cannot kill container: {}: container {} is not running", id, row.id);
  TRY(ask_running(engine, row, json::Value(json::Object{{"kill", number}})));
  return {};
}

Result<int> wait_container(Engine& engine, const std::string& id, WaitFor what, const task::Cancel& cancel) {
  auto row = TRY(find_container(engine, id));
  if (!is_running(row) && what == WaitFor::not_running) return row.state.exit_code;
  auto connection = TRY(connect(engine, row.id));
  if (!connection) return row.state.exit_code;
  TRY(connection->request(json::Value(json::Object{{"wait", true}})));
  if (const auto code = TRY(await_end(*connection, cancel))) return *code;
  const auto last = container::ContainerTable(engine.database()).find(row.id);
  if (last && *last) row = **last;
  TRY(settle_dead(engine, row));
  return row.state.exit_code;
}

Result<> pause_container(Engine& engine, const std::string& id, bool pause) {
  const auto row = TRY(find_container(engine, id));
  auto done = ask_running(engine, row, json::Value(json::Object{{"pause", pause}}));
  if (done) return {};
  if (done.error().code() == Errc::conflict)
    return failf(Errc::conflict, "Container {} {}", row.id, row.state.status == container::Status::paused ? "is already paused" : pause ? "is not running" : "is not paused");
  return fail(std::move(done).error());
}

Result<> remove_container(Engine& engine, const std::string& id, const RemoveContainer& options, const task::Cancel& cancel) {
  auto row = TRY(find_container(engine, id));
  if (is_running(row)) {
    if (!options.force) {
      const std::string state(container::word(row.state.status));
      return fail(Error(Errc::conflict, format("cannot remove container \"{}\": container is {}: {}", row.name, state,
                                               row.state.status == container::Status::paused ? "unpause and then stop the container before removing or force remove"
                                                                                             : "stop the container before removing or force remove")));
    }
    TRY(stop_container(engine, row.id, 0, "KILL", cancel));
  }
  const std::string folder = container_folder(engine, row.id);
  auto lock = sys::FileLock::acquire(folder + "/" + container::kMonitorLock, sys::LockMode::exclusive, cancel.fd());
  if (!lock && sys::exists(folder)) return fail(std::move(lock.error()));
  TRY(container::ContainerTable(engine.database()).remove(row.id));
  TRY(release_mounts(engine, row.id, options.volumes));
  TRY_DOING(sys::remove_tree(folder), "removing the container's files");
  container::record_event(engine.root(), container_event(row, "destroy"));
  return {};
}

}  // namespace mica::engine
