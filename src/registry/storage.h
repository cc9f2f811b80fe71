/// What a registry server keeps its content in. The engine implements this over an OCI layout folder and over mica's own store.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "oci/digest.h"
#include "registry/document_links.h"
#include "stream/stream.h"
#include "sys/fd.h"

namespace mica::registry {

struct StoredDocument {
  std::string media_type;
  oci::Digest digest;
  std::string bytes;
};

/// An upload under way, hashed as it is written. Survives requests, not the server. Used by one thread at a time.
class StoredUpload {
 public:
  virtual ~StoredUpload() = default;     ///< leaves nothing behind unless committed
  virtual std::int64_t size() const = 0;
  /// Errors: resource_exhausted and other trouble of the disk; the upload is of no more use then.
  virtual Result<> append(std::span<const unsigned char> bytes) = 0;
  /// Once; durable when it returns. Errors: corrupt (the bytes have another digest).
  virtual Result<> commit(const oci::Digest& expected) = 0;
};

/// Thread-safe. `repository` is a path that was checked: "team/app". Errors: not_found for what is missing; permission_denied and
/// resource_exhausted as the disk says.
class Storage {
 public:
  virtual ~Storage() = default;
  virtual Result<StoredDocument> document(const std::string& repository, const std::string& tag_or_digest) = 0;
  /// Keeps a document under its digest and points the tags at it. What `links` says that it needs must be there: invalid_argument
  /// naming the first thing that is not.
  virtual Result<> put_document(const std::string& repository, const std::vector<std::string>& tags, const StoredDocument& document,
                                const DocumentLinks& links) = 0;
  virtual Result<> remove_document(const std::string& repository, const oci::Digest& digest) = 0;   ///< and the tags on it
  virtual Result<> remove_tag(const std::string& repository, const std::string& tag) = 0;           ///< the document stays
  virtual Result<std::vector<std::string>> tags(const std::string& repository) = 0;                 ///< sorted by bytes; not_found: no such repository
  virtual Result<std::vector<std::string>> repositories() = 0;                                      ///< sorted by bytes
  /// The repository's documents that have `subject` as theirs, which need not exist itself.
  virtual Result<std::vector<StoredDocument>> referrers(const std::string& repository, const oci::Digest& subject) = 0;
  struct Blob {
    sys::Fd file;
    std::int64_t size = 0;
  };
  virtual Result<Blob> blob(const std::string& repository, const oci::Digest& digest) = 0;
  /// Errors: conflict (a document needs it, in whatever repository).
  virtual Result<> remove_blob(const std::string& repository, const oci::Digest& digest) = 0;
  /// Makes a blob that is already here one of `repository`. `from`: where it is said to be; may be empty. Errors: not_found (not here).
  virtual Result<> mount_blob(const std::string& repository, const oci::Digest& digest, const std::string& from) = 0;
  virtual Result<std::unique_ptr<StoredUpload>> begin_upload(const std::string& repository) = 0;
};

}  // namespace mica::registry
