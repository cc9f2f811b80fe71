/// A layer's listing: every entry of one unpacked layer, sorted by path bytes, with content digests. It is made once when the
/// layer is committed and answers what would otherwise cost a mount and a read of every file: content identities, the canonical
/// tar's order, look-ups for COPY --from, `history` sizes, fsck.
///
/// Kept as `layers/<id>/list`, memory-mapped: see docs/formats/listing.md for the table of fields (format version 1).
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/sha256.h"
#include "sys/fd.h"
#include "task/task.h"

namespace mica::snapshot {

enum class Type : std::uint8_t { file, directory, symlink, char_device, block_device, fifo, whiteout };

/// One entry. As a view its strings point into the listing's memory.
struct EntryView {
  std::string_view path;          ///< relative to the layer's root, no leading or trailing '/'; the root itself is not listed
  Type type = Type::file;
  bool opaque = false;            ///< folder that hides everything below it in lower layers
  std::uint32_t mode = 0;         ///< 07777 bits
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t size = 0;         ///< files only
  std::int64_t mtime_ns = 0;
  std::uint64_t device = 0;       ///< makedev value of devices
  Sha256Bytes digest{};           ///< content of files
  std::string_view link;          ///< symlink target
  std::string_view hard_link;     ///< path of the first entry of this layer with the same inode; empty for the first or only one
  std::string_view xattrs;        ///< packed attributes without overlay's own (see pack_xattrs)
  /// Digest of everything but path, mtime and hard-link grouping: equal identities mean equal content (decision 4).
  Sha256Bytes identity() const;
};
/// The same, owning its strings: what writers hand in.
struct Entry {
  std::string path;
  Type type = Type::file;
  bool opaque = false;
  std::uint32_t mode = 0, uid = 0, gid = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t device = 0;
  Sha256Bytes digest{};
  std::string link, hard_link, xattrs;
  EntryView view() const;
  static Entry of(const EntryView& view);
};

std::string pack_xattrs(const std::vector<sys::Xattr>& attributes);
std::vector<sys::Xattr> unpack_xattrs(std::string_view packed);

/// An immutable, shareable listing (copies share the memory map).
class Listing {
 public:
  Listing();                                                  ///< empty
  static Result<Listing> open(const std::string& path);       ///< errors: not_found, corrupt (magic, version, bounds, checksum)
  static Listing build(std::vector<Entry> entries);           ///< sorts by path; asserts that paths are unique
  Result<> save(const std::string& path) const;
  std::size_t size() const;
  EntryView operator[](std::size_t index) const;
  /// Index of the entry with this exact path, or size().
  std::size_t find(std::string_view path) const;
  /// Index of the first entry whose path is not below `prefix + "/"` in byte order: [below_begin, below_end) is the subtree.
  std::size_t below_begin(std::string_view directory) const;  ///< "" is the whole layer
  std::size_t below_end(std::string_view directory) const;
  std::uint64_t bytes() const;                                ///< sum of file sizes, each inode once

 private:
  struct Data;
  std::shared_ptr<const Data> data_;
};

/// Lists an unpacked layer (overlay form) under `root`: walks, hashes file contents on the pool, recognises whiteouts and opaque
/// marks of both xattr spellings. Sockets are left out.
Result<Listing> scan_layer(const sys::Fd& root, task::Pool& pool, task::Cancel cancel);

}  // namespace mica::snapshot
