/// One blob on its way from a registry into the store.
#pragma once
#include <atomic>
#include <memory>
#include <string>

#include "engine/engine.h"
#include "oci/image.h"
#include "registry/client.h"
#include "registry/growing_blob.h"
#include "sys/lock.h"

namespace mica::engine {

/// Its bytes gather in `partial/<hex>`, locked by whoever fetches them: another process waits, and then finds the blob. What is there
/// when a download ends early stays, and the next one goes on behind it.
class BlobDownload {
 public:
  /// Waits for another process that fetches the same blob. Errors: cancelled, resource_exhausted.
  static Result<std::unique_ptr<BlobDownload>> begin(Engine& engine, const oci::Descriptor& blob, task::Cancel cancel);
  /// The bytes, from the first on, while they come (or from the store). The download must outlive the source.
  Result<std::unique_ptr<stream::Source>> read();
  /// Fetches what is missing and puts the verified blob into the store. Once; at once when it is there. `progress` (may be empty) gets bytes here.
  /// `spare`: further connections that a slow download may open (split_download.h).
  /// Errors: those of Repository::read_blob; corrupt (digest).
  Result<> run(const registry::Repository& repository, const std::function<void(std::int64_t)>& progress, std::atomic<int>& spare, task::Cancel cancel);
  /// To be held by the task that calls run(): see GrowingBlob::promise.
  std::shared_ptr<void> promise() { return bytes_ ? bytes_->promise() : nullptr; }
  bool is_here() const { return here_; }
  bool is_resumed() const { return resumed_; }         ///< some bytes came in an earlier download

 private:
  BlobDownload(Engine& engine, const oci::Descriptor& blob) : engine_(engine), blob_(blob) {}
  Result<> open_partial();
  Result<> receive(const registry::Repository& repository, const std::function<void(std::int64_t)>& progress, std::atomic<int>& spare, task::Cancel cancel);
  Engine& engine_;
  oci::Descriptor blob_;
  std::string path_;
  std::optional<sys::FileLock> lock_;
  bool here_ = false, resumed_ = false;
  std::unique_ptr<registry::GrowingBlob> bytes_;
};

/// Removes partial downloads that nobody went on with for a week. Returns bytes freed.
Result<std::int64_t> sweep_partial_downloads(Engine& engine);

}  // namespace mica::engine
