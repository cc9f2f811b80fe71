/// The merged tree of a chain of layers, answered from their listings without a mount.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "snapshot/listing.h"

namespace mica::snapshot {

class TreeView {
 public:
  struct Layer {
    Listing listing;
    std::string directory;          ///< the layer's fs folder, for opening contents
  };
  TreeView() = default;             ///< the empty tree (scratch)
  explicit TreeView(std::vector<Layer> bottom_first) : layers_(std::move(bottom_first)) {}

  struct Found {
    EntryView entry;
    std::size_t layer = 0;          ///< index of the layer that holds it, bottom = 0
  };
  /// The visible entry at a clean relative path, without following links; nullopt when absent. The root "" is a folder 0755 0:0.
  std::optional<Found> find(std::string_view path) const;
  /// Resolves `path` inside the tree: parents' symlinks always, a final one when `follow_last`; absolute links start at the root,
  /// ".." stops at it. Missing parts are kept literally (the result may not exist). Errors: invalid_argument (link loop: 40).
  Result<std::string> resolve(std::string_view path, bool follow_last = true) const;
  /// Visits the visible subtree below `directory` ("" for all) in byte order of full paths, not the folder itself.
  /// Returning false from `visit` stops.
  void walk(std::string_view directory, const std::function<bool(const Found&)>& visit) const;
  /// Visible names in a folder, sorted.
  std::vector<std::string> children(std::string_view directory) const;
  /// Content of a visible regular file at most `limit` bytes; path is resolved with links. Errors: not_found.
  Result<std::string> read_file(std::string_view path, std::size_t limit) const;
  /// Opens a visible regular file.
  Result<sys::Fd> open_file(const Found& found) const;
  const std::vector<Layer>& layers() const { return layers_; }
  bool empty() const { return layers_.empty(); }

 private:
  std::vector<Layer> layers_;
};

}  // namespace mica::snapshot
