/// What copying between places needs instead of a store: threads, the registry client, and what this process knows of the targets' blobs.
#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "http/client.h"
#include "oci/digest.h"
#include "registry/client.h"
#include "task/task.h"

namespace mica::engine {

/// Which blobs are where at the targets, so that none is asked for or sent twice by this process. A *store* is what shares blobs between its
/// repositories (a registry; a layout, which has only one). Thread-safe.
class KnownBlobs {
 public:
  explicit KnownBlobs(task::Pool& pool) : pool_(pool) {}

  /// The right to bring one blob into one store; others wait for it. Given back when this dies.
  class Claim {
   public:
    Claim(KnownBlobs& known, std::string store, const oci::Digest& digest, std::set<std::string> repositories)
        : known_(&known), store_(std::move(store)), digest_(digest), repositories_(std::move(repositories)) {}
    Claim(Claim&& other) noexcept
        : known_(std::exchange(other.known_, nullptr)), store_(std::move(other.store_)), digest_(std::move(other.digest_)), repositories_(std::move(other.repositories_)) {}
    ~Claim();
    /// Repositories of the store that have the blob.
    const std::set<std::string>& repositories() const { return repositories_; }
    void is_now_in(const std::string& repository);

   private:
    KnownBlobs* known_;
    std::string store_;
    oci::Digest digest_;
    std::set<std::string> repositories_;
  };
  /// Waits while another claim for the same is held. Errors: cancelled.
  Result<Claim> claim(const std::string& store, const oci::Digest& digest, task::Cancel cancel);
  /// Mounting from `repository` was refused by the store once: it is not tried again.
  void refuse_mounts(const std::string& store, const std::string& from);
  bool mounts_refused(const std::string& store, const std::string& from);

 private:
  struct Entry {
    bool claimed = false;
    std::set<std::string> repositories;
  };
  task::Pool& pool_;
  std::mutex mutex_;
  std::condition_variable given_back_;
  std::map<std::pair<std::string, oci::Digest>, Entry> entries_;
  std::set<std::pair<std::string, std::string>> refused_;
};

struct CopySession {
  /// `remark`: as registry::ClientOptions has it; may be empty.
  explicit CopySession(std::function<void(std::string)> remark);
  task::Pool pool;
  http::Client http;
  registry::Client registry;
  KnownBlobs known;
};

/// Calls `work` for the numbers 0 to `count` - 1, at most `at_once` at a time, in order of starting; the first error stops the others.
Result<> run_each(task::Pool& pool, task::Cancel cancel, std::size_t count, int at_once, const std::function<Result<>(std::size_t, task::Cancel)>& work);

}  // namespace mica::engine
