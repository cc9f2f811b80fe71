#include "build/run_mounts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "build/cache_mounts.h"
#include "build/materialise.h"
#include "build/ssh_forward.h"
#include "base/environment.h"
#include "sys/mount.h"

namespace mica::build {
namespace {

using dockerfile::MountSpec;
using dockerfile::MountType;

std::string_view type_name(MountType type) {
  switch (type) {
    case MountType::bind: return "bind";
    case MountType::cache: return "cache";
    case MountType::tmpfs: return "tmpfs";
    case MountType::secret: return "secret";
    case MountType::ssh: return "ssh";
  }
  return "";
}

bool is_read_only(const MountSpec& spec) { return spec.read_only.value_or(spec.type == MountType::bind); }

std::uint32_t octal_or(const std::string& text, std::uint32_t fallback) {
  const auto value = parse_octal(text);
  return value ? static_cast<std::uint32_t>(*value) : fallback;
}
std::uint32_t number_or(const std::string& text, std::uint32_t fallback) {
  const auto value = parse_int(text);
  return value ? static_cast<std::uint32_t>(*value) : fallback;
}

/// "source=/a" and "a/" mean the same path of a tree.
std::string tree_path(const std::string& source) {
  const std::string clean = clean_path("/" + source);
  return clean.substr(1);
}

bool shows_part_of_tree(const RunMount& mount) {
  return mount.spec.type == MountType::bind && mount.from.kind == Origin::Kind::vertex && !tree_path(mount.spec.source).empty();
}

/// What a mount is, without its content.
void add_form(const MountSpec& spec, Parts& parts) {
  std::string form(type_name(spec.type));
  if (spec.type == MountType::bind) form += is_read_only(spec) ? " ro" : " rw";
  if (spec.type == MountType::tmpfs) form += " " + spec.size;
  if (spec.type == MountType::secret) form += format(" {} {}", spec.id, spec.env);
  parts.push_back({spec.target.empty() ? format("mount {}", spec.id) : "mount " + spec.target, form, true});
}

bool is_required(const MountSpec& spec) { return to_lower(spec.required) == "true" || spec.required == "1"; }

}  // namespace

struct RunMounts::Impl {
  Impl(const Vertex& vertex_, const Graph& graph_, Session& session_)
      : vertex(vertex_), op(std::get<RunOp>(vertex_.op)), graph(graph_), session(session_), shown(op.mounts.size()) {}

  /// What holds a mount while the step runs.
  struct Held {
    std::unique_ptr<snapshot::RootFs> root;
    std::optional<CacheMount> cache;
    std::unique_ptr<SshForward> ssh;
    std::optional<sys::Mount> mount;
  };

  Result<std::vector<Node>> nodes_of(const Origin& from, const std::string& source, const StepStates& states, task::Cancel cancel) {
    if (from.kind == Origin::Kind::context) {
      auto nodes = TRY(nodes_below(*session.contexts[static_cast<std::size_t>(from.context)], tree_path(source), cancel));
      return nodes;
    }
    auto view = TRY(session.layers->view(states.of(vertex, from.vertex).chain));
    const auto tree = make_layer_tree(std::move(view), "the mount's source");
    return nodes_below(*tree, tree_path(source), cancel);
  }

  /// Of a mount that shows files of a context, or a whole root filesystem.
  void add_known_content(std::size_t index, const StepStates& states, Parts& parts) const {
    const RunMount& mount = op.mounts[index];
    if (mount.spec.type != MountType::bind) return;
    if (mount.from.kind == Origin::Kind::context) {
      for (const Node& node : shown[index])
        if (!node.path.empty()) parts.push_back({"file " + node.path, hex(node.identity()), false});
    } else {
      parts.push_back({"content at " + mount.spec.target, states.of(vertex, mount.from.vertex).tree, false});
    }
  }

  /// Of a part of a root filesystem.
  void add_content(const RunMount& mount, const std::vector<Node>& nodes, Parts& parts) const {
    Sha256 hash;
    const std::size_t top = nodes[0].path.size();
    for (const Node& node : nodes) {
      hash.field(std::string_view(node.path).substr(top));
      const auto identity = node.identity();
      hash.field(std::string_view(reinterpret_cast<const char*>(identity.data()), identity.size()));
    }
    parts.push_back({"content at " + mount.spec.target, hash.finish_hex(), false});
  }

