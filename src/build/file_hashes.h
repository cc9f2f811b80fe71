/// The memory of file hashes (decision 5): content digests of context files by folder, name, inode, size, mtime and ctime.
///
/// One row a folder (device, inode of the folder): a packed table of its files (docs/formats/file-hashes.md). A rebuild reads one
/// row a folder instead of one a file. A file whose mtime or ctime lies within the clock's granularity (or after) of the moment
/// it was hashed is not remembered: it could change again without a trace.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "base/sha256.h"
#include "db/db.h"

namespace mica::build {

struct FileStamp {
  std::uint64_t inode = 0, size = 0;
  std::int64_t mtime_ns = 0, ctime_ns = 0;
  bool operator==(const FileStamp&) const = default;
};
struct RememberedFile {
  std::string name;
  FileStamp stamp;
  Sha256Bytes digest{};
  std::string
      xattrs;  ///< packed (snapshot::pack_xattrs): a change of attributes changes ctime, so they need not be asked for again
  bool operator==(const RememberedFile&) const = default;
};
struct FolderId {
  std::uint64_t device = 0, inode = 0;
  auto operator<=>(const FolderId&) const = default;
};

/// Thread-safe.
class FileHashes {
 public:
  explicit FileHashes(Guarded<db::Database>& database) : database_(database) {}
  /// Files remembered of a folder, sorted by name; empty when there are none or the row is damaged.
  Result<std::vector<RememberedFile>> load(const FolderId& folder);
  /// Replaces the rows of the folders, in one transaction. A read-only store is no error.
  Result<> save(const std::vector<std::pair<FolderId, std::vector<RememberedFile>>>& folders);
  /// Marks the rows that load() returned as used today, in one transaction. Only those that were last marked more than a day ago:
  /// a build in which nothing changed writes nothing, once a day aside. A read-only store is no error.
  Result<> refresh();
  /// Forgets folders not used for `days` days. Returns how many rows went.
  Result<std::int64_t> forget(int days);

 private:
  Guarded<db::Database>& database_;
  Guarded<std::vector<FolderId>> stale_;  // loaded, and not marked today
};

/// False when the file may still change within one tick of the clock that made `stamp`: `now_ns` is the realtime clock just
/// before the file was opened for hashing.
bool is_settled(const FileStamp& stamp, std::int64_t now_ns);

}  // namespace mica::build
