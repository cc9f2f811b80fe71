#include "snapshot/tree_view.h"

#include <fcntl.h>

#include <algorithm>

#include "base/format.h"
#include "snapshot/open_below.h"
#include "snapshot/resolve_links.h"

namespace mica::snapshot {
namespace {

const EntryView kRoot{.type = Type::directory, .mode = 0755};

}  // namespace

std::optional<TreeView::Found> TreeView::find(std::string_view path) const { return TreeFinder(*this).find(path); }

Result<std::string> TreeView::resolve(std::string_view path, bool follow_last) const {
  TreeFinder finder(*this);
  return resolve_links(path, follow_last, [&finder](const std::string& at) -> std::optional<std::string> {
    const auto found = finder.find(at);
    if (!found || found->entry.type != Type::symlink) return std::nullopt;
    return std::string(found->entry.link);
  });
}

std::vector<std::string> TreeView::children(std::string_view directory) const {
  struct Child {
    std::string_view name;
    bool visible;
  };
  std::vector<Child> all;
  TreeFinder finder(*this);
  for (const std::uint32_t layer : finder.layers_of(directory)) {
    const Listing& listing = layers_[layer].listing;
    const std::size_t end = listing.below_end(directory), skip = directory.empty() ? 0 : directory.size() + 1;
    for (std::size_t i = listing.below_begin(directory); i < end;) {
      const std::string_view path = listing.path(i);
      const std::size_t slash = path.find('/', skip);
      // What lies deeper is passed over at one go.
      if (slash != path.npos) i = std::max(i + 1, listing.below_end(path.substr(0, slash)));
      else if (path.size() > skip) all.push_back({path.substr(skip), listing[i++].type != Type::whiteout});
      else ++i;
    }
  }
  // Of one name the top-most layer's comes first and decides.
  std::stable_sort(all.begin(), all.end(), [](const Child& a, const Child& b) { return a.name < b.name; });
  std::vector<std::string> names;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].visible && (i == 0 || all[i].name != all[i - 1].name)) names.emplace_back(all[i].name);
  return names;
}

Result<std::string> TreeView::read_file(std::string_view path, std::size_t limit) const {
  const std::string resolved = TRY(resolve(path));
  const auto found = find(resolved);
  if (!found) return failf(Errc::not_found, "no file {}", quoted(path));
  if (found->entry.type != Type::file) return failf(Errc::not_found, "{} is not a regular file", quoted(path));
  const auto file = TRY(open_file(*found));
  return TRY_DOING(sys::read_fd(file, limit), format("reading {}", quoted(path)));
}

Result<sys::Fd> TreeView::open_file(const Found& found) const {
  const std::string_view path = found.entry.path;
  if (found.entry.type != Type::file) return failf(Errc::invalid_argument, "{} is not a regular file", quoted(path));
  MICA_ASSERT(found.layer < layers_.size(), "found in this tree");
  const auto root = TRY(sys::open(layers_[found.layer].directory, O_PATH | O_DIRECTORY));
  return open_below(root, path, O_RDONLY | O_NOFOLLOW);
}

TreeFinder::TreeFinder(const TreeView& tree) : tree_(tree), folders_(1) {
  auto& all = folders_[0].layers;
  all.resize(tree.layers().size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint32_t>(all.size() - 1 - i);
}

std::optional<TreeView::Found> TreeFinder::find(std::string_view path) {
  if (path.empty()) return TreeView::Found{kRoot, 0};
  const std::size_t slash = path.rfind('/');
  const Folder& parent = enter(slash == path.npos ? std::string_view() : path.substr(0, slash));
  return look_up(path, parent, nullptr);
}

const std::vector<std::uint32_t>& TreeFinder::layers_of(std::string_view folder) { return enter(folder).layers; }

const TreeFinder::Folder& TreeFinder::enter(std::string_view folder) {
  const auto [mine, theirs] = std::mismatch(path_.begin(), path_.end(), folder.begin(), folder.end());
  const auto common = static_cast<std::size_t>(mine - path_.begin());
  const auto is_above = [&](std::size_t length) {
    return length == 0 || (length <= common && (length == folder.size() || folder[length] == '/'));
  };
  while (!is_above(folders_.back().length)) folders_.pop_back();
  path_.assign(folder);
  while (folders_.back().length < folder.size()) {
    const std::size_t start = folders_.back().length == 0 ? 0 : folders_.back().length + 1;
    Folder next{.length = std::min(folder.find('/', start), folder.size())};
    look_up(folder.substr(0, next.length), folders_.back(), &next.layers);
    folders_.push_back(std::move(next));
  }
  return folders_.back();
}

std::optional<TreeView::Found> TreeFinder::look_up(std::string_view path, const Folder& in, std::vector<std::uint32_t>* layers) const {
  std::optional<TreeView::Found> top;
  for (const std::uint32_t layer : in.layers) {
    const Listing& listing = tree_.layers()[layer].listing;
    const std::size_t index = listing.find(path);
    if (index == listing.size()) continue;
    EntryView entry = listing[index];
    if (entry.type == Type::whiteout) break;
    const bool last = entry.opaque || entry.type != Type::directory;
    entry.opaque = false;
    if (!top) top = TreeView::Found{entry, layer};
    if (layers && entry.type == Type::directory) layers->push_back(layer);
    if (last || !layers) break;
  }
  return top;
}

}  // namespace mica::snapshot