  Result<> bind(std::size_t index, const StepStates& states, const std::string& folder, runtime::BindMount& made, bool& is_file, Held& held, task::Cancel cancel) {
    const RunMount& mount = op.mounts[index];
    const bool writable = !is_read_only(mount.spec);
    if (mount.from.kind == Origin::Kind::context) {
      made.source = format("{}/bind-{}", folder, index);
      is_file = shown[index][0].type != snapshot::Type::directory;
      return materialise(shown[index], made.source, cancel);
    }
    const auto& chain = states.of(vertex, mount.from.vertex).chain;
    const auto view = TRY(session.layers->view(chain));
    const std::string path = TRY(view.resolve(tree_path(mount.spec.source)));
    const auto found = view.find(path);
    is_file = found && found->entry.type != snapshot::Type::directory;
    auto* snapshotter = TRY(session.snapshotter());
    held.root = writable ? TRY(snapshotter->writable(chain, cancel)) : TRY(snapshotter->read_only(chain, cancel));
    made.source = path.empty() ? held.root->path() : held.root->path() + "/" + path;
    return {};
  }

  Result<> cache(const RunMount& mount, const StepStates& states, runtime::BindMount& made, Held& held, task::Cancel cancel) {
    const MountSpec& spec = mount.spec;
    CacheMountRequest request{.key = mount.cache_key, .id = spec.id, .target = spec.target, .sharing = spec.sharing, .mode = octal_or(spec.mode, 0755),
                              .uid = number_or(spec.uid, 0), .gid = number_or(spec.gid, 0)};
    if (mount.seeded)
      request.seed = [this, &mount, &states, cancel](const std::string& target) -> Result<> {
        const auto nodes = TRY(nodes_of(mount.from, mount.spec.source, states, cancel));
        if (nodes[0].type != snapshot::Type::directory) return failf(Errc::invalid_argument, "{} is not a folder", quoted(mount.spec.source));
        TRY(sys::remove_tree(target));
        return materialise(nodes, target, cancel);
      };
    held.cache = TRY(open_cache_mount(session.cache_mounts, request, cancel));
    made.source = held.cache->path;
    return {};
  }

  /// nullopt: there is no such secret, and the step can do without.
  Result<std::optional<std::string>> secret_value(const MountSpec& spec) {
    for (const auto& secret : session.secrets)
      if (secret.id == spec.id) return std::optional(secret.value.reveal());
    if (is_required(spec))
      return fail(Error(Errc::not_found, format("secret {}: not found", spec.id)).with_hint(format("give it with --secret id={},src=FILE or env=NAME", spec.id)));
    return std::optional<std::string>();
  }

  /// Secrets lie in memory only: a tmpfs of our own mount namespace.
  Result<bool> secret(std::size_t index, const std::string& folder, runtime::ProcessSpec& process, runtime::BindMount& made) {
    const MountSpec& spec = op.mounts[index].spec;
    const auto value = TRY(secret_value(spec));
    if (!value) return false;
    if (!spec.env.empty()) process.env.push_back(spec.env + "=" + *value);
    if (spec.target.empty()) return false;
    const std::string memory = folder + "/secrets";
    if (!sys::exists(memory)) {
      TRY(sys::make_directories(memory, 0700));
      Held& held = holds.emplace_back();
      held.mount = TRY_DOING(sys::Mount::tmpfs(memory, "mode=0700"), "making a place for secrets");
    }
    made.source = format("{}/{}", memory, index);
    TRY(sys::write_file(made.source, *value, 0600));
    if (::chown(made.source.c_str(), number_or(spec.uid, 0), number_or(spec.gid, 0)) != 0) return fail_errno("giving a secret its owner");
    if (::chmod(made.source.c_str(), octal_or(spec.mode, 0400)) != 0) return fail_errno("giving a secret its mode");
    return true;
  }

  /// Mounted by us and bound into the container, so that the shell of --debug still sees what the step wrote. Over a folder of the image
  /// it has that one's mode, as with Docker.
  Result<> memory(std::size_t index, const StepStates& states, const std::string& folder, runtime::BindMount& made, Held& held) {
    const MountSpec& spec = op.mounts[index].spec;
    const auto lower = TRY(session.layers->view(states.parent.chain));
    const std::string path = TRY(lower.resolve(tree_path(spec.target)));
    const auto covered = lower.find(path);
    std::string options = format("dev,mode={:o}", covered && covered->entry.type == snapshot::Type::directory ? covered->entry.mode : 01777u);
    if (!spec.size.empty()) {
      const std::int64_t size = TRY(parse_size(spec.size));
      options += format(",size={}", size);
    }
    made.source = format("{}/memory-{}", folder, index);
    TRY(sys::make_directories(made.source, 0700));
    held.mount = TRY(sys::Mount::tmpfs(made.source, options));
    return {};
  }

