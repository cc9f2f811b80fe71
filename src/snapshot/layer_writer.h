/// Writes one layer in overlay form directly (no mount): COPY, ADD, WORKDIR, unpacking of archives and pulled layers.
///
/// Folders of lower layers that get new children are entered in the layer with the lower folder's own metadata, as overlayfs
/// would on copy-up, so that the merged tree keeps it. Every path is taken literally (callers resolve links first through
/// TreeView::resolve) and created with confined, link-free opens below the layer folder.
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "snapshot/layer_store.h"
#include "snapshot/listing.h"
#include "snapshot/tree_view.h"
#include "stream/stream.h"
#include "task/task.h"

namespace mica::snapshot {

/// Owner, mode, time and attributes of something to be written.
struct Meta {
  std::uint32_t mode = 0755, uid = 0, gid = 0;
  std::int64_t mtime_ns = 0;
  std::string xattrs;                      ///< packed
};

/// A regular file to place: from an open descriptor (context, other layer) or hard-linked from an existing immutable layer file.
struct FileJob {
  std::string path;                        ///< in the layer
  Meta meta;
  std::uint64_t size = 0;
  std::optional<Sha256Bytes> digest;       ///< known digest: verified cheaply against size only; nullopt: hashed while copying
  std::string source_dir;                  ///< folder and relative path to open the content from, link-free beneath it
  std::string source_path;
  std::string link_from;                   ///< absolute path of an identical file in an immutable layer (same content, mode, owner,
                                           ///< mtime, xattrs): hard-linked when possible, else copied. Empty: none
};

class LayerWriter {
 public:
  LayerWriter(const StagedLayer& staged, const TreeView& lower, task::Pool& pool);
  ~LayerWriter();

  /// Makes sure that the folder exists in this layer; lower metadata is copied, missing ones are made with `fresh`.
  Result<> ensure_directory(const std::string& path, const Meta& fresh);
  /// Creates or re-labels a folder with exactly this metadata; merges with what the layer or lower tree has there; replaces a
  /// non-folder of this layer only when `replace`.
  Result<> directory(const std::string& path, const Meta& meta, bool replace = false);
  Result<> symlink(const std::string& path, const std::string& target, const Meta& meta);
  Result<> device(const std::string& path, Type type, std::uint64_t device, const Meta& meta);   ///< devices and fifos
  Result<> hard_link(const std::string& path, const std::string& existing);   ///< both in this layer, else the content is copied up
  /// One file from a stream; returns its content digest.
  Result<Sha256Bytes> file(const std::string& path, const Meta& meta, stream::Source& bytes);
  /// Many files at once, on the pool; parents must exist in the layer.
  Result<> files(std::vector<FileJob> jobs, task::Cancel cancel);
  Result<> whiteout(const std::string& path);
  Result<> opaque(const std::string& directory);
  /// What is visible at `path` now: this layer over the lower tree.
  std::optional<Entry> find(std::string_view path) const;
  /// Removes something written to this layer earlier (not the lower tree's).
  Result<> remove(const std::string& path);
  /// The mtime of folders is set last (children change it); fixes hard-link groups; gives the listing.
  Result<Listing> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mica::snapshot
