#include <fcntl.h>
#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "container/events.h"
#include "container/process_spec.h"
#include "engine/container_names.h"
#include "engine/containers.h"

namespace mica::engine {
namespace {

constexpr std::size_t kMaxUserFileBytes = 16 << 20;

/// A file of the running container, as its first process sees it; "" when there is none.
std::string file_in(int pid, const std::string& path) {
  const auto root = sys::open(format("/proc/{}/root", pid), O_PATH | O_DIRECTORY);
  if (!root) return {};
  const auto file = sys::open_beneath(*root, path, O_RDONLY | O_NONBLOCK);
  if (!file) return {};
  return sys::read_fd(*file, kMaxUserFileBytes).value_or("");
}

}  // namespace

Result<int> exec_container(Engine& engine, const std::string& id, const ExecContainer& request, const task::Cancel& cancel) {
  const auto row = TRY(find_container(engine, id));
  if (row.state.status == container::Status::paused) return failf(Errc::conflict, "Container {} is paused, unpause the container before exec", row.id);
  if (row.state.status == container::Status::restarting) return failf(Errc::conflict, "Container {} is restarting, wait until the container is running", row.id);
  if (!is_running(row)) return failf(Errc::conflict, "container {} is not running", row.id);
  const auto definition = TRY(container::from_document(row.definition));
  const int pid = row.state.pid;
  const auto process = TRY(container::exec_process(definition, {.command = request.command,
                                                                .env = request.env,
                                                                .user = request.user,
                                                                .workdir = request.workdir,
                                                                .passwd = file_in(pid, "etc/passwd"),
                                                                .group = file_in(pid, "etc/group"),
                                                                .tty = request.tty,
                                                                .privileged = request.privileged}));
  auto* runtime = TRY(engine.runtime());
  const auto place = container_place(engine, row.id, definition);
  container::record_event(engine.root(), container_event(row, format("exec_start: {}", join(request.command, " "))));
  if (request.detach) {
    const std::string file = place.folder + "/exec." + random_hex(6) + ".json";
    TRY(sys::write_file(file, json::write(process), 0600));
    auto done = runtime->control(place, {"exec", "--detach", "--process", file});
    ::unlink(file.c_str());
    TRY(std::move(done));
    return 0;
  }
  runtime::Streams streams;
  if (request.interactive) streams.stdin_fd = STDIN_FILENO;
  if (request.tty) streams.terminal_fd = STDIN_FILENO;
  streams.output = request.on_output;
  if (!streams.output)
    streams.output = [](int stream, std::string_view bytes) {
      while (!bytes.empty()) {
        const ssize_t count = ::write(stream, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(count));
      }
    };
  const auto exit = TRY(runtime->exec(place, process, streams, cancel));
  return exit.status;
}

}  // namespace mica::engine