  Result<bool> ssh(std::size_t index, const std::string& folder, runtime::ProcessSpec& process, runtime::BindMount& made, Held& held) {
    const MountSpec& spec = op.mounts[index].spec;
    const std::string id = spec.id.empty() ? "default" : spec.id;
    const auto source = std::find_if(session.ssh.begin(), session.ssh.end(), [&](const SshSource& s) { return s.id == id; });
    if (source == session.ssh.end()) {
      if (!is_required(spec)) return false;
      return fail(Error(Errc::not_found, format("unset ssh forward key {}", id)).with_hint(format("give an agent or a key with --ssh {}", id)));
    }
    held.ssh = TRY(forward_ssh(*source, format("{}/ssh-{}", folder, index), octal_or(spec.mode, 0600), number_or(spec.uid, 0), number_or(spec.gid, 0)));
    made.source = held.ssh->socket_path();
    if (!has_variable(process.env, "SSH_AUTH_SOCK")) process.env.push_back("SSH_AUTH_SOCK=" + spec.target);
    return true;
  }

  Result<> make_one(std::size_t index, const StepStates& states, const std::string& folder, runtime::ProcessSpec& process, std::vector<MountPoint>& points,
                    task::Cancel cancel) {
    const MountSpec& spec = op.mounts[index].spec;
    Held held;
    runtime::BindMount made{.destination = spec.target, .read_only = is_read_only(spec)};
    bool is_file = false, wanted = true;
    switch (spec.type) {
      case MountType::bind: TRY(bind(index, states, folder, made, is_file, held, cancel)); break;
      case MountType::cache: TRY(cache(op.mounts[index], states, made, held, cancel)); break;
      case MountType::tmpfs:
        TRY(memory(index, states, folder, made, held));
        made.read_only = false;
        break;
      case MountType::secret:
        wanted = TRY(secret(index, folder, process, made));
        is_file = made.read_only = true;
        break;
      case MountType::ssh:
        wanted = TRY(ssh(index, folder, process, made, held));
        is_file = true;
        break;
    }
    if (!wanted) return {};
    points.push_back({spec.target, is_file});
    process.mounts.push_back(std::move(made));
    holds.push_back(std::move(held));
    return {};
  }

  const Vertex& vertex;
  const RunOp& op;
  const Graph& graph;
  Session& session;
  std::vector<std::vector<Node>> shown;   // by mount: what bind mounts of contexts show
  std::vector<Held> holds;
};

RunMounts::RunMounts(const Vertex& vertex, const Graph& graph, Session& session) : impl_(std::make_unique<Impl>(vertex, graph, session)) {}

RunMounts::~RunMounts() { release(); }

void RunMounts::release() {
  while (!impl_->holds.empty()) impl_->holds.pop_back();   // last made, first gone
}

Result<> RunMounts::prepare(task::Cancel cancel) {
  for (std::size_t i = 0; i < impl_->op.mounts.size(); ++i) {
    const RunMount& mount = impl_->op.mounts[i];
    if (mount.spec.type != MountType::bind || mount.from.kind != Origin::Kind::context) continue;
    auto& tree = *impl_->session.contexts[static_cast<std::size_t>(mount.from.context)];
    impl_->shown[i] = TRY(nodes_below(tree, tree_path(mount.spec.source), cancel));
    std::vector<Node*> files;
    for (Node& node : impl_->shown[i])
      if (node.type == snapshot::Type::file && !node.digest) files.push_back(&node);
    TRY(tree.hash(files, cancel));
  }
  return {};
}

Result<> RunMounts::key(const StepStates& states, Parts& parts, task::Cancel cancel) {
  for (std::size_t i = 0; i < impl_->op.mounts.size(); ++i) {
    const RunMount& mount = impl_->op.mounts[i];
    add_form(mount.spec, parts);
    if (shows_part_of_tree(mount)) {
      const auto nodes = TRY(impl_->nodes_of(mount.from, mount.spec.source, states, cancel));
      impl_->add_content(mount, nodes, parts);
    } else {
      impl_->add_known_content(i, states, parts);
    }
  }
  return {};
}

bool RunMounts::look_into_trees() const { return std::any_of(impl_->op.mounts.begin(), impl_->op.mounts.end(), shows_part_of_tree); }

void RunMounts::tree_key(const StepStates& states, Parts& parts) const {
  for (std::size_t i = 0; i < impl_->op.mounts.size(); ++i) {
    const RunMount& mount = impl_->op.mounts[i];
    add_form(mount.spec, parts);
    if (shows_part_of_tree(mount)) parts.push_back({"source", mount.spec.source, true});
    impl_->add_known_content(i, states, parts);
  }
}

Result<> RunMounts::make(const StepStates& states, const std::string& folder, runtime::ProcessSpec& spec, std::vector<MountPoint>& points, task::Cancel cancel) {
  for (std::size_t i = 0; i < impl_->op.mounts.size(); ++i)
    TRY_DOING(impl_->make_one(i, states, folder, spec, points, cancel), format("mounting {}", impl_->op.mounts[i].spec.target));
  return {};
}

}  // namespace mica::build
