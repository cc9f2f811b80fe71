#include "runtime/program_runtime.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "json/json.h"
#include "runtime/bundle.h"
#include "runtime/pipe.h"
#include "runtime/relay.h"
#include "sys/unix_socket.h"
#include "sys/userns.h"

namespace mica::runtime {

namespace {

constexpr std::size_t kMaxLogBytes = 1 << 20;
constexpr const char* kCgroupFolder = "/mica";

/// Holds back what a runtime that has complained writes to standard error: its log says the same, and it belongs into the
/// error instead of the step's output.
class ComplaintFilter {
 public:
  ComplaintFilter(const std::string& log_path, const Output& output) : path_(log_path), output_(output) {}
  void operator()(int stream, std::string_view bytes) {
    if (stream == 2 && (!held_.empty() || has_complained())) held_ += bytes;
    else output_(stream, bytes);
  }
  /// What was held back, when the command ran after all.
  void release() {
    if (!held_.empty()) output_(2, held_);
  }

 private:
  bool has_complained() {
    struct stat info {};
    if (::stat(path_.c_str(), &info) != 0 || info.st_size == 0) return false;   // asked for every piece of standard error
    auto log = sys::read_file(path_, kMaxLogBytes);
    return log && !complaint_in(*log).empty();
  }

  std::string path_;
  const Output& output_;
  std::string held_;
};

/// Work on a thread of its own while this object lives.
class Beside {
 public:
  explicit Beside(std::function<void()> work) {
    if (work) thread_ = std::thread(std::move(work));
  }
  ~Beside() {
    if (thread_.joinable()) thread_.join();
  }
  Beside(const Beside&) = delete;

 private:
  std::thread thread_;
};

class ProgramRuntime : public OciRuntime {
 public:
  ProgramRuntime(Program program, Cgroups cgroups)
      : program_(std::move(program)), kind_(base_name(program_.path)), cgroups_(std::move(cgroups)), rootless_(sys::is_rootless()) {
    cgroups_.remove_abandoned(kCgroupFolder);
  }
  std::string name() const override { return program_.name; }
  bool can_limit() const override { return cgroups_.writable; }
  Result<sys::Exit> run(const ProcessSpec& spec, const Streams& streams, const std::string& temporary, task::Cancel cancel) override;
  Result<StartedContainer> start(const ProcessSpec& spec, const ContainerPlace& place, const ContainerStreams& streams, task::Cancel cancel) override;
  Result<sys::Exit> exec(const ContainerPlace& place, const json::Value& process, const Streams& streams, task::Cancel cancel) override;
  std::vector<std::string> command(const ContainerPlace& place, const std::vector<std::string>& verb) const override;
  Result<> control(const ContainerPlace& place, const std::vector<std::string>& verb, std::string_view input) const override;
  void forget(const ContainerPlace& place) const override;
  const Cgroups& cgroups() const override { return cgroups_; }

 private:
  struct Place {
    std::string id, bundle, log, cgroup;
  };
  static Place place_of(const ContainerPlace& place) { return {place.id, place.folder, place.folder + "/runtime.log", place.cgroup}; }
  Result<> write_bundle(const ProcessSpec& spec, const Place& place) const;
  std::vector<std::string> command(const Place& place, std::vector<std::string> verb) const;
  std::vector<std::string> run_verb(const ProcessSpec& spec, const Place& place) const;
  sys::Spawn spawn(const ProcessSpec& spec, const Place& place) const;
  Result<sys::Exit> run_in(const ProcessSpec& spec, const Streams& streams, const Place& place, const task::Cancel& cancel);
  Result<sys::Exit> start_and_relay(sys::Spawn& spawn, bool terminal, const Streams& streams, const Output& output, int stop_fd);
  Result<sys::Exit> relay_filtered(sys::Spawn& spawn, bool terminal, const Streams& streams, const std::string& log, int stop_fd, std::string& complaint);

