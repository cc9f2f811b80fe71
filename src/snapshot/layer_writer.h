/// Writes one layer in overlay form directly (no mount): COPY, ADD, WORKDIR, unpacking of archives and pulled layers.
///
/// Folders of lower layers that get new children are entered in the layer with the lower folder's own metadata, as overlayfs
/// would on copy-up, so that the merged tree keeps it. Every path is clean and relative and taken literally (callers resolve
/// links first) and created with confined, link-free opens below the layer folder.
///
/// On disk: a whiteout is a character device 0:0 (every user may make that one since Linux 5.8), an opaque folder carries
/// trusted.overlay.opaque=y, or user.overlay.opaque=y without root. Extended attributes that do not belong in a layer
/// (is_layer_xattr) are left out, and so are those that the file system or our rights cannot hold, as Docker does. The listing
/// says what is on disk.
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
                                           ///< mtime, xattrs): hard-linked when possible, else copied (from the source, or from
                                           ///< here when there is none). Empty: none
};

/// One thread. After an error the layer is good for nothing but being dropped.
///
/// Parents that the layer lacks are made as by ensure_directory (0755 0:0 with the child's time when the lower tree lacks them
/// too). What is written later replaces what was written before at the same path, except that a folder of this layer is a
/// conflict for anything but a folder: remove() it first.
class LayerWriter {
 public:
  LayerWriter(const StagedLayer& staged, const TreeView& lower, task::Pool& pool);
  ~LayerWriter();

  /// Makes sure that the folder exists in this layer; lower metadata is copied, missing ones are made with `fresh`.
  /// Errors: conflict (something else is there).
  Result<> ensure_directory(const std::string& path, const Meta& fresh);
  /// Creates or re-labels a folder with exactly this metadata; merges with what the layer or lower tree has there; replaces a
  /// non-folder of this layer only when `replace` (else conflict). Over a whiteout of this layer it becomes opaque.
  Result<> directory(const std::string& path, const Meta& meta, bool replace = false);
  Result<> symlink(const std::string& path, const std::string& target, const Meta& meta);  ///< its mode is 0777
  /// Devices and fifos. Errors: permission_denied (only root may make devices); then one may go on without it.
  Result<> device(const std::string& path, Type type, std::uint64_t device, const Meta& meta);
  /// Another name for what is visible at `existing`: of this layer, or copied up into it first, as overlayfs would.
  /// Errors: not_found, conflict (a folder).
  Result<> hard_link(const std::string& path, const std::string& existing);
  /// One file from a stream; returns its content digest.
  Result<Sha256Bytes> file(const std::string& path, const Meta& meta, stream::Source& bytes);
  /// The same for exactly `size` bytes, written behind the caller's back when small: its errors may come later, its digest shows
  /// in finish() only. Errors: corrupt (the stream is shorter).
  Result<> file_soon(const std::string& path, const Meta& meta, std::uint64_t size, stream::Source& bytes);
  /// Many files at once, on the pool.
  Result<> files(std::vector<FileJob> jobs, task::Cancel cancel);
  /// Hides the lower tree's entry; what this layer has there is removed.
  Result<> whiteout(const std::string& path);
  /// Hides everything below the folder in lower layers. For the root (""), every visible child of the lower tree is hidden.
  Result<> opaque(const std::string& directory);
  /// New metadata for a file, link or device of this layer, under all its names. Errors: not_found.
  Result<> relabel(const std::string& path, const Meta& meta);
  /// What is visible at `path` now: this layer over the lower tree.
  std::optional<Entry> find(std::string_view path) const;
  /// What this layer itself has here.
  std::optional<Type> own_type(std::string_view path) const;
  /// As TreeView::resolve, in the tree as it is now.
  Result<std::string> resolve(std::string_view path, bool follow_last) const;
  /// Removes something written to this layer earlier, with all below it (not the lower tree's). Errors: not_found.
  Result<> remove(const std::string& path);
  /// Sets what had to wait (metadata of folders, whose time changes with every child) and gives the listing. Once.
  Result<Listing> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mica::snapshot
