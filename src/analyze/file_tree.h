/// The final file system as a tree of bounded size, for whoever draws it. What is too small to be told alone is told together, so that all sums stay exact.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "analyze/analysis.h"
#include "analyze/file_owners.h"

namespace mica::analyze {

/// A directory's parts add up to it. Symlinks, devices and directories without a file are not in the tree.
struct TreeNode {
  std::string name;                ///< one component; empty: the rest of the directory, told together (and of the root itself)
  bool is_directory = false;
  std::uint64_t bytes = 0;         ///< live bodies, each at the first of its names
  std::uint64_t files = 0;         ///< names of files
  std::size_t layer = 0, kind = 0, owner = 0;   ///< of what is told together: those of its largest part. kind, owner: indexes of FileTree's lists
  std::vector<TreeNode> children;  ///< largest first, the rest last. Empty for a directory that is told as a whole
};
struct FileTree {
  TreeNode root;
  std::vector<std::string> kinds;  ///< "shared libraries" (FileKind::name)
  std::vector<std::string> owners; ///< FileOwners::names, those in the tree; the first is empty: no package is known
  std::uint64_t told = 0;          ///< nodes that stand alone
};

/// `budget`: bytes that the tree may take as JSON, about. The largest nodes are told; where there are equal ones, those that come first.
FileTree file_tree(const Image& image, FileOwners& owners, std::size_t budget);

}  // namespace mica::analyze