  Program program_;
  std::string kind_;
  Cgroups cgroups_;
  bool rootless_;
};

Result<> ProgramRuntime::write_bundle(const ProcessSpec& spec, const Place& place) const {
  BundleFacts facts{.rootless = rootless_, .cgroups = cgroups_.writable, .cgroup_v2 = cgroups_.layout == CgroupLayout::v2, .x32 = program_.x32,
                    .cgroup_path = place.cgroup};
  if (spec.init) {
    auto found = sys::find_program("catatonit");
    if (!found) found = sys::find_program("docker-init");
    if (!found) return fail(Error(Errc::not_found, "no init program for --init").with_hint("install the package catatonit"));
    facts.init_program = *found;
  }
  auto config = TRY(bundle_config(spec, facts));
  return sys::write_file(place.bundle + "/config.json", json::write(config), 0600);
}

std::vector<std::string> ProgramRuntime::command(const Place& place, std::vector<std::string> verb) const {
  std::vector<std::string> argv = {program_.path, "--root", place.bundle + "/state", "--log", place.log, "--log-format", "json"};
  argv.insert(argv.end(), verb.begin(), verb.end());
  argv.push_back(place.id);
  return argv;
}

std::vector<std::string> ProgramRuntime::run_verb(const ProcessSpec& spec, const Place& place) const {
  std::vector<std::string> verb = {"run", "--bundle", place.bundle};
  // The default filter refuses the keyring calls; a keyring a container would only use up the user's quota of them.
  const bool filtered = spec.seccomp.empty() && !spec.privileged;
  if (filtered && (kind_ == "runc" || kind_ == "crun")) verb.emplace_back("--no-new-keyring");
  return verb;
}

sys::Spawn ProgramRuntime::spawn(const ProcessSpec& spec, const Place& place) const {
  return {.argv = command(place, run_verb(spec, place)), .new_pid_namespace = !spec.host_pid};
}

Result<sys::Exit> ProgramRuntime::start_and_relay(sys::Spawn& spawn, bool terminal, const Streams& streams, const Output& output, int stop_fd) {
  if (terminal) {
    auto pty = TRY(Pty::open());
    struct winsize size {};
    if (streams.terminal_fd >= 0 && ::ioctl(streams.terminal_fd, TIOCGWINSZ, &size) == 0) ::ioctl(pty.master.get(), TIOCSWINSZ, &size);
    spawn.stdin_fd = spawn.stdout_fd = spawn.stderr_fd = pty.slave.get();
    auto process = TRY_DOING(sys::Process::start(spawn), format("starting {}", kind_));
    return relay_terminal(process, pty, streams.terminal_fd, streams.stdin_fd, output, stop_fd);
  }
  spawn.stdin_fd = streams.stdin_fd;
  Pipe out, err;
  if (output) {
    out = TRY(Pipe::open());
    err = TRY(Pipe::open());
    spawn.stdout_fd = out.writer.get();
    spawn.stderr_fd = err.writer.get();
  }
  auto process = TRY_DOING(sys::Process::start(spawn), format("starting {}", kind_));
  out.writer.reset();
  err.writer.reset();
  return relay_pipes(process, out.reader, err.reader, output, stop_fd);
}

/// What the runtime complained about, if it failed itself, is in `complaint` and not in the streams.
Result<sys::Exit> ProgramRuntime::relay_filtered(sys::Spawn& spawn, bool terminal, const Streams& streams, const std::string& log, int stop_fd, std::string& complaint) {
  ComplaintFilter filter(log, streams.output);
  Output output;
  if (streams.output) output = [&filter](int stream, std::string_view bytes) { filter(stream, bytes); };
  auto exit = TRY(start_and_relay(spawn, terminal, streams, terminal ? streams.output : output, stop_fd));
  if (exit.status != 0)
    if (auto text = sys::read_file(log, kMaxLogBytes)) complaint = complaint_in(*text);
  if (complaint.empty() && streams.output) filter.release();
  return exit;
}

Result<sys::Exit> ProgramRuntime::run_in(const ProcessSpec& spec, const Streams& streams, const Place& place, const task::Cancel& cancel) {
  Beside waiting(cgroups_.writable ? [this] { cgroups_.await_attachable(); } : std::function<void()>());
  TRY(write_bundle(spec, place));
  sys::Spawn start = spawn(spec, place);
  std::string complaint;
  auto exit = relay_filtered(start, spec.terminal, streams, place.log, cancel.fd(), complaint);
  // Without a pid namespace around it, killing the runtime leaves the container.
  if (!exit && spec.host_pid) (void)sys::run_and_capture(command(place, {"delete", "--force"}));
  if (!complaint.empty()) return fail(error_of_complaint(complaint, kind_));
  return exit;
}

Result<sys::Exit> ProgramRuntime::exec(const ContainerPlace& where, const json::Value& process, const Streams& streams, task::Cancel cancel) {
  const std::string name = where.folder + "/exec." + random_hex(6), file = name + ".json", log = name + ".log";
  TRY(sys::write_file(file, json::write(process), 0600));
  sys::Spawn start{.argv = command(Place{where.id, where.folder, log, where.cgroup}, {"exec", "--process", file})};
  std::string complaint;
  auto exit = relay_filtered(start, process.bool_or("terminal"), streams, log, cancel.fd(), complaint);
  ::unlink(file.c_str());
  ::unlink(log.c_str());
  if (!complaint.empty()) return fail(error_of_complaint(complaint, kind_));
  return exit;
}

Result<sys::Exit> ProgramRuntime::run(const ProcessSpec& spec, const Streams& streams, const std::string& temporary, task::Cancel cancel) {
  TRY(cancel.check());
  Place place;
  place.id = "mica-" + random_hex(8);
  place.bundle = temporary + "/" + place.id;
  place.log = place.bundle + "/log";
  if (cgroups_.writable) place.cgroup = (spec.cgroup_parent.empty() ? kCgroupFolder : join_path("/", spec.cgroup_parent)) + "/" + place.id;
  TRY(sys::make_directories(place.bundle, 0700));
  auto exit = run_in(spec, streams, place, cancel);
  if (!exit && !place.cgroup.empty()) cgroups_.remove(place.cgroup);
  if (auto removed = sys::remove_tree(place.bundle); !removed) log::debug("bundle stays: {}", removed.error().text());
  return exit;
}

constexpr const char* kConsoleSocket = "console";   // in the bundle's folder, where the runtime works
constexpr const char* kPidFile = "pid";

Result<StartedContainer> ProgramRuntime::start(const ProcessSpec& spec, const ContainerPlace& where, const ContainerStreams& streams, task::Cancel cancel) {
  const Place place = place_of(where);
  Beside waiting(cgroups_.writable ? [this] { cgroups_.await_attachable(); } : std::function<void()>());
  ::unlink(place.log.c_str());
  TRY(write_bundle(spec, place));
  std::vector<std::string> verb = run_verb(spec, place);
  verb.insert(verb.end(), {"--detach", "--pid-file", place.bundle + "/" + kPidFile});
  sys::Fd console;
  if (spec.terminal) {
    console = TRY(sys::listen_unix(place.bundle, kConsoleSocket));
    verb.insert(verb.end(), {"--console-socket", kConsoleSocket});
  }
  const auto null = TRY(sys::open("/dev/null", O_RDWR));
  auto or_null = [&](int fd) { return fd < 0 || spec.terminal ? null.get() : fd; };
  sys::Spawn spawn{.argv = command(place, verb), .cwd = place.bundle, .stdin_fd = or_null(streams.stdin_fd), .stdout_fd = or_null(streams.stdout_fd), .stderr_fd = or_null(streams.stderr_fd)};
  auto process = TRY_DOING(sys::Process::start(spawn), format("starting {}", kind_));
  const sys::Exit exit = TRY(process.wait(cancel.fd()));
  if (exit.status != 0) {
    forget(where);
    return fail(error_in_log(place.log, kind_, format("{} ended with status {}", kind_, exit.status)));
  }
  StartedContainer started;
  const std::string pid = TRY(sys::read_file(place.bundle + "/" + kPidFile, 64));
  started.pid = static_cast<int>(parse_int(trim(pid)).value_or(0));
  if (started.pid <= 0) return failf(Errc::unavailable, "{} wrote no process id", kind_);
  if (spec.terminal) {
    auto connection = TRY(sys::accept_unix(console));
    if (!connection) return failf(Errc::unavailable, "{} gave no terminal", kind_);
    started.terminal = TRY(sys::receive_descriptor(*connection));
    ::unlink((place.bundle + "/" + kConsoleSocket).c_str());
  }
  return started;
}

std::vector<std::string> ProgramRuntime::command(const ContainerPlace& place, const std::vector<std::string>& verb) const { return command(place_of(place), verb); }

Result<> ProgramRuntime::control(const ContainerPlace& where, const std::vector<std::string>& verb, std::string_view input) const {
  const Place place{where.id, where.folder, where.folder + "/control." + random_hex(4), where.cgroup};
  auto argv = command(place, verb);
  auto done = sys::run_and_capture(argv, kMaxLogBytes, input);
  Result<> result;
  if (!done) result = fail(error_in_log(place.log, kind_, done.error().text()));
  ::unlink(place.log.c_str());
  return result;
}

void ProgramRuntime::forget(const ContainerPlace& place) const {
  if (!place.cgroup.empty()) cgroups_.remove(place.cgroup);
  if (auto removed = sys::remove_tree(place.folder + "/state"); !removed) log::debug("runtime state stays: {}", removed.error().text());
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  for (std::string_view part : parts)
    if (text.find(part) != std::string_view::npos) return true;
  return false;
}

/// Control groups or files that stay behind say nothing about the command, which has run.
bool is_about_cleaning_up(std::string_view message) { return contains_any(message, {"ailed to remove", "unable to remove", "nable to destroy"}); }

}  // namespace

std::unique_ptr<OciRuntime> make_program_runtime(Program program, Cgroups cgroups) {
  return std::make_unique<ProgramRuntime>(std::move(program), std::move(cgroups));
}

Error error_in_log(const std::string& log_path, const std::string& runtime, const std::string& fallback) {
  std::string complaint;
  if (auto log = sys::read_file(log_path, kMaxLogBytes)) complaint = complaint_in(*log);
  return error_of_complaint(complaint.empty() ? fallback : complaint, runtime);
}

std::string complaint_in(std::string_view log) {
  std::string last;
  for (std::string_view line : split(log, '\n')) {
    auto entry = json::parse(line);
    if (!entry) continue;
    std::string level = entry->string_or("level");
    std::string message = entry->string_or("msg");
    if ((level == "error" || level == "fatal" || level == "panic") && !is_about_cleaning_up(message)) last = message;
  }
  return last;
}

Error error_of_complaint(const std::string& complaint, const std::string& runtime) {
  std::string_view text = complaint;
  for (std::string_view prefix : {"runc run failed: ", "runc create failed: ", "unable to start container process: ", "container_linux.go: "})
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  bool about_command = contains_any(text, {"exec: ", "exec /", "executable file", "exec format error", "exec container process"});
  if (about_command && contains_any(text, {"permission denied", "Permission denied", "is a directory", "exec format error", "Exec format error"}))
    return Error(Errc::permission_denied, std::string(text)).with_exit_status(126);
  if (about_command && contains_any(text, {"not found", "no such file or directory", "No such file or directory"}))
    return Error(Errc::not_found, std::string(text)).with_exit_status(127);
  return Error(Errc::unavailable, format("{}: {}", runtime, text)).with_exit_status(125);
}

}  // namespace mica::runtime
