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

 private:
  struct Place {
    std::string id, bundle, log, cgroup;
  };
  Result<> write_bundle(const ProcessSpec& spec, const Place& place) const;
  std::vector<std::string> command(const Place& place, std::vector<std::string> verb) const;
  sys::Spawn spawn(const ProcessSpec& spec, const Place& place) const;
  Result<sys::Exit> run_in(const ProcessSpec& spec, const Streams& streams, const Place& place, const task::Cancel& cancel);
  Result<sys::Exit> start_and_relay(sys::Spawn& spawn, const ProcessSpec& spec, const Streams& streams, const Output& output, int stop_fd);

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

sys::Spawn ProgramRuntime::spawn(const ProcessSpec& spec, const Place& place) const {
  std::vector<std::string> verb = {"run", "--bundle", place.bundle};
  // The default filter refuses the keyring calls; a keyring a container would only use up the user's quota of them.
  bool filtered = spec.seccomp.empty() && !spec.privileged;
  if (filtered && (kind_ == "runc" || kind_ == "crun")) verb.insert(verb.begin() + 1, "--no-new-keyring");
  return {.argv = command(place, verb), .new_pid_namespace = !spec.host_pid};
}

Result<sys::Exit> ProgramRuntime::start_and_relay(sys::Spawn& spawn, const ProcessSpec& spec, const Streams& streams, const Output& output,
                                                  int stop_fd) {
  if (spec.terminal) {
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

Result<sys::Exit> ProgramRuntime::run_in(const ProcessSpec& spec, const Streams& streams, const Place& place, const task::Cancel& cancel) {
  Beside waiting(cgroups_.writable ? [this] { cgroups_.await_attachable(); } : std::function<void()>());
  TRY(write_bundle(spec, place));
  sys::Spawn start = spawn(spec, place);
  ComplaintFilter filter(place.log, streams.output);
  Output output;
  if (streams.output) output = [&filter](int stream, std::string_view bytes) { filter(stream, bytes); };
  auto exit = start_and_relay(start, spec, streams, spec.terminal ? streams.output : output, cancel.fd());
  if (!exit) {
    // Without a pid namespace around it, killing the runtime leaves the container.
    if (spec.host_pid) (void)sys::run_and_capture(command(place, {"delete", "--force"}));
    return exit;
  }
  std::string complaint;
  if (exit->status != 0)
    if (auto log = sys::read_file(place.log, kMaxLogBytes)) complaint = complaint_in(*log);
  if (!complaint.empty()) return fail(error_of_complaint(complaint, kind_));
  if (streams.output) filter.release();
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
