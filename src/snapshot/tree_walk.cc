// Walking a merged tree: a merge of the layers' listings by path.
//
// A heap of one cursor a layer gives all entries by path, of one path the top-most layer's first. What an entry hides in lower
// layers is what is below its own path ("P/..."): everything for a whiteout, a non-folder and an opaque folder. Since "P" and its
// subtree do not stand together in byte order ("P", "P-x", "P/y"), hides are kept until the order has passed the subtree ("P0"). An
// entry that comes meanwhile begins with "P" and ends its own hide earlier, so that the hides in force are a stack.
#include <algorithm>

#include "snapshot/tree_view.h"

namespace mica::snapshot {
namespace {

struct Cursor {
  std::string_view path;
  std::uint32_t layer;
  const Listing* listing;
  std::size_t at, end;
};

/// The path is hidden when it is below `path` and its layer is lower than `layer`.
struct Hide {
  std::string_view path;
  std::uint32_t layer;
  bool covers(std::string_view other) const {
    return other.size() > path.size() && other[path.size()] == '/' && other.starts_with(path);
  }
  bool is_passed(std::string_view other) const {
    const int order = other.substr(0, path.size()).compare(path);
    if (order != 0) return order > 0;
    return other.size() > path.size() && static_cast<unsigned char>(other[path.size()]) > '/';
  }
};

class Merge {
 public:
  Merge(const TreeView& tree, std::string_view directory) {
    TreeFinder finder(tree);
    for (const std::uint32_t layer : finder.layers_of(directory)) {
      const Listing& listing = tree.layers()[layer].listing;
      Cursor cursor{{}, layer, &listing, listing.below_begin(directory), listing.below_end(directory)};
      if (cursor.at >= cursor.end) continue;
      cursor.path = listing.path(cursor.at);
      cursors_.push_back(cursor);
    }
    std::make_heap(cursors_.begin(), cursors_.end(), is_later);
  }

  void run(const std::function<bool(const TreeView::Found&)>& visit) {
    std::optional<std::string_view> last;
    bool closed = false;  // no lower layer adds to the entry at `last`
    while (!cursors_.empty()) {
      const Cursor& top = cursors_.front();
      while (!hides_.empty() && hides_.back().is_passed(top.path)) hides_.pop_back();
      if (const Hide* hide = hidden_by(top)) {
        move_to(std::max(top.at + 1, top.listing->below_end(hide->path)));
        continue;
      }
      const bool again = last == top.path;
      if (!(again && closed) && !top.path.empty()) {
        TreeView::Found found{(*top.listing)[top.at], top.layer};
        closed = found.entry.opaque || found.entry.type != Type::directory;
        if (closed && top.layer > 0) hides_.push_back({top.path, top.layer});
        found.entry.opaque = false;
        if (!again && found.entry.type != Type::whiteout && !visit(found)) return;
      }
      last = top.path;
      move_to(top.at + 1);
    }
  }

 private:
  static bool is_later(const Cursor& a, const Cursor& b) {
    const int order = a.path.compare(b.path);
    return order != 0 ? order > 0 : a.layer < b.layer;
  }

  const Hide* hidden_by(const Cursor& cursor) const {
    for (auto hide = hides_.rbegin(); hide != hides_.rend(); ++hide)
      if (hide->layer > cursor.layer && hide->covers(cursor.path)) return &*hide;
    return nullptr;
  }

  /// Moves the first cursor on and restores the heap: mostly it stays the first, which costs two comparisons.
  void move_to(std::size_t index) {
    Cursor moved = cursors_.front();
    moved.at = index;
    if (moved.at >= moved.end) {
      moved = cursors_.back();
      cursors_.pop_back();
      if (cursors_.empty()) return;
    } else {
      moved.path = moved.listing->path(moved.at);
    }
    std::size_t hole = 0;
    for (;;) {
      std::size_t child = 2 * hole + 1;
      if (child >= cursors_.size()) break;
      if (child + 1 < cursors_.size() && is_later(cursors_[child], cursors_[child + 1])) ++child;
      if (!is_later(moved, cursors_[child])) break;
      cursors_[hole] = cursors_[child];
      hole = child;
    }
    cursors_[hole] = moved;
  }

  std::vector<Cursor> cursors_;
  std::vector<Hide> hides_;
};

}  // namespace

void TreeView::walk(std::string_view directory, const std::function<bool(const Found&)>& visit) const { Merge(*this, directory).run(visit); }

}  // namespace mica::snapshot
