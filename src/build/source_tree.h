/// Trees that COPY, ADD and bind mounts take files from: a context folder (ignore rules applied) or a root filesystem of layers.
///
/// Paths are clean, relative, without leading or trailing '/'; "" is the root. Nothing ever leaves the tree: links are resolved
/// as if the tree's root were "/". Implementations are thread-safe.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/sha256.h"
#include "snapshot/listing.h"
#include "snapshot/tree_view.h"
#include "task/task.h"

namespace mica::build {

struct Node {
  std::string path;
  snapshot::Type type = snapshot::Type::file;  ///< a socket of a context is an empty regular file, as Docker sends it
  std::uint32_t mode = 0, uid = 0, gid = 0;    ///< of a local context folder uid and gid are 0
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t device = 0;
  std::uint64_t inode_group = 0;        ///< equal and not 0: hard links to one inode
  std::string link;                     ///< symlink target
  std::string xattrs;                   ///< packed (snapshot::pack_xattrs)
  std::optional<Sha256Bytes> digest;    ///< content of a file, once known
  std::string source_dir, source_path;  ///< where the content can be opened: link-free beneath source_dir

  /// Content identity as decision 4 has it: type, mode, owner, size, link, device, xattrs, content; no path, no time.
  /// A file's digest must be known.
  Sha256Bytes identity() const;
};

class SourceTree {
 public:
  virtual ~SourceTree() = default;
  /// The entry itself (a final link is not followed); nullopt when absent or excluded by ignore rules.
  virtual Result<std::optional<Node>> find(std::string_view path) = 0;
  /// Entries of a folder, sorted by name; empty when `path` is no folder.
  virtual Result<std::vector<Node>> children(std::string_view path) = 0;
  /// A hint: everything below `path` will be asked for next.
  virtual void expect_all_below(std::string_view) {}
  /// The ignore rule that hides an entry which exists, for messages; empty: the entry does not exist, or none hides it.
  virtual std::string hidden_by(std::string_view) { return {}; }
  /// Fills `digest` of the files that lack it, in parallel. Errors: as reading; not_found when a file vanished meanwhile.
  virtual Result<> hash(std::span<Node*> files, task::Cancel cancel) = 0;
  /// True when uids and gids are to be 0 (a local folder).
  virtual bool is_local_context() const = 0;
  /// For messages: "the build context", "stage build", "image alpine:3.20".
  virtual std::string name() const = 0;

  /// Resolves links of `path` inside the tree (a final one when `follow_last`); missing parts stay literal; "" for the root.
  /// Errors: invalid_argument (more than 40 links).
  Result<std::string> resolve(std::string_view path, bool follow_last = true);
};

/// A root filesystem (a stage, an image).
std::unique_ptr<SourceTree> make_layer_tree(snapshot::TreeView view, std::string name);

}  // namespace mica::build
