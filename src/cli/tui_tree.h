/// The file tree that `analyze --tui` shows: all paths of all layers, and what a range of layers did to them. Knows nothing of a terminal.
///
/// A *comparison* puts the layers first..last on top of those below `first`. Each path then is unmodified, added, modified (replaced, or something in it changed) or removed by the
/// range; paths that were on neither side are absent. Which entry a path has after a layer follows the rules of analyze/analysis.h: whiteouts, opaque directories and what is no
/// directory any more hide what lies below, then the layer's own entries come.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/image.h"

namespace mica::cli {

enum class Change : std::uint8_t { unmodified, added, modified, removed, absent };

class LayerTree {
 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = UINT32_MAX;

  struct Node {
    std::string_view path, name;     ///< into the image; name: the last component
    Index parent = kNone;            ///< kNone: at the top
    Index end = 0;                   ///< the node after all that are below this one
    std::uint32_t depth = 0;
    Change change = Change::absent;
    bool collapsed = false;
    bool shown = false;              ///< in rows(), if no directory above is collapsed
    bool last = false;               ///< of the shown ones of its directory
    bool matches = true;             ///< the filter
    const analyze::Entry* entry = nullptr;   ///< after the range; of a removed path: before it
    std::uint32_t layer = 0;         ///< that has the entry
    std::uint64_t bytes = 0;         ///< of the body, or of all bodies below that are there (below a removed directory: that were)
    bool is_directory() const { return entry && entry->kind == analyze::Kind::directory; }
  };

  /// `image` must outlive the tree. Nothing is compared yet.
  explicit LayerTree(const analyze::Image& image);
  /// 0 <= first <= last < layers.
  void compare(std::size_t first, std::size_t last);
  /// Of depth first order: a directory, then what is in it, by name.
  const std::vector<Node>& nodes() const { return nodes_; }

  /// What is left out: by change, and what does not match. A directory stays when something in it does.
  struct View {
    bool hidden[4] = {};             ///< by Change
    bool by_size = false;            ///< siblings: largest first
  };
  /// The nodes to show, from top to bottom.
  std::vector<Index> rows(const View& view);
  /// An extended regular expression that a path must match somewhere (with '/' at its beginning); text that is none is looked for as it is. Directories above what matches open.
  void filter(const std::string& pattern);
  void collapse(Index node, bool collapsed) { nodes_[node].collapsed = collapsed; }
  void collapse_all(bool collapsed);

 private:
  struct Event {
    std::uint32_t layer = 0;
    const analyze::Entry* entry = nullptr;   // null: a whiteout
  };
  Event side(Index node, std::int64_t last, std::vector<std::int64_t>& hides) const;
  void place(Index node, std::int64_t before, std::int64_t after);
  void sum_up();
  void add_sorted(std::vector<Index>& rows, Index begin, Index end, bool by_size);
  const analyze::Image& image_;
  std::vector<Node> nodes_;
  std::vector<Event> events_;                 // by node, then layer; a layer's whiteout before its entry
  std::vector<std::uint32_t> first_event_;    // of each node, and the end
  std::vector<std::int64_t> hides_before_, hides_after_;   // by node: the last layer on that side that hid what lower ones have below it; -1: none
};

}  // namespace mica::cli
