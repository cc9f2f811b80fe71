/// What a registry server keeps its content in. The engine implements this over an OCI layout folder and over mica's own store.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "oci/image.h"
#include "oci/reference.h"
#include "stream/stream.h"
#include "sys/fd.h"

namespace mica::registry {

struct StoredDocument {
  std::string media_type;
  oci::Digest digest;
  std::string bytes;
};

/// An upload under way. Survives requests, not the server (nor need it).
class StoredUpload {
 public:
  virtual ~StoredUpload() = default;     ///< drops it unless committed
  virtual std::int64_t size() const = 0;
  virtual Result<> append(std::span<const unsigned char> bytes) = 0;
  /// Errors: corrupt (not that digest; the upload is dropped).
  virtual Result<> commit(const oci::Digest& expected) = 0;
};

/// Thread-safe. `repository` is a path: "team/app". Errors: not_found for what is missing; permission_denied (read-only); resource_exhausted.
class Storage {
 public:
  virtual ~Storage() = default;
  virtual Result<StoredDocument> document(const std::string& repository, const std::string& tag_or_digest) = 0;
  /// `tag` empty: by digest only. Documents refer to blobs and documents that are there, or it is invalid_argument naming the missing one.
  virtual Result<> put_document(const std::string& repository, const std::string& tag, const StoredDocument& document) = 0;
  virtual Result<> remove_document(const std::string& repository, const oci::Digest& digest) = 0;
  virtual Result<> remove_tag(const std::string& repository, const std::string& tag) = 0;
  virtual Result<std::vector<std::string>> tags(const std::string& repository) = 0;          ///< sorted; not_found: no such repository
  virtual Result<std::vector<std::string>> repositories() = 0;                               ///< sorted
  /// Every document of the repository, for referrers.
  virtual Result<std::vector<StoredDocument>> documents_naming(const std::string& repository, const oci::Digest& subject) = 0;
  struct Blob {
    sys::Fd file;
    std::int64_t size = 0;
  };
  virtual Result<Blob> blob(const std::string& repository, const oci::Digest& digest) = 0;
  virtual Result<> remove_blob(const std::string& repository, const oci::Digest& digest) = 0;
  /// Makes a blob of `from` visible in `repository`; not_found when it is not there.
  virtual Result<> mount_blob(const std::string& repository, const oci::Digest& digest, const std::string& from) = 0;
  virtual Result<std::unique_ptr<StoredUpload>> begin_upload(const std::string& repository) = 0;
};

}  // namespace mica::registry
