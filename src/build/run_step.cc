#include <fcntl.h>
#include <unistd.h>

#include <mutex>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "build/run_mounts.h"
#include "build/step.h"
#include "build/tidy_changes.h"
#include "base/environment.h"
#include "runtime/users.h"
#include "sys/process.h"

namespace mica::build {
namespace {

constexpr std::size_t kMaxUserFileBytes = 4 << 20;
constexpr const char* kCaInside = "/run/mica/ca-certificates.crt";
constexpr const char* kAptInside = "/etc/apt/apt.conf.d/99mica-ca";
constexpr const char* kShellInside = "/run/mica/busybox";
/// Variables by which programs find a CA bundle that is not where their distribution has it.
constexpr const char* kCaVariables[] = {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CARGO_HTTP_CAINFO"};

/// Gives a step's mounts back when its execution is over.
struct Release {
  RunMounts& mounts;
  ~Release() { mounts.release(); }
};

/// Where the time of a step goes, for the debug log (docs/run-environment.md, "What a start costs").
class Phases {
 public:
  void ended(std::string_view what) {
    const std::int64_t end = monotonic_ns();
    log::debug("step phase={} us={}", what, (end - begun_) / 1000);
    begun_ = end;
  }

 private:
  std::int64_t begun_ = monotonic_ns();
};

class RunStep : public Step {
 public:
  RunStep(const Vertex& vertex, const Graph& graph, Session& session)
      : op_(std::get<RunOp>(vertex.op)), session_(session), mounts_(vertex, graph, session) {}

  Result<> prepare(task::Cancel cancel) override { return mounts_.prepare(cancel); }

  Result<> key(const StepStates& states, Parts& parts, task::Cancel cancel) override {
    add_recipe(parts);
    return mounts_.key(states, parts, cancel);
  }

  bool looks_into_trees() const override { return mounts_.look_into_trees(); }

  bool tree_key(const StepStates& states, Parts& parts) override {
    add_recipe(parts);
    mounts_.tree_key(states, parts);
    return true;
  }

  Result<snapshot::LayerInfo> execute(const StepStates& states, const std::optional<Record>&, OutputSink& output, task::Cancel cancel) override {
    Phases phases;
    const auto lower = TRY(session_.layers->view(states.parent.chain));
    auto folder = TRY(sys::TempDir::create(session_.temporary, "run"));
    if (::chmod(folder.path().c_str(), 0711) != 0) return fail_errno("preparing the step's folder");   // other users of the step reach sockets in it
    const Release release{mounts_};   // a later step may wait for a cache of this one
    runtime::ProcessSpec spec;
    std::vector<MountPoint> points;
    TRY(fill(spec, lower, folder.path(), points, cancel));
    TRY(mounts_.make(states, folder.path(), spec, points, cancel));
    std::vector<snapshot::TreeView::Layer> extra;
    auto places = TRY_DOING(make_mount_points(lower, points, folder.path() + "/points"), "preparing mount points");
    if (places) extra.push_back(std::move(*places));

    phases.ended("files");
    auto* snapshotter = TRY(session_.snapshotter());
    auto* runtime = TRY(session_.runtime());
    auto root = TRY_DOING(snapshotter->writable(states.parent.chain, extra, cancel), "preparing the root filesystem");
    spec.rootfs = root->path();
    phases.ended("root");
    runtime::Streams streams;
    streams.output = [&output](int stream, std::string_view bytes) { output.write(stream, bytes); };
    const auto exit = runtime->run(spec, streams, folder.path(), cancel);
    phases.ended("runtime");
    if (!exit && exit.error().code() == Errc::cancelled) return fail(exit.error());
    if (!exit || exit->status != 0) {
      Error error = failure(exit);
      if (session_.debug_shell) TRY(open_shell(*runtime, spec, lower, folder.path(), output, cancel));
      return fail(std::move(error));
    }
    auto staged = TRY_DOING(root->take_changes(), "taking the step's changes");
    phases.ended("unmount");
    auto layer = commit(std::move(staged), lower, cancel);
    phases.ended("commit");
    return layer;
  }

 private:
  void add_recipe(Parts& parts) const {
    for (std::size_t i = 0; i < op_.argv.size(); ++i) parts.push_back({format("argument {}", i), op_.argv[i], true});
    for (const auto& variable : op_.env) {
      const auto pair = split_once(variable, '=');
      parts.push_back({"env " + std::string(pair ? pair->first : variable), pair ? std::string(pair->second) : "", true});
    }
    parts.push_back({"working directory", op_.cwd, true});
    parts.push_back({"user", op_.user, true});
    parts.push_back({"network", op_.network, true});
    parts.push_back({"host name", op_.hostname, true});
    if (op_.insecure) parts.push_back({"security", "insecure", true});
    if (op_.script) parts.push_back({"script " + op_.script->name, op_.script->content, true});
    for (const auto& [name, address] : session_.extra_hosts) parts.push_back({"extra host", name, true});
  }

  Result<> fill(runtime::ProcessSpec& spec, const snapshot::TreeView& lower, const std::string& folder, std::vector<MountPoint>& points, task::Cancel cancel) {
    const std::string passwd = lower.read_file("etc/passwd", kMaxUserFileBytes).value_or("");
    const std::string group = lower.read_file("etc/group", kMaxUserFileBytes).value_or("");
    const auto user = TRY(runtime::resolve_user(op_.user, passwd, group));
    spec.argv = op_.argv;
    spec.env = op_.env;
    // What is given to the build wins over ENV and over the defaults of ARG.
    for (const auto& [name, value] : session_.proxy_env) set_variable(spec.env, name, value);
    if (!has_variable(spec.env, "HOME")) spec.env.push_back("HOME=" + user.home);
    spec.cwd = op_.cwd;
    spec.uid = user.uid;
    spec.gid = user.gid;
    spec.additional_gids = user.additional_gids;
    spec.hostname = op_.hostname;
    spec.privileged = op_.insecure;
    spec.shm_bytes = session_.shm_bytes;
    spec.rlimits = session_.rlimits;
    spec.cgroup_parent = session_.cgroup_parent;
    spec.lean = true;
    TRY(network(spec, folder, points, cancel));
    if (!session_.ca_bundle.empty()) TRY(show_ca(spec, lower, folder, points));
    if (op_.script) TRY(show_script(spec, folder));
    return {};
  }

  Result<> network(runtime::ProcessSpec& spec, const std::string& folder, std::vector<MountPoint>& points, task::Cancel cancel) {
    runtime::BuildNetwork* network = nullptr;
    if (op_.network == "host") {
      spec.network = runtime::NetworkMode::host;
    } else if (op_.network == "default") {
      network = TRY(session_.network(cancel));
      spec.network = runtime::NetworkMode::namespace_path;
      spec.network_namespace = network->namespace_path();
    }
    const auto hosts = runtime::with_gateway(session_.extra_hosts, network);
    const std::string resolv = TRY(runtime::resolv_conf(network ? network->nameservers() : std::vector<std::string>(), op_.network == "host"));
    TRY(sys::write_file(folder + "/resolv.conf", resolv));
    TRY(sys::write_file(folder + "/hosts", runtime::step_hosts_file(op_.hostname, hosts)));
    for (const char* name : {"resolv.conf", "hosts"}) show_file(spec, points, folder + "/" + name, std::string("/etc/") + name, false);
    return {};
  }

  static void show_file(runtime::ProcessSpec& spec, std::vector<MountPoint>& points, std::string source, std::string target, bool read_only) {
    points.push_back({target, true});
    spec.mounts.push_back({.source = std::move(source), .destination = std::move(target), .read_only = read_only, .recursive = false});
  }

  /// The bundle gets a place of its own: over the image's bundle, update-ca-certificates could not put a new one.
  Result<> show_ca(runtime::ProcessSpec& spec, const snapshot::TreeView& lower, const std::string& folder, std::vector<MountPoint>& points) {
    show_file(spec, points, session_.ca_bundle, kCaInside, true);
    for (const char* name : kCaVariables)
      if (!has_variable(spec.env, name)) spec.env.push_back(format("{}={}", name, kCaInside));
    const auto apt = lower.find("etc/apt/apt.conf.d");
    if (!apt || apt->entry.type != snapshot::Type::directory) return {};
    TRY(sys::write_file(folder + "/apt.conf", format("Acquire::https::CAInfo \"{}\";\n", kCaInside)));
    show_file(spec, points, folder + "/apt.conf", kAptInside, true);
    return {};
  }

  Result<> show_script(runtime::ProcessSpec& spec, const std::string& folder) {
    const std::string path = folder + "/script";
    TRY(sys::write_file(path, op_.script->content, 0755));
    if (::chmod(path.c_str(), 0755) != 0) return fail_errno("preparing the script");
    spec.mounts.push_back({.source = path, .destination = "/dev/pipes/" + op_.script->name, .read_only = true, .recursive = false});
    return {};
  }

  Error failure(const Result<sys::Exit>& exit) const {
    std::string command = join(op_.argv, " ");
    if (!exit) {
      Error error = exit.error();
      std::move(error).doing(format("running {}", quoted(command)));
      return error;
    }
    std::string how = format("exit code: {}", exit->status);
    if (exit->signal != 0) how += format(" (signal {})", exit->signal);
    if (exit->signal == 9) how += ", killed: perhaps for lack of memory";
    Error error(Errc::conflict, format("process {} did not complete successfully: {}", quoted(command), how));
    if (!session_.debug_shell) std::move(error).with_hint("add --debug for a shell in the state in which the step failed");
    return error;
  }

  Result<snapshot::LayerInfo> commit(snapshot::StagedLayer staged, const snapshot::TreeView& lower, task::Cancel cancel) {
    const auto root = TRY(sys::open(staged.fs(), O_RDONLY | O_DIRECTORY));
    auto listing = TRY_DOING(snapshot::scan_layer(root, *session_.pool, cancel), "listing the step's changes");
    listing = TRY(tidy_changes(staged, listing, lower));
    if (session_.clamp_ns) listing = TRY(clamp_times(staged, std::move(listing), *session_.clamp_ns));
    return session_.layers->commit(std::move(staged), listing, lower);
  }

  /// A shell in the failed step's root filesystem, with its mounts, user and environment. Images without a shell get busybox from here.
  Result<> open_shell(runtime::OciRuntime& runtime, runtime::ProcessSpec spec, const snapshot::TreeView& lower, const std::string& folder, OutputSink& output,
                      task::Cancel cancel) {
    static std::mutex one_terminal;
    const std::lock_guard lock(one_terminal);
    spec.argv = {"/bin/sh"};
    const std::string shell = TRY(lower.resolve("bin/sh"));
    if (!lower.find(shell)) {
      const auto busybox = sys::find_program("busybox");
      if (!busybox) {
        output.write(2, "mica: the image has no shell, and busybox (package busybox-static) is not installed here: no debug shell\n");
        return {};
      }
      spec.argv = {kShellInside, "sh"};
      spec.mounts.push_back({.source = *busybox, .destination = kShellInside, .read_only = true, .recursive = false});
    }
    if (!has_variable(spec.env, "TERM")) spec.env.push_back("TERM=xterm");
    spec.terminal = true;
    output.shell(true);
    runtime::Streams streams;
    streams.stdin_fd = STDIN_FILENO;
    streams.terminal_fd = STDIN_FILENO;
    const auto exit = runtime.run(spec, streams, folder, cancel);
    output.shell(false);
    if (!exit) log::debug("the debug shell failed: {}", exit.error().text());
    return {};
  }

  const RunOp& op_;
  Session& session_;
  RunMounts mounts_;
};

}  // namespace

std::unique_ptr<Step> make_run_step(const Vertex& vertex, const Graph& graph, Session& session) {
  return std::make_unique<RunStep>(vertex, graph, session);
}

}  // namespace mica::build
