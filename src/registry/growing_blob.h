/// A blob in a file that is read while it is still being written: a download that is unpacked as it comes, a layer that is compressed and
/// sent in one pass, and whatever must be read again after a break.
#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "registry/client.h"
#include "stream/stream.h"
#include "sys/fd.h"
#include "task/task.h"

namespace mica::registry {

/// One writer, any number of readers on other threads. A reader that has to wait lends its place in the pool. The blob must outlive
/// its readers. Once the writer has failed, readers get its error.
class GrowingBlob : public Replayable, public stream::Sink {
 public:
  /// `file`: open for reading and writing, empty or with the first `have` bytes of the blob, which `hash` has seen.
  GrowingBlob(sys::Fd file, task::Pool& pool, std::int64_t have = 0, Sha256 hash = {});
  Result<> write(std::span<const unsigned char> bytes) override;
  Result<> finish() override;              ///< all bytes are there
  void fail(Error error);                  ///< no more will come; nothing once it is finished
  /// For the task that is to write: once it is gone and has neither finished nor failed the blob, readers get `cancelled`. A task of a
  /// group that is stopped before the task begins never runs, and readers would wait for it for ever. The blob must outlive it.
  std::shared_ptr<void> promise();

  std::int64_t written() const;
  /// Ends at the end of the blob, however long that takes to come.
  Result<std::unique_ptr<stream::Source>> from(std::int64_t offset) override;
  std::int64_t size() const override;
  Result<oci::Digest> digest() override;

 private:
  class Reader;
  /// Waits until there is a byte at `offset`, or the end: how many there are from there on.
  Result<std::int64_t> wait_for(std::int64_t offset) const;

  sys::Fd file_;
  task::Pool& pool_;
  Sha256 hash_;                            // the writer's
  mutable std::mutex mutex_;
  mutable std::condition_variable grown_;
  // Under the mutex:
  std::int64_t written_ = 0;
  bool finished_ = false;
  oci::Digest digest_;
  std::optional<Error> error_;
};

}  // namespace mica::registry
