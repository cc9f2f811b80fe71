/// Tar archives: a reader for what others write (ustar, PAX, GNU) and a writer with one canonical dialect.
///
/// Canonical dialect (layers, exports): ustar headers; PAX records only for what ustar cannot say (path or link over the ustar
/// fields or not ASCII, ids over 2097151, size over 8 GiB, sub-second mtime when it is not zero, xattrs as SCHILY.xattr.NAME),
/// keys sorted; uname/gname empty, no atime/ctime; folder names end in '/'; end marker of two zero blocks, no further padding.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "stream/stream.h"

namespace mica::archive {

enum class EntryType { file, hard_link, symlink, char_device, block_device, directory, fifo };

struct Entry {
  EntryType type = EntryType::file;
  std::string path;                 ///< as in the archive; writer: relative, without "./" and without trailing '/'
  std::string link;                 ///< target of symlink or hard link
  std::uint32_t mode = 0644;        ///< permission bits with setuid/setgid/sticky (07777)
  std::uint64_t uid = 0, gid = 0;
  std::string user_name, group_name;  ///< reader only
  std::uint64_t size = 0;           ///< bytes that follow (files)
  std::int64_t mtime_ns = 0;        ///< since the epoch
  std::uint32_t device_major = 0, device_minor = 0;
  std::vector<std::pair<std::string, std::string>> xattrs;  ///< sorted by name
};

/// Limits of the reader: a name at most 64 KiB, PAX header at most 8 MiB, xattrs 1 MiB an entry.
class TarReader {
 public:
  /// `from` yields uncompressed tar bytes and must outlive the reader.
  explicit TarReader(stream::Source& from);
  ~TarReader();
  /// The next entry, or nullopt at the end marker (a missing end marker at a block border is accepted, as GNU tar does).
  /// Unread data of the previous entry is skipped. Sparse files (GNU and PAX) are expanded by data().
  /// Errors: corrupt (checksum, truncated, bad numbers), unsupported (unknown critical types).
  Result<std::optional<Entry>> next();
  /// Data of the current entry.
  stream::Source& data();
  /// After the end: reads the rest of the stream (padding), so that a digest over it covers every byte.
  Result<> drain();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class TarWriter {
 public:
  explicit TarWriter(stream::Sink& to);
  ~TarWriter();
  /// Starts an entry. For files exactly `entry.size` bytes must follow through write().
  Result<> add(const Entry& entry);
  Result<> write(std::span<const unsigned char> bytes);
  /// End marker; does not finish the sink.
  Result<> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mica::archive
