/// Immutable bytes under their digest: `blobs/sha256/<hex>`: configs, manifests, indexes, compressed layers, step logs.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "oci/digest.h"
#include "oci/image.h"
#include "stream/stream.h"

namespace mica::store {

class BlobStore {
 public:
  /// `temporary` is a folder on the same file system that vanishes with this process.
  BlobStore(std::string root, std::string temporary);
  /// Small blob in one call: temporary file, fsync, rename. Already there: nothing is written.
  Result<oci::Digest> put(std::string_view bytes);

  /// A blob being written. `commit` fsyncs, checks `expected` (if given: mismatch is corrupt) and renames into place.
  class Ingest : public stream::Sink {
   public:
    Result<> write(std::span<const unsigned char> bytes) override;
    Result<oci::Digest> commit(const oci::Digest& expected = {});
    std::int64_t size() const;
    ~Ingest() override;

   private:
    friend class BlobStore;
    struct Impl;
    explicit Ingest(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
  };
  Result<std::unique_ptr<Ingest>> begin();

  bool has(const oci::Digest& digest) const;
  Result<std::int64_t> size(const oci::Digest& digest) const;
  std::string path(const oci::Digest& digest) const;
  Result<std::string> read(const oci::Digest& digest, std::size_t limit = 64 << 20) const;   ///< verified; errors: not_found, corrupt
  Result<sys::Fd> open(const oci::Digest& digest) const;
  Result<std::vector<oci::Digest>> list() const;
  /// Deletes all blobs not in `keep` (sorted) that are older than this process's start of sweep; returns bytes freed.
  Result<std::int64_t> sweep(const std::vector<oci::Digest>& keep);

 private:
  std::string root_, temporary_;
};

}  // namespace mica::store
