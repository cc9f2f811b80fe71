/// Blobs that are verified while they are read: what passes on to a target has been hashed, and the last bytes only leave when the whole is
/// what its digest says.
#pragma once
#include <memory>
#include <mutex>
#include <optional>

#include "base/sha256.h"
#include "oci/image.h"
#include "registry/client.h"
#include "stream/stream.h"
#include "sys/fd.h"
#include "task/task.h"

namespace mica::engine {

/// Hashes a blob once, however often parts of it are read again. What a target has asked for again is not hashed again: the registry compares
/// the digest of what it got in the end. Thread-safe.
class BlobCheck {
 public:
  explicit BlobCheck(oci::Descriptor blob) : blob_(std::move(blob)) {}
  /// `bytes`, at `offset` in the blob, are about to be passed on. Errors: corrupt, when they complete the blob and it is another one.
  Result<> pass(std::int64_t offset, std::span<const unsigned char> bytes);

 private:
  const oci::Descriptor blob_;
  std::mutex mutex_;
  Sha256 hash_;
  std::int64_t hashed_ = 0;
  std::optional<oci::Digest> digest_;    // of the whole, once it has passed
};

/// A blob of a repository, read while it is sent on: a thread of the pool fetches, a buffer of fixed size is between. Nothing is kept: reading
/// again fetches again, from the offset asked for. Errors of reading: those of Repository::read_blob; corrupt.
std::unique_ptr<registry::Replayable> relayed_blob(const registry::Repository& repository, const oci::Descriptor& blob, task::Pool& pool, task::Cancel cancel);

/// A blob in a file. Errors: corrupt (another size).
Result<std::unique_ptr<registry::Replayable>> file_blob(sys::Fd file, const oci::Descriptor& blob);

}  // namespace mica::engine
