#include "base/format.h"
#include "base/text.h"
#include "base/time.h"
#include "build/new_folder.h"
#include "build/owner.h"
#include "build/step.h"
#include "snapshot/layer_writer.h"

namespace mica::build {
namespace {

/// Makes the folders of a WORKDIR that are missing, as mkdir -p would inside the root filesystem: links are followed, dangling
/// ones too.
class WorkdirStep : public Step {
 public:
  WorkdirStep(const Vertex& vertex, Session& session) : op_(std::get<WorkdirOp>(vertex.op)), session_(session) {}

  Result<> key(const StepStates& states, Parts& parts, task::Cancel) override {
    add_recipe(parts);
    if (op_.user.empty()) return {};
    const snapshot::TreeView parent = TRY(session_.layers->view(states.parent.chain));
    add_owner_parts(op_.user, parent, parts);
    return {};
  }

  bool looks_into_trees() const override { return !op_.user.empty(); }

  /// The parent's identity is a part of any key, and says who its users are.
  bool tree_key(const StepStates&, Parts& parts) override {
    add_recipe(parts);
    return true;
  }

  Result<snapshot::LayerInfo> execute(const StepStates& states, const std::optional<Record>&, OutputSink& output,
                                      task::Cancel) override {
    const snapshot::TreeView parent = TRY(session_.layers->view(states.parent.chain));
    Owner owner;
    if (!op_.user.empty()) {
      const FoundOwner found = TRY_DOING(find_owner(op_.user, parent), "USER");
      for (const std::string& unknown : found.unknown)
        output.write(2, format("WORKDIR {}: the stage has no {} (USER {}); it is left out\n", op_.path, unknown, op_.user));
      owner = found.owner;
    }
    const std::string path = TRY(parent.resolve(clean_path("/" + op_.path).substr(1)));
    auto staged = TRY(session_.layers->stage());
    snapshot::LayerWriter layer(staged, parent, *session_.pool);
    const auto nearest = TRY(nearest_folder(path, parent));
    const snapshot::Meta fresh{.mode = 0755, .uid = owner.uid, .gid = owner.gid, .mtime_ns = now().ns};
    const bool is_there = path.empty() || (nearest && nearest->path == path);
    if (!is_there) TRY(layer.ensure_directory(path, new_folder(fresh, nearest, !op_.user.empty())));
    auto listing = TRY(layer.finish());
    if (session_.clamp_ns) listing = TRY(clamp_times(staged, std::move(listing), *session_.clamp_ns));
    return session_.layers->commit(std::move(staged), listing, parent);
  }

 private:
  void add_recipe(Parts& parts) const {
    parts.push_back({"path", op_.path, true});
    if (session_.clamp_ns) parts.push_back({"SOURCE_DATE_EPOCH", std::to_string(*session_.clamp_ns / 1'000'000'000), true});
    if (!op_.user.empty()) parts.push_back({"user", op_.user, true});
  }

  /// The deepest folder on the way to `path` that the tree has; nullopt: none but the root.
  static Result<std::optional<snapshot::Entry>> nearest_folder(const std::string& path, const snapshot::TreeView& tree) {
    std::optional<snapshot::Entry> nearest;
    snapshot::TreeFinder finder(tree);
    for (std::size_t end = 0; end < path.size();) {
      end = std::min(path.find('/', end + 1), path.size());
      const std::string_view part = std::string_view(path).substr(0, end);
      const auto found = finder.find(part);
      if (!found) break;
      if (found->entry.type != snapshot::Type::directory) return failf(Errc::conflict, "mkdir /{}: not a directory", part);
      nearest = snapshot::Entry::of(found->entry);
    }
    return nearest;
  }

  const WorkdirOp& op_;
  Session& session_;
};

}  // namespace

std::unique_ptr<Step> make_workdir_step(const Vertex& vertex, const Graph&, Session& session) {
  return std::make_unique<WorkdirStep>(vertex, session);
}

}  // namespace mica::build
