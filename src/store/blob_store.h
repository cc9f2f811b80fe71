/// Immutable bytes under their digest: `blobs/sha256/<hex>`: configs, manifests, indexes, compressed layers, step logs.
///
/// A blob is written in the temporary folder, synced, and renamed into place, so that under a digest there is never half of it.
/// Who puts a blob that is there already makes it young again. A sweep spares young blobs, and what puts and sweeps do to one blob
/// excludes each other by the file lock `blobs/lock`; so a blob that `put` or `commit` returned does not vanish in a sweep that had
/// begun before. (Against one that begins later, before anything refers to the blob, helps only the lock of the collection.)
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "oci/digest.h"
#include "stream/stream.h"

namespace mica::store {

/// When a blob is on disk for good. `later`: the caller syncs the file system before anything lasting refers to the blob, or what
/// refers to it does not outlive a power failure either (a torn blob reads as corrupt, and putting it again repairs it).
enum class Sync { now, later };

class BlobStore {
 public:
  /// `root` is the state folder. `temporary` is a folder on the same file system that vanishes with this process; empty: for
  /// reading only.
  BlobStore(std::string root, std::string temporary);
  /// Small blob in one call. Already there: nothing is written.
  /// Errors: resource_exhausted (disk full), permission_denied (read-only).
  Result<oci::Digest> put(std::string_view bytes, Sync sync = Sync::now);

  /// A blob being written; hashed as the bytes come. Vanishes unless committed.
  class Ingest : public stream::Sink {
   public:
    Result<> write(std::span<const unsigned char> bytes) override;
    /// Once, after the last write: syncs (unless `sync` is later), checks `expected` (if given: mismatch is corrupt) and renames into place.
    Result<oci::Digest> commit(const oci::Digest& expected = {}, Sync sync = Sync::now);
    std::int64_t size() const;      ///< bytes written so far
    ~Ingest() override;

   private:
    friend class BlobStore;
    struct Impl;
    explicit Ingest(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
  };
  Result<std::unique_ptr<Ingest>> begin();

  /// Renames a file of the same file system into place, whose content the caller has verified to be `digest`.
  Result<> adopt(const std::string& file, const oci::Digest& digest, Sync sync = Sync::now);

  bool has(const oci::Digest& digest) const;
  Result<std::int64_t> size(const oci::Digest& digest) const;
  std::string path(const oci::Digest& digest) const;
  Result<std::string> read(const oci::Digest& digest, std::size_t limit = 64 << 20) const;   ///< verified; errors: not_found, corrupt
  Result<sys::Fd> open(const oci::Digest& digest) const;       ///< not verified; errors: not_found
  Result<std::vector<oci::Digest>> list() const;               ///< sorted

  /// Deletes all blobs not in `keep` (sorted) that were last put before `before`; returns bytes freed. `before` is file_time() of
  /// when the caller began to find out what to keep; by default, of this call.
  Result<std::int64_t> sweep(const std::vector<oci::Digest>& keep, std::optional<Timestamp> before = {});
  /// The clock that files get their times from. It ticks a few hundred times a second and so may lag behind now().
  static Timestamp file_time();

 private:
  std::string root_, temporary_;
};

}  // namespace mica::store
