#include <fcntl.h>
#include <unistd.h>

#include "base/format.h"
#include "base/log.h"
#include "container/events.h"
#include "container/monitor_protocol.h"
#include "engine/attach_loop.h"
#include "engine/container_names.h"
#include "engine/containers.h"
#include "sys/process.h"
#include "sys/unix_socket.h"

namespace mica::engine {
namespace {

constexpr const char* kMonitorLog = "monitor.log";

/// Ourselves again, in a session of its own, with one end of a pair of sockets.
Result<container::MonitorConnection> start_monitor(Engine& engine, const std::string& id) {
  auto pair = TRY(sys::socket_pair());
  const auto log = TRY(sys::open(container_folder(engine, id) + "/" + kMonitorLog, O_CREAT | O_WRONLY | O_APPEND, 0600));
  const auto null = TRY(sys::open("/dev/null", O_RDWR));
  std::vector<std::string> argv = {"/proc/self/exe", "--root", engine.root()};
  if (!engine.options().runtime.empty()) argv.insert(argv.end(), {"--runtime", engine.options().runtime});
  if (log::debug_enabled) argv.emplace_back("--debug");
  argv.insert(argv.end(), {"container-monitor", "--fd", std::to_string(pair.second.get()), id});
  sys::Spawn spawn{.argv = std::move(argv), .cwd = "/", .stdin_fd = null.get(), .stdout_fd = null.get(), .stderr_fd = log.get(), .keep_fds = {pair.second.get()}};
  spawn.new_session = true;
  spawn.die_with_parent = false;
  auto process = TRY_DOING(sys::Process::start(spawn), "starting the container's monitor");
  std::move(process).release();
  return container::MonitorConnection(std::move(pair.first));
}

json::Value attach_request(const Attachment& attachment) {
  return json::Value(json::Object{{"input", attachment.input}, {"output", attachment.output}});
}

Error monitor_gone(Engine& engine, const container::Row& row) {
  const auto said = sys::read_file(container_folder(engine, row.id) + "/" + kMonitorLog, 64 << 10);
  Error error(Errc::unavailable, format("the monitor of container {} has ended without a word", row.name));
  if (said && !said->empty()) error = Error(Errc::unavailable, format("the monitor of container {} has ended: {}", row.name, *said));
  return Error(std::move(error).with_exit_status(125));
}

Result<Ended> carry_on(Engine& engine, container::Row row, container::MonitorConnection& connection, const Attachment& attachment, const task::Cancel& cancel) {
  auto end = TRY(attach_loop(connection, attachment, cancel));
  if (!end.monitor_gone) return end.ended;
  row.state.status = container::Status::running;
  TRY(settle_dead(engine, row));
  return fail(monitor_gone(engine, row));
}

Result<> await_start(Engine& engine, const container::Row& row, container::MonitorConnection& connection, const task::Cancel& cancel) {
  while (true) {
    const auto frame = TRY(connection.receive(cancel.fd()));
    if (!frame) return fail(monitor_gone(engine, row));
    if (frame->type == 'f') return fail(container::error_from_json(frame->payload));
    if (frame->type == 's') return {};
  }
}

}  // namespace

Result<Ended> start_container(Engine& engine, const std::string& id, const Attachment* attachment, const task::Cancel& cancel) {
  const auto row = TRY(find_container(engine, id));
  if (is_running(row)) {
    if (attachment) return attach_container(engine, id, *attachment, cancel);
    return Ended{};
  }
  TRY(container::ContainerTable(engine.database()).set_stopped_by_user(row.id, false));
  auto connection = TRY(start_monitor(engine, row.id));
  json::Value request(json::Object{{"start", true}});
  if (attachment) {
    request.set("attach", attach_request(*attachment));
    container::record_event(engine.root(), container_event(row, "attach"));
  }
  TRY(connection.request(request));
  if (attachment) return carry_on(engine, row, connection, *attachment, cancel);
  TRY(await_start(engine, row, connection, cancel));
  return Ended{};
}

Result<Ended> attach_container(Engine& engine, const std::string& id, const Attachment& attachment, const task::Cancel& cancel) {
  const auto row = TRY(find_container(engine, id));
  if (row.state.status == container::Status::paused) return fail(Errc::conflict, "You cannot attach to a paused container, unpause it first");
  if (row.state.status == container::Status::restarting) return fail(Errc::conflict, "You cannot attach to a restarting container, wait until it is running");
  auto connection = container::MonitorConnection::open(container_folder(engine, row.id));
  if (!is_running(row) || !connection) return fail(Errc::conflict, "You cannot attach to a stopped container, start it first");
  TRY(connection->request(json::Value(json::Object{{"attach", attach_request(attachment)}})));
  container::record_event(engine.root(), container_event(row, "attach"));
  return carry_on(engine, row, *connection, attachment, cancel);
}

}  // namespace mica::engine
