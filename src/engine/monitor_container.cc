#include "engine/monitor_container.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "container/container_network.h"
#include "container/events.h"
#include "container/health_check.h"
#include "container/monitor.h"
#include "container/process_spec.h"
#include "container/signal_names.h"
#include "engine/container_mounts.h"
#include "engine/container_names.h"
#include "engine/container_process.h"
#include "engine/container_start.h"
#include "engine/containers.h"
#include "engine/layout.h"
#include "snapshot/container_root.h"
#include "sys/unix_socket.h"

namespace mica::engine {
namespace {

using container::Definition;

constexpr std::size_t kMaxUserFileBytes = 16 << 20;
constexpr const char* kHealthFile = "/health.json";
constexpr const char* kHealthPidFile = "/health.pid";

struct Pipe {
  sys::Fd reader, writer;
  static Result<Pipe> open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("making a pipe");
    return Pipe{sys::Fd(ends[0]), sys::Fd(ends[1])};
  }
};

class Host : public container::MonitorHost {
 public:
  Host(Engine& engine, container::Row row, Definition definition, sys::FileLock lock)
      : engine_(engine), row_(std::move(row)), definition_(std::move(definition)), folder_(container_folder(engine, row_.id)), lock_(std::move(lock)) {}

  Result<container::ProcessStreams> start() override {
    auto* runtime = TRY(engine_.runtime());
    place_ = container_place(engine_, row_.id, definition_);
    if (!root_) {
      auto mounted = TRY_DOING(snapshot::mount_container_root(engine_.layers(), row_.layers, folder_), "preparing the root filesystem");
      root_.emplace(std::move(mounted));
    }
    container::StartFacts facts{.id = row_.id, .rootfs = root_->target()};
    facts.passwd = file_in_root("etc/passwd");
    facts.group = file_in_root("etc/group");
    facts.mounts = TRY(prepare_mounts(engine_, row_.id, definition_, root_->target(), cancel_));
    if (!network_) network_ = TRY(join_container_network(engine_, row_, definition_, folder_, cancel_));
    facts.network_namespace = TRY(network_namespace(engine_, definition_, network_.get()));
    facts.ipc_namespace = TRY(other_namespace(engine_, definition_.ipc_mode, "ipc"));
    facts.pid_namespace = TRY(other_namespace(engine_, definition_.pid_mode, "pid"));
    TRY(add_etc_files(engine_, definition_, network_.get(), folder_, facts.mounts));
    const auto spec = TRY(container::process_spec(definition_, facts));
    container::ProcessStreams streams;
    Pipe in, out, err;
    if (!definition_.tty) {
      out = TRY(Pipe::open());
      err = TRY(Pipe::open());
      if (definition_.open_stdin) in = TRY(Pipe::open());
    }
    auto started = TRY(runtime->start(spec, place_, {.stdin_fd = in.reader.get(), .stdout_fd = out.writer.get(), .stderr_fd = err.writer.get()}, cancel_));
    streams.pid = started.pid;
    streams.terminal = std::move(started.terminal);
    streams.input = std::move(in.writer);
    streams.output = std::move(out.reader);
    streams.errors = std::move(err.reader);
    health_written_ = false;
    return streams;
  }

  container::State load() override { return row_.state; }

  void save(container::State& state) override {
    if (state.pid != row_.state.pid) state.pid_start = process_start(state.pid);
    state.boot = boot_id();
    if (network_ && state.pid) {
      state.network = json::write(network_->settings());
      state.ports = network_->ports_column();
    }
    row_.state = state;
    if (auto saved = container::ContainerTable(engine_.database()).set_state(row_.id, state); !saved) log::debug("saving the state: {}", saved.error().text());
  }

  bool out_of_memory() override { return engine_.runtime() && runtime::out_of_memory_kills((*engine_.runtime())->cgroups(), place_.cgroup) > 0; }

  void clean_up(bool final) override {
    if (auto runtime = engine_.runtime(); runtime && !place_.folder.empty()) (*runtime)->forget(place_);
    if (!final) return;
    network_.reset();
    if (root_)
      if (auto unmounted = std::move(*root_).unmount(); !unmounted) log::debug("unmounting: {}", unmounted.error().text());
    root_.reset();
    if (removed_)
      if (auto gone = sys::remove_tree(folder_); !gone) log::debug("removing {}: {}", folder_, gone.error().text());
    lock_.reset();
  }

  void remove() override {
    // What others may want next (ports, addresses, volumes) is free before they hear of the end.
    if (!definition_.ports.empty() || definition_.publish_all) network_.reset();
    if (auto removed = container::ContainerTable(engine_.database()).remove(row_.id); !removed) log::debug("removing the row: {}", removed.error().text());
    if (auto released = release_mounts(engine_, row_.id, true); !released) log::debug("removing volumes: {}", released.error().text());
    removed_ = true;
    event("destroy", {});
  }

  Result<> pause(bool pause) override {
    auto* runtime = TRY(engine_.runtime());
    return runtime->control(place_, {pause ? "pause" : "resume"});
  }

  container::RestartPolicy restart_policy() override {
    const auto row = container::ContainerTable(engine_.database()).find(row_.id);
    if (!row || !*row) return {};
    if ((*row)->state.stopped_by_user) return {};
    row_.name = (*row)->name;
    auto definition = container::from_document((*row)->definition);
    return definition ? definition->restart : container::RestartPolicy{};
  }

