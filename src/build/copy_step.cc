#include <fcntl.h>

#include "base/format.h"
#include "base/text.h"
#include "base/time.h"
#include "build/add_archive.h"
#include "build/add_remote.h"
#include "build/chmod.h"
#include "build/copy_select.h"
#include "build/copy_write.h"
#include "build/git_source.h"
#include "build/owner.h"
#include "build/step.h"

namespace mica::build {
namespace {

using snapshot::TreeView;

/// "stage build", "image alpine:3.20": for messages.
std::string name_of(const Graph& graph, VertexId id) {
  if (id == kNoVertex) return "an empty stage";
  const Vertex& vertex = graph.vertices[static_cast<std::size_t>(id)];
  if (const auto* base = std::get_if<BaseOp>(&vertex.op)) return "image " + base->image.name;
  const StagePlan& stage = graph.stages[static_cast<std::size_t>(vertex.stage)];
  return "stage " + (stage.name.empty() ? std::to_string(vertex.stage) : stage.name);
}

constexpr std::size_t kShownPath = 100;
constexpr std::size_t kMaxPath = 4095;   // what the kernel takes, and what unpacking a layer accepts

/// A layer that cannot become a tar, or that no one could unpack, would fail only later, far from what brought the name.
Result<> check_names(const snapshot::Listing& listing) {
  for (std::size_t i = 0; i < listing.size(); ++i) {
    const std::string_view path = listing.path(i);
    if (path.size() >= kMaxPath)
      return failf(Errc::invalid_argument, "the path {}... of {} bytes is too long: {} are possible", quoted("/" + std::string(path.substr(0, kShownPath))), path.size() + 1, kMaxPath);
    if (!path.substr(path.rfind('/') + 1).starts_with(".wh.")) continue;
    Error error(Errc::unsupported, format("{} cannot be kept in an image layer", quoted("/" + std::string(path))));
    return fail(std::move(error).with_hint("names that begin with \".wh.\" mark deleted files there: rename or exclude it"));
  }
  return {};
}

class CopyStep : public Step {
 public:
  CopyStep(const Vertex& vertex, const Graph& graph, Session& session)
      : vertex_(vertex), op_(std::get<CopyOp>(vertex.op)), graph_(graph), session_(session) {}

  /// With --link the layer is made on nothing and laid over whatever is below. --chmod takes that away, in Docker too.
  bool is_linked() const { return op_.link && op_.chmod.empty(); }
  bool needs_parent() const override { return !is_linked(); }

  Result<> prepare(task::Cancel cancel) override {
    if (!op_.chmod.empty()) chmod_ = TRY(Chmod::parse(op_.chmod));
    TRY(check_sources());
    selections_.resize(op_.sources.size());
    for (std::size_t i = 0; i < op_.sources.size(); ++i) TRY(prepare_source(op_.sources[i], selections_[i], cancel));
    return {};
  }

  Result<> key(const StepStates& states, Parts& parts, task::Cancel cancel) override {
    if (op_.from.kind == Origin::Kind::vertex) {
      auto view = TRY(session_.layers->view(states.of(vertex_, op_.from.vertex).chain));
      const auto tree = make_layer_tree(std::move(view), name_of(graph_, op_.from.vertex));
      for (std::size_t i = 0; i < op_.sources.size(); ++i)
        if (kind_of(op_.sources[i]) == SourceKind::local) TRY(select_local(*tree, op_.sources[i], selections_[i], cancel));
    }
    add_recipe(parts);
    if (!op_.chown.empty()) {
      const TreeView parent = TRY(session_.layers->view(states.parent.chain));
      add_owner_parts(op_.chown, parent, parts);
    }
    for (const InlineFile& file : op_.files) parts.push_back({"heredoc " + file.name, sha256_hex(file.content), false});
    for (const Selection& selection : selections_) add_parts(selection, parts);
    return {};
  }

  bool looks_into_trees() const override { return op_.from.kind == Origin::Kind::vertex || !op_.chown.empty(); }

