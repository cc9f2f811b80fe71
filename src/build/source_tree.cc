#include "build/source_tree.h"

#include <unordered_map>

#include "base/format.h"
#include "base/guarded.h"
#include "snapshot/resolve_links.h"

namespace mica::build {
namespace {

/// FNV-1a: equal for all names of one inode, which share the layer and the first path.
std::uint64_t group_of(std::size_t layer, std::string_view first_path) {
  std::uint64_t hash = 14695981039346656037u ^ layer;
  for (const char c : first_path) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash ? hash : 1;
}

std::string_view parent_of(std::string_view path) { return path.substr(0, path.find('/') == path.npos ? 0 : path.rfind('/')); }

class LayerTree : public SourceTree {
 public:
  LayerTree(snapshot::TreeView view, std::string name) : view_(std::move(view)), name_(std::move(name)) {}

  Result<std::optional<Node>> find(std::string_view path) override {
    const auto found = view_.find(path);
    if (!found) return std::nullopt;
    return node_of(*found);
  }

  Result<std::vector<Node>> children(std::string_view path) override {
    if (auto expected = take_expected(path)) return std::move(*expected);
    std::vector<Node> nodes;
    snapshot::TreeFinder finder(view_);
    const std::string prefix = path.empty() ? std::string() : std::string(path) + "/";
    for (const std::string& name : view_.children(path))
      if (const auto found = finder.find(prefix + name)) nodes.push_back(node_of(*found));
    return nodes;
  }

  /// One pass over the listings instead of a search for each entry. Byte order of full paths keeps siblings in order of names.
  void expect_all_below(std::string_view path) override {
    std::unordered_map<std::string, std::vector<Node>> folders;
    folders[std::string(path)];
    std::vector<Node>* siblings = nullptr;
    std::string_view siblings_of;
    view_.walk(path, [&](const snapshot::TreeView::Found& found) {
      const std::string_view parent = parent_of(found.entry.path);
      if (!siblings || parent != siblings_of) {
        const auto at = folders.try_emplace(std::string(parent)).first;
        siblings = &at->second;
        siblings_of = at->first;
      }
      siblings->push_back(node_of(found));
      if (found.entry.type == snapshot::Type::directory) folders.try_emplace(std::string(found.entry.path));
      return true;
    });
    expected_.lock()->merge(folders);
  }

  Result<> hash(std::span<Node*> files, task::Cancel) override {
    for (const Node* file : files) MICA_ASSERT(file->digest, "listings know all digests");
    return {};
  }
  bool is_local_context() const override { return false; }
  std::string name() const override { return name_; }

 private:
  Node node_of(const snapshot::TreeView::Found& found) const {
    const snapshot::EntryView& entry = found.entry;
    Node node{.path = std::string(entry.path),
              .type = entry.type,
              .mode = entry.mode,
              .uid = entry.uid,
              .gid = entry.gid,
              .size = entry.size};
    node.mtime_ns = entry.mtime_ns;
    node.device = entry.device;
    node.link = entry.link;
    node.xattrs = entry.xattrs;
    if (entry.type != snapshot::Type::file) return node;
    node.digest = entry.digest;
    node.inode_group = group_of(found.layer, entry.hard_link.empty() ? entry.path : entry.hard_link);
    node.source_dir = view_.layers()[found.layer].directory;
    node.source_path = entry.path;
    return node;
  }

  std::optional<std::vector<Node>> take_expected(std::string_view path) {
    auto expected = expected_.lock();
    if (expected->empty()) return std::nullopt;
    auto taken = expected->extract(std::string(path));
    if (taken.empty()) return std::nullopt;
    return std::move(taken.mapped());
  }

  const snapshot::TreeView view_;
  const std::string name_;
  Guarded<std::unordered_map<std::string, std::vector<Node>>> expected_;  // handed out once each
};

}  // namespace

Sha256Bytes Node::identity() const {
  MICA_ASSERT(type != snapshot::Type::file || digest, "a file is hashed before it is compared");
  snapshot::EntryView entry{.type = type, .mode = mode, .uid = uid, .gid = gid, .size = size};
  entry.device = device;
  if (digest) entry.digest = *digest;
  entry.link = link;
  entry.xattrs = xattrs;
  return entry.identity();
}

Result<std::string> SourceTree::resolve(std::string_view path, bool follow_last) {
  std::optional<Error> failed;
  auto resolved = snapshot::resolve_links(path, follow_last, [&](const std::string& at) -> std::optional<std::string> {
    if (failed) return std::nullopt;
    auto node = find(at);
    if (!node)
      failed = std::move(node).error();
    else if (*node && (*node)->type == snapshot::Type::symlink)
      return std::move((*node)->link);
    return std::nullopt;
  });
  if (failed) return fail(std::move(*failed));
  return resolved;
}

std::unique_ptr<SourceTree> make_layer_tree(snapshot::TreeView view, std::string name) {
  return std::make_unique<LayerTree>(std::move(view), std::move(name));
}

}  // namespace mica::build
