#include "snapshot/content_id.h"

#include <algorithm>

namespace mica::snapshot {
namespace {

class Difference {
 public:
  Difference(const Listing& layer, const TreeView& lower) : layer_(layer), tree_(lower), below_(lower) {}

  std::string id() {
    Sha256 hash;
    hash.field("mica layer content 1");
    std::uint64_t changed = 0;
    for (std::size_t i = 0; i < layer_.size(); ++i) {
      EntryView entry = layer_[i];
      const bool opaque = std::exchange(entry.opaque, false);
      const auto found = below_.find(entry.path);
      if (entry.type == Type::whiteout) {
        if (found && !in_opaque(entry.path)) gone_.push_back(std::string(entry.path));
        continue;
      }
      if (opaque && found && found->entry.type == Type::directory && !in_opaque(entry.path)) collect_hidden(entry.path);
      if (found && found->entry.same_identity(entry)) continue;
      ++changed;
      hash.field(entry.path);
      entry.add_identity(hash);
    }
    if (changed == 0 && gone_.empty()) return {};
    std::sort(gone_.begin(), gone_.end());
    hash.field(changed);
    for (const auto& path : gone_) hash.field(path);
    return hash.finish_hex();
  }

 private:
  /// Whether a folder above is opaque in this layer: then that folder has said already what is gone below it.
  bool in_opaque(std::string_view path) const {
    if (!layer_.has_opaque()) return false;
    for (std::size_t slash = path.rfind('/'); slash != path.npos && slash > 0; slash = path.rfind('/', slash - 1)) {
      const std::size_t index = layer_.find(path.substr(0, slash));
      if (index < layer_.size() && layer_[index].opaque) return true;
    }
    return false;
  }

  bool is_there(std::string_view path, bool as_folder) const {
    const std::size_t index = layer_.find(path);
    if (index == layer_.size()) return false;
    const Type type = layer_[index].type;
    return as_folder ? type == Type::directory : type != Type::whiteout;
  }

  /// What the lower tree has below an opaque folder and this layer does not bring back. Below something that is gone or is no
  /// folder any more, nothing needs saying.
  void collect_hidden(std::string_view folder) {
    tree_.walk(folder, [&](const TreeView::Found& found) {
      const std::string_view path = found.entry.path;
      if (!is_there(path, false) && is_there(path.substr(0, path.rfind('/')), true)) gone_.emplace_back(path);
      return true;
    });
  }

  const Listing& layer_;
  const TreeView& tree_;
  TreeFinder below_;
  std::vector<std::string> gone_;
};

}  // namespace

std::string content_id(const Listing& layer, const TreeView& lower) { return Difference(layer, lower).id(); }

}  // namespace mica::snapshot
