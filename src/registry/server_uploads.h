/// Upload sessions of a registry server.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/error.h"
#include "base/guarded.h"
#include "registry/storage.h"

namespace mica::registry {

/// A session belongs to the newest request on it: a client whose connection broke comes again while the server still waits for bytes
/// on the old one, which must not write any more then. Each request takes a number; who has not the last one is out.
class Upload {
 public:
  Upload(std::string id, std::string repository, std::unique_ptr<StoredUpload> stored)
      : id(std::move(id)), repository(std::move(repository)), stored_(std::move(stored)) {}

  const std::string id, repository;

  struct Claim {
    std::uint64_t number = 0;
    std::int64_t size = 0;                 ///< when it was claimed
  };
  Claim claim();
  std::int64_t size() const;
  /// Errors: conflict (a newer request has the session, or it has ended); those of StoredUpload.
  Result<> append(std::uint64_t claim, std::span<const unsigned char> bytes);
  /// Ends the session in any case. Errors: as append.
  Result<> commit(std::uint64_t claim, const oci::Digest& expected);
  void drop();
  std::int64_t last_used() const;          ///< seconds, of a clock that only goes forward

 private:
  Result<> may(std::uint64_t claim) const;
  mutable std::mutex mutex_;
  // Under the mutex:
  std::unique_ptr<StoredUpload> stored_;   // null: ended
  std::uint64_t newest_ = 0;
  std::int64_t size_ = 0, used_ = 0;
};

class Uploads {
 public:
  /// Forgets sessions that nobody has touched for an hour. Errors: resource_exhausted (too many at a time); those of Storage.
  Result<std::shared_ptr<Upload>> begin(Storage& storage, const std::string& repository);
  /// Null: there is none of that id in that repository.
  std::shared_ptr<Upload> find(const std::string& id, const std::string& repository);
  void forget(const std::string& id);

 private:
  Guarded<std::map<std::string, std::shared_ptr<Upload>>> open_;
};

}  // namespace mica::registry
