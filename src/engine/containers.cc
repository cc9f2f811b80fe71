#include "engine/containers.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "container/events.h"
#include "container/monitor_protocol.h"
#include "container/volume_table.h"
#include "engine/container_mounts.h"
#include "engine/container_process.h"
#include "engine/layout.h"

namespace mica::engine {
namespace {

using container::Status;

constexpr int kKilledCode = 137, kRebootedCode = 255;
constexpr int kEndMs = 5000;
constexpr const char* kCgroupFolder = "/mica";

/// Its monitor was killed: what it left running ends, for nobody would read its output or remove its network.
void end_processes(const container::Row& row) {
  if (!is_same_process(row.state.pid, row.state.pid_start)) return;
  const sys::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, row.state.pid, 0)));
  if (!pidfd) return;
  ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
  pollfd ended{pidfd.get(), POLLIN, 0};
  ::poll(&ended, 1, kEndMs);
  log::debug("ended the processes of container {}", row.id);
}

void forget_runtime(Engine& engine, const container::Row& row) {
  const auto full = container::ContainerTable(engine.database()).find(row.id);
  if (!full || !*full) return;
  const auto definition = container::from_document((*full)->definition);
  auto runtime = engine.runtime();
  if (definition && runtime) (*runtime)->forget(container_place(engine, row.id, *definition));
}

}  // namespace

bool is_running(const container::Row& row) {
  return row.state.status == Status::running || row.state.status == Status::paused || row.state.status == Status::restarting;
}

std::string container_folder(Engine& engine, const std::string& id) { return engine.folder(kContainersFolder) + "/" + id; }

runtime::ContainerPlace container_place(Engine& engine, const std::string& id, const container::Definition& definition) {
  runtime::ContainerPlace place{.folder = container_folder(engine, id), .id = id, .cgroup = {}};
  auto runtime = engine.runtime();
  if (runtime && (*runtime)->can_limit()) place.cgroup = (definition.cgroup_parent.empty() ? kCgroupFolder : join_path("/", definition.cgroup_parent)) + "/" + id;
  return place;
}

Result<> settle_dead(Engine& engine, container::Row& row) {
  if (!is_running(row)) return {};
  const std::string folder = container_folder(engine, row.id);
  auto lock = sys::FileLock::try_acquire(folder + "/" + container::kMonitorLock, sys::LockMode::exclusive);
  if (!lock) {
    if (lock.error().code() == Errc::conflict) return {};   // it lives
    if (sys::exists(folder)) return fail(std::move(lock.error()));
  }
  container::ContainerTable table(engine.database());
  // The monitor may have ended properly between our look at the row and at the lock.
  auto now_there = TRY(table.find(row.id));
  if (!now_there) return failf(Errc::not_found, "No such container: {}", row.id);
  row.state = now_there->state;
  if (!is_running(row)) return {};
  end_processes(row);
  forget_runtime(engine, row);
  row.state.exit_code = row.state.boot == boot_id() ? kKilledCode : kRebootedCode;
  row.state.status = Status::exited;
  row.state.pid = 0;
  row.state.finished = now();
  row.state.network.clear();
  row.state.ports.clear();
  container::record_event(engine.root(), {.type = "container", .action = "die", .id = row.id, .attributes = {{"exitCode", std::to_string(row.state.exit_code)}, {"image", row.image}, {"name", row.name}}, .time = {}});
  return table.set_state(row.id, row.state);
}

Result<container::Row> find_container(Engine& engine, std::string_view name) {
  auto row = TRY(container::ContainerTable(engine.database()).resolve(name));
  TRY(settle_dead(engine, row));
  return row;
}

Result<std::vector<container::Row>> list_containers(Engine& engine, bool with_definitions) {
  auto rows = TRY(container::ContainerTable(engine.database()).list(with_definitions));
  for (auto& row : rows) {
    // One that was removed meanwhile is no reason to show none of them.
    if (auto settled = settle_dead(engine, row); !settled && settled.error().code() != Errc::not_found) return fail(std::move(settled).error());
  }
  return rows;
}

Result<sys::FileLock> hold_stopped(Engine& engine, const std::string& id) {
  auto row = TRY(find_container(engine, id));
  if (is_running(row)) return failf(Errc::conflict, "container {} is running", row.name);
  // A monitor that is about to end lets go of it soon.
  return sys::FileLock::acquire(container_folder(engine, row.id) + "/" + container::kMonitorLock, sys::LockMode::exclusive);
}

Result<json::Value> ask_monitor(Engine& engine, const std::string& id, const json::Value& question) {
  auto connection = container::MonitorConnection::open(container_folder(engine, id));
  if (!connection) return failf(Errc::conflict, "container {} is not running", id);
  TRY(connection->request(json::Value(json::Object{{"ask", question}})));
  const auto frame = TRY(connection->receive());
  if (!frame) return failf(Errc::unavailable, "the monitor of container {} has ended", id);
  if (frame->type == 'f') return fail(container::error_from_json(frame->payload));
  return json::parse(frame->payload);
}

}  // namespace mica::engine
