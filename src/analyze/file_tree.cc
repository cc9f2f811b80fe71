#include "analyze/file_tree.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "analyze/file_kinds.h"

namespace mica::analyze {
namespace {

constexpr std::size_t kNone = SIZE_MAX;
constexpr std::size_t kNodeBytes = 40;   ///< of JSON beside the name: numbers, brackets, a rest

struct Flat {
  std::string_view name;
  std::size_t parent = kNone;
  bool is_directory = false;
  std::uint64_t bytes = 0, files = 0;
  std::size_t layer = 0, kind = 0, owner = 0;
  std::uint64_t largest = 0;       ///< of a directory: the file whose layer, kind and owner it has
};

/// At most, with escapes.
std::size_t json_bytes(std::string_view name) {
  std::size_t bytes = kNodeBytes;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    bytes += byte < 0x20 || byte >= 0x7f || c == '<' || c == '>' || c == '&' || c == '"' || c == '\\' ? 6 : 1;
  }
  return bytes;
}

/// Numbers of texts in order of appearance.
class Numbered {
 public:
  std::size_t number(std::string_view text) {
    const auto [at, fresh] = numbers_.try_emplace(std::string(text), texts.size());
    if (fresh) texts.emplace_back(text);
    return at->second;
  }
  std::vector<std::string> texts;

 private:
  std::map<std::string, std::size_t, std::less<>> numbers_;
};

class TreeMaker {
 public:
  TreeMaker(const Image& image, FileOwners& owners) : owners_(owners) {
    nodes_.push_back({.is_directory = true});
    folders_.emplace("", 0);
    for (const LiveFile& file : live_files(image)) add(file);
  }

  FileTree make(std::size_t budget) {
    std::vector<std::size_t> order(nodes_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    // A directory is at least as large as what is in it and was numbered before it: every beginning of this order is a tree.
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return nodes_[a].bytes != nodes_[b].bytes ? nodes_[a].bytes > nodes_[b].bytes : a < b; });
    std::size_t kept = 0;
    for (std::size_t used = 0; kept < order.size() && (kept == 0 || used + json_bytes(nodes_[order[kept]].name) <= budget); ++kept) used += json_bytes(nodes_[order[kept]].name);

    std::vector<std::vector<std::size_t>> children(nodes_.size());
    std::vector<std::size_t> first_left_out(nodes_.size(), kNone);
    for (std::size_t i = 1; i < order.size(); ++i) {
      const std::size_t parent = nodes_[order[i]].parent;
      if (i < kept) children[parent].push_back(order[i]);
      else if (first_left_out[parent] == kNone) first_left_out[parent] = order[i];
    }
    owner_names_.number("");
    FileTree tree{.told = kept};
    tree.root = told(0, children, first_left_out);
    tree.kinds = std::move(kinds_.texts);
    tree.owners = std::move(owner_names_.texts);
    return tree;
  }

 private:
  std::size_t folder(std::string_view path) {
    if (const auto found = folders_.find(path); found != folders_.end()) return found->second;
    const auto slash = path.rfind('/');
    const std::size_t parent = folder(slash == path.npos ? std::string_view() : path.substr(0, slash));
    nodes_.push_back({.name = slash == path.npos ? path : path.substr(slash + 1), .parent = parent, .is_directory = true});
    folders_.emplace(path, nodes_.size() - 1);
    return nodes_.size() - 1;
  }

  void add(const LiveFile& file) {
    const auto slash = file.path.rfind('/');
    const std::size_t parent = folder(slash == file.path.npos ? std::string_view() : file.path.substr(0, slash));
    Flat node{.name = slash == file.path.npos ? file.path : file.path.substr(slash + 1), .parent = parent, .bytes = file.bytes, .files = 1, .layer = file.layer};
    node.kind = kinds_.number(file_kind(file.path, file.entry->mode));
    node.owner = owners_.owner(file.path);
    for (std::size_t above = parent; above != kNone; above = nodes_[above].parent) {
      Flat& directory = nodes_[above];
      if (directory.files == 0 || file.bytes > directory.largest) {
        directory.largest = file.bytes;
        directory.layer = node.layer;
        directory.kind = node.kind;
        directory.owner = node.owner;
      }
      directory.bytes += file.bytes;
      ++directory.files;
    }
    nodes_.push_back(node);
  }

  /// Depth is that of paths, which limits of the readers bound (4096 bytes).
  TreeNode told(std::size_t index, const std::vector<std::vector<std::size_t>>& children, const std::vector<std::size_t>& first_left_out) {
    const Flat& flat = nodes_[index];
    TreeNode node = plain(flat, std::string(flat.name));
    for (const std::size_t child : children[index]) node.children.push_back(told(child, children, first_left_out));
    if (children[index].empty() || first_left_out[index] == kNone) return node;
    TreeNode rest = plain(nodes_[first_left_out[index]], "");
    rest.is_directory = false;
    rest.bytes = flat.bytes;
    rest.files = flat.files;
    for (const TreeNode& child : node.children) {
      rest.bytes -= child.bytes;
      rest.files -= child.files;
    }
    node.children.push_back(std::move(rest));
    return node;
  }

  TreeNode plain(const Flat& flat, std::string name) {
    return {.name = std::move(name), .is_directory = flat.is_directory, .bytes = flat.bytes, .files = flat.files, .layer = flat.layer, .kind = flat.kind,
            .owner = owner_names_.number(owners_.names()[flat.owner])};
  }

  FileOwners& owners_;
  std::vector<Flat> nodes_;
  std::unordered_map<std::string_view, std::size_t> folders_;   // paths are the image's
  Numbered kinds_, owner_names_;
};

}  // namespace

FileTree file_tree(const Image& image, FileOwners& owners, std::size_t budget) { return TreeMaker(image, owners).make(budget); }

}  // namespace mica::analyze
