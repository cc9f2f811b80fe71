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
  /// identity() == other.identity(), without hashing.
  bool same_identity(const EntryView& other) const;
  /// Feeds what identity() covers into a hash of several entries.
  void add_identity(Sha256& hash) const;
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

/// One string for a set of attributes, the same for the same set in any order; "" for none.
std::string pack_xattrs(const std::vector<sys::Xattr>& attributes);
/// Sorted by name. Bytes that pack_xattrs did not make give the attributes before the damage.
std::vector<sys::Xattr> unpack_xattrs(std::string_view packed);
/// Whether an attribute found on disk belongs to the layer: not overlayfs's own marks, not what the host's security modules put
/// on every file (of `security.*` only file capabilities are kept).
bool is_layer_xattr(std::string_view name);

/// An immutable, shareable listing (copies share the memory map). A damaged record reads as an entry with an empty path.
class Listing {
 public:
  Listing();                                                  ///< empty
  /// A memory map and the checks of the header; bodies are not read. Errors: not_found, corrupt (magic, version, bounds,
  /// header checksum).
  static Result<Listing> open(const std::string& path);
  /// Sorts by path; asserts that paths are unique and that hard links name an entry. Hard-link groups may come with any member
  /// as the first: the first by path becomes it. Whiteouts keep their path only.
  static Listing build(std::vector<Entry> entries);
  /// Writes without sync: whoever makes the layer durable syncs the file system.
  Result<> save(const std::string& path) const;
  /// Reads everything: checksum of the body, order, paths, every field. Errors: corrupt.
  Result<> verify() const;
  std::size_t size() const;
  bool empty() const { return size() == 0; }
  EntryView operator[](std::size_t index) const;
  std::string_view path(std::size_t index) const;             ///< of the entry, at a fraction of operator[]'s cost
  /// Index of the entry with this exact path, or size().
  std::size_t find(std::string_view path) const;
  /// Entries below a folder (not the folder itself) are [below_begin, below_end). "" is the whole layer.
  std::size_t below_begin(std::string_view directory) const;
  std::size_t below_end(std::string_view directory) const;
  std::uint64_t bytes() const;                                ///< sum of file sizes, each inode once
  bool has_opaque() const;                                    ///< at least one folder is opaque

 private:
  struct Data;
  explicit Listing(std::shared_ptr<const Data> data);
  std::shared_ptr<const Data> data_;
};

/// Lists an unpacked layer (overlay form) under `root`: walks, hashes file contents on the pool, recognises whiteouts (0/0
/// devices, and marked empty files in folders marked to hold such) and opaque marks of both xattr spellings. Sockets are left
/// out. Of hard links the first path is read, once. Contents stream through one buffer a thread.
/// Errors: corrupt (a redirect or metacopy mark: content that is not in this layer), conflict (a file shrank meanwhile), cancelled.
Result<Listing> scan_layer(const sys::Fd& root, task::Pool& pool, task::Cancel cancel);

}  // namespace mica::snapshot
