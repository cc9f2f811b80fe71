/// The merged tree of a chain of layers, answered from their listings without a mount.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "snapshot/listing.h"

namespace mica::snapshot {

/// Reading is thread-safe; copies share the listings.
class TreeView {
 public:
  struct Layer {
    Listing listing;
    std::string directory;          ///< the layer's fs folder, for opening contents
  };
  TreeView() = default;             ///< the empty tree (scratch)
  explicit TreeView(std::vector<Layer> bottom_first) : layers_(std::move(bottom_first)) {}

  struct Found {
    EntryView entry;                ///< the top-most layer's metadata; never opaque (nothing is below a merged tree). `hard_link`
                                    ///< is as in that layer: the path that it names may be hidden or replaced in the merged tree
    std::size_t layer = 0;          ///< index of the layer that holds it, bottom = 0
  };
  /// The visible entry at a clean relative path, without following links; nullopt when absent. The root "" is a folder 0755 0:0.
  /// For many paths use a TreeFinder.
  std::optional<Found> find(std::string_view path) const;
  /// Resolves `path` inside the tree: parents' symlinks always, a final one when `follow_last`; absolute links start at the root,
  /// ".." stops at it. Missing parts are kept literally (the result may not exist). The result is clean and relative.
  /// Errors: invalid_argument (link loop: more than 40).
  Result<std::string> resolve(std::string_view path, bool follow_last = true) const;
  /// Visits the visible subtree below `directory` ("" for all) in byte order of full paths, not the folder itself.
  /// Returning false from `visit` stops.
  void walk(std::string_view directory, const std::function<bool(const Found&)>& visit) const;
  /// Visible names in a folder, sorted.
  std::vector<std::string> children(std::string_view directory) const;
  /// Content of a visible regular file at most `limit` bytes; path is resolved with links. Errors: not_found (also when it is
  /// no regular file), resource_exhausted (larger), invalid_argument (link loop).
  Result<std::string> read_file(std::string_view path, std::size_t limit) const;
  /// Opens a visible regular file. Errors: invalid_argument (another type), not_found (the layer's folder is damaged).
  Result<sys::Fd> open_file(const Found& found) const;
  const std::vector<Layer>& layers() const { return layers_; }
  bool empty() const { return layers_.empty(); }

 private:
  std::vector<Layer> layers_;
};

/// Look-ups of many paths in one tree: remembers the folders above the last path and which layers have a say in each, so that a
/// neighbour costs one search in each layer that has the folder, instead of one in every layer for every part of the path.
/// Not thread-safe: one a thread. The view must outlive it.
class TreeFinder {
 public:
  explicit TreeFinder(const TreeView& tree);
  /// As TreeView::find.
  std::optional<TreeView::Found> find(std::string_view path);
  /// Indices of the layers whose entries below this folder take part in the merged tree, top-most first; empty when there is no
  /// such folder. Valid until the next call.
  const std::vector<std::uint32_t>& layers_of(std::string_view folder);

 private:
  struct Folder {
    std::size_t length = 0;              ///< of its path, the beginning of path_
    std::vector<std::uint32_t> layers;   ///< none: no visible folder
  };
  const Folder& enter(std::string_view folder);
  std::optional<TreeView::Found> look_up(std::string_view path, const Folder& in, std::vector<std::uint32_t>* layers) const;

  const TreeView& tree_;
  std::string path_;
  std::vector<Folder> folders_;          ///< from the root to path_
};

}  // namespace mica::snapshot