  bool tree_key(const StepStates& states, Parts& parts) override {
    add_recipe(parts);
    for (const InlineFile& file : op_.files) parts.push_back({"heredoc " + file.name, sha256_hex(file.content), false});
    if (op_.from.kind == Origin::Kind::vertex) parts.push_back({"source tree", states.of(vertex_, op_.from.vertex).tree, false});
    if (!op_.chown.empty()) parts.push_back({"users of", states.parent.tree, false});
    for (const Selection& selection : selections_) add_parts(selection, parts);   // of contexts and addresses: known already
    return true;
  }

  Result<snapshot::LayerInfo> execute(const StepStates& states, const std::optional<Record>& earlier, OutputSink& output,
                                      task::Cancel cancel) override {
    const TreeView parent = TRY(session_.layers->view(states.parent.chain));
    const TreeView lower = is_linked() ? TreeView() : parent;
    CopyRules rules{.owner = std::nullopt, .chmod = chmod_, .now_ns = now().ns, .clamp_ns = session_.clamp_ns};
    if (!op_.chown.empty()) rules.owner = TRY(owner(parent, output));
    const Destination destination = TRY(find_destination(op_.destination, lower));

    auto staged = TRY(session_.layers->stage());
    snapshot::LayerWriter layer(staged, lower, *session_.pool);
    CopyWriter writer(layer, rules, earlier_layer(earlier), cancel);
    std::vector<std::string> left_out;
    for (Selection& selection : selections_)
      for (SelectedSource& source : selection) {
        const bool is_done = TRY(unpack(source, destination, lower, rules, layer, writer, left_out, cancel));
        if (!is_done) TRY(writer.place(source, destination));
      }
    TRY(writer.flush());
    left_out.insert(left_out.end(), writer.left_out().begin(), writer.left_out().end());
    for (const std::string& device : left_out)
      output.write(2, format("left out {}: only root can make devices\n", quoted(device)));
    for (const InlineFile& file : op_.files) TRY(writer.place(base_name(file.name), file.content, destination));
    selections_.clear();  // large, and the build may go on for long
    auto listing = TRY(layer.finish());
    TRY(check_names(listing));
    if (session_.clamp_ns) listing = TRY(clamp_times(staged, std::move(listing), *session_.clamp_ns));
    return session_.layers->commit(std::move(staged), listing, lower);
  }

 private:
  SourceKind kind_of(std::string_view source) const { return op_.add ? kind_of_source(source) : SourceKind::local; }

  Result<> check_sources() const {
    std::size_t remote = 0;
    for (const std::string& source : op_.sources) {
      const SourceKind kind = kind_of_source(source);
      if (kind == SourceKind::local) continue;
      ++remote;
      if (!op_.add)
        return failf(Errc::invalid_argument, "source can't be a {} for COPY: {}", kind == SourceKind::git ? "git ref" : "URL",
                     without_password(source));
    }
    if (op_.checksum.empty()) return {};
    if (op_.sources.size() != 1) return fail(Errc::invalid_argument, "checksum can't be specified for multiple sources");
    if (remote == 0) return fail(Errc::invalid_argument, "checksum requires HTTP(S) or Git sources");
    return {};
  }

  Result<> prepare_source(const std::string& text, Selection& selection, const task::Cancel& cancel) {
    switch (kind_of(text)) {
      case SourceKind::url: {
        auto source = TRY(add_url(text, op_, session_, cancel));
        selection.push_back(std::move(source));
        return {};
      }
      case SourceKind::git: {
        auto source = TRY(add_git(text, op_, session_, git_trees_.emplace_back(), cancel));
        selection.push_back(std::move(source));
        return {};
      }
      case SourceKind::local:
        break;
    }
    if (op_.from.kind != Origin::Kind::context) return {};  // selected when the state is there
    const auto index = static_cast<std::size_t>(op_.from.context);
    MICA_ASSERT(index < session_.contexts.size() && session_.contexts[index], "the planner names contexts of this session");
    return select_local(*session_.contexts[index], text, selection, cancel);
  }