  void event(std::string action, container::Pairs attributes) override { container::record_event(engine_.root(), container_event(row_, std::move(action), std::move(attributes))); }

  Result<sys::Spawn> health_check() override {
    auto* runtime = TRY(engine_.runtime());
    if (!health_written_) {
      container::ExecFacts facts{.passwd = file_in_root("etc/passwd"), .group = file_in_root("etc/group")};
      facts.command = health_command(definition_);
      const auto process = TRY(container::exec_process(definition_, facts));
      TRY(sys::write_file(folder_ + kHealthFile, json::write(process), 0600));
      health_written_ = true;
    }
    return sys::Spawn{.argv = runtime->command(place_, {"exec", "--process", folder_ + kHealthFile, "--pid-file", folder_ + kHealthPidFile}), .cwd = "/"};
  }

  void end_health_check() override {
    const int pid = static_cast<int>(parse_int(trim(sys::read_file(folder_ + kHealthPidFile, 64).value_or(""))).value_or(0));
    if (pid > 0) ::kill(pid, SIGKILL);
  }

  Result<json::Value> ask(const json::Value& request) override {
    if (const auto* rename = request.find("rename")) {
      row_.name = rename->string_or("name");
      if (network_) TRY(network_->rename(row_.name));
      return json::Value();
    }
    if (!network_) return fail(Errc::conflict, "the container has no networks of its own to join or leave");
    const json::Value* connect = request.find("connect");
    const json::Value* leave = request.find("disconnect");
    container::NetworkTable networks(engine_.database());
    const auto network = TRY(networks.resolve((connect ? *connect : leave ? *leave : request).string_or("network")));
    // Who asks has changed the definition, which says how.
    const auto row = TRY(container::ContainerTable(engine_.database()).find(row_.id));
    if (row) definition_ = TRY(container::from_document(row->definition));
    if (connect) {
      const auto endpoint = std::find_if(definition_.endpoints.begin(), definition_.endpoints.end(), [&](const auto& one) { return one.network == network.name || one.network == network.id; });
      TRY(network_->connect(network, endpoint == definition_.endpoints.end() ? container::Endpoint{.network = network.name} : *endpoint, cancel_));
    } else if (leave) {
      TRY(network_->disconnect(network, cancel_));
    } else {
      return fail(Errc::invalid_argument, "the monitor does not know this question");
    }
    TRY(sys::write_file(folder_ + "/hosts", network_->hosts()));
    return json::Value();
  }

 private:
  std::string file_in_root(const std::string& path) const {
    const auto root = sys::open(root_->target(), O_PATH | O_DIRECTORY);
    if (!root) return {};
    const auto file = sys::open_beneath(*root, path, O_RDONLY | O_NONBLOCK);
    return file ? sys::read_fd(*file, kMaxUserFileBytes).value_or("") : "";
  }

  Engine& engine_;
  container::Row row_;
  Definition definition_;
  std::string folder_;
  std::optional<sys::FileLock> lock_;
  runtime::ContainerPlace place_;
  std::optional<sys::Mount> root_;
  std::unique_ptr<container::ContainerNetwork> network_;
  task::Cancel cancel_;
  bool removed_ = false, health_written_ = false;
};

Result<std::optional<container::LogWriter>> open_log(const Definition& definition, const std::string& folder, const std::string& id) {
  if (definition.log_driver == "none") return std::nullopt;
  auto options = TRY(container::parse_log_options(definition.log_driver, definition.log_options));
  auto log = TRY(container::LogWriter::open(container_log_path(folder, id), std::move(options)));
  return std::optional(std::move(log));
}

Result<> look_after(Engine& engine, const std::string& id, sys::Fd starter) {
  const std::string folder = container_folder(engine, id);
  // The monitor before this one may still be clearing up.
  auto lock = TRY(sys::FileLock::acquire(folder + "/" + container::kMonitorLock, sys::LockMode::exclusive));
  auto found = TRY(container::ContainerTable(engine.database()).find(id));
  if (!found) return failf(Errc::not_found, "No such container: {}", id);
  container::Row row = std::move(*found);
  Definition definition = TRY(container::from_document(row.definition));
  row.definition.clear();
  row.state.restart_count = 0;
  row.state.stopped_by_user = false;
  container::MonitorSettings settings{.auto_remove = definition.auto_remove, .stdin_once = definition.stdin_once, .health = container::with_defaults(definition.healthcheck)};
  if (!definition.stop_signal.empty()) settings.stop_signal = TRY(container::parse_signal(definition.stop_signal));
  if (definition.stop_timeout) settings.stop_timeout = *definition.stop_timeout;
  auto log = TRY(open_log(definition, folder, id));
  auto listener = TRY(sys::listen_unix(folder, container::kMonitorSocket));
  Host host(engine, std::move(row), std::move(definition), std::move(lock));
  container::monitor(host, settings, std::move(listener), std::move(starter), log ? &*log : nullptr);
  return {};
}

}  // namespace

Result<> monitor_container(const Options& options, const std::string& id, int starter_fd) {
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE}) ::signal(number, SIG_IGN);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  sys::Fd starter(starter_fd);
  auto teller = starter ? TRY(starter.duplicate()) : sys::Fd();
  auto engine = Engine::open_for_reading(options);
  auto done = engine ? look_after(**engine, id, std::move(starter)) : Result<>(fail(engine.error()));
  if (!done && teller) (void)container::MonitorConnection(std::move(teller)).send('f', json::write(container::error_json(done.error())));
  return done;
}

}  // namespace mica::engine
