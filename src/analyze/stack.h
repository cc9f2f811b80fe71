/// The strict walk: layers are put on each other, and for each body it is known when its last name went (analysis.h says by which rules). Internal to the module.
#pragma once
#include <map>
#include <string_view>
#include <vector>

#include "analyze/image.h"

namespace mica::analyze {

struct Body {
  const Entry* entry = nullptr;    ///< that stores it
  std::size_t layer = 0;
  std::uint32_t names = 0;         ///< of the final file system
  std::size_t hidden_by = 0;       ///< when names is 0: the layer that took the last one
  std::string_view live_path;      ///< the first of its names in the end; empty: dead
  bool is_dead() const { return names == 0; }
};

struct Node {
  const Entry* entry = nullptr;
  std::size_t layer = 0;
  std::size_t body = SIZE_MAX;     ///< files: which; SIZE_MAX: none
};

/// What one layer did to those below.
struct LayerEffect {
  std::uint64_t added_files = 0, changed_files = 0, changed_bytes = 0, removed_paths = 0;
};

class Stack {
 public:
  using Nodes = std::map<std::string_view, Node>;   ///< keys point into the image
  /// Walks all layers of `image`, which must outlive the stack.
  explicit Stack(const Image& image);
  const Nodes& nodes() const { return nodes_; }      ///< the final file system
  const std::vector<Body>& bodies() const { return bodies_; }   ///< by layer, then path
  const std::vector<LayerEffect>& effects() const { return effects_; }

 private:
  void apply(const Layer& layer, std::size_t index);
  void place(const Entry& entry, std::size_t index);
  void remove_below(std::string_view directory);
  void let_go(const Node& node);
  Nodes nodes_;
  std::vector<Body> bodies_;
  std::vector<LayerEffect> effects_;
  std::size_t now_ = 0;
};

}  // namespace mica::analyze