  Result<> select_local(SourceTree& tree, const std::string& text, Selection& selection, const task::Cancel& cancel) const {
    TRY(select_source(tree, text, {.excludes = op_.excludes, .parents = op_.parents}, selection, cancel));
    for (SelectedSource& source : selection) source.unpack = op_.unpack.value_or(op_.add);
    return hash_selection(tree, selection, cancel);
  }

  /// What the Dockerfile asks for, expanded.
  void add_recipe(Parts& parts) const {
    const auto declare = [&](std::string name, std::string value) { parts.push_back({std::move(name), std::move(value), true}); };
    for (const std::string& source : op_.sources)
      declare("source", kind_of(source) == SourceKind::local ? source : without_password(source));
    declare("destination", op_.destination);
    if (!op_.chown.empty()) declare("--chown", op_.chown);
    if (!op_.chmod.empty()) declare("--chmod", op_.chmod);
    for (const std::string& pattern : op_.excludes) declare("--exclude", pattern);
    if (!op_.checksum.empty()) declare("--checksum", op_.checksum);
    if (op_.parents) declare("--parents", "");
    if (is_linked()) declare("--link", "");
    if (op_.keep_git_dir) declare("--keep-git-dir", "");
    if (op_.unpack.value_or(op_.add)) declare("unpack archives", "");
    if (session_.clamp_ns) declare("SOURCE_DATE_EPOCH", std::to_string(*session_.clamp_ns / 1'000'000'000));
  }

  Result<Owner> owner(const TreeView& parent, OutputSink& output) const {
    const FoundOwner found = TRY_DOING(find_owner(op_.chown, parent), "--chown");
    for (const std::string& unknown : found.unknown)
      output.write(2, format("--chown={}: the stage has no {}; it is left out\n", op_.chown, unknown));
    return found.owner;
  }

  EarlierLayer earlier_layer(const std::optional<Record>& earlier) const {
    if (!earlier) return {};
    auto listing = session_.layers->listing(earlier->layer);
    if (!listing) return {};  // no help, but no harm
    return {std::move(*listing), session_.layers->directory(earlier->layer)};
  }

  /// False when the source is no archive to unpack.
  Result<bool> unpack(const SelectedSource& source, const Destination& destination, const TreeView& lower, const CopyRules& rules,
                      snapshot::LayerWriter& layer, CopyWriter& writer, std::vector<std::string>& left_out,
                      const task::Cancel& cancel) const {
    const Node& top = source.entries.front().node;
    if (!source.unpack || top.type != snapshot::Type::file) return false;
    const auto folder = TRY(sys::open(top.source_dir, O_PATH | O_DIRECTORY));
    auto file = TRY_DOING(sys::open_strict(folder, top.source_path, O_RDONLY), format("reading {}", quoted("/" + source.shown)));
    const auto archive = TRY_DOING(Archive::open(std::move(file)), format("reading {}", quoted("/" + source.shown)));
    if (!archive) return false;
    TRY(writer.open_folder(destination.path, 0755));
    const UnpackRules how{.folder = destination.path, .owner = rules.owner, .now_ns = rules.now_ns, .clamp_ns = rules.clamp_ns};
    const auto devices =
        TRY_DOING(archive->unpack(layer, lower, how, cancel), format("unpacking {}", quoted("/" + source.shown)));
    left_out.insert(left_out.end(), devices.begin(), devices.end());
    return true;
  }

  const Vertex& vertex_;
  const CopyOp& op_;
  const Graph& graph_;
  Session& session_;
  std::optional<Chmod> chmod_;
  std::vector<Selection> selections_;                   // one a source
  std::vector<std::unique_ptr<SourceTree>> git_trees_;  // keep checked-out files
};

}  // namespace

std::unique_ptr<Step> make_copy_step(const Vertex& vertex, const Graph& graph, Session& session) {
  return std::make_unique<CopyStep>(vertex, graph, session);
}

}  // namespace mica::build
