/// The output of one step: to the progress as it comes, and compressed into a blob.
#pragma once
#include <memory>
#include <string>

#include "build/progress.h"
#include "build/step.h"
#include "store/blob_store.h"
#include "stream/stream.h"

namespace mica::build {

/// Form of a log under its compression (zstd): chunks of stream number (one byte, '1' or '2'), milliseconds since the start (8 hex digits),
/// size (8 hex digits), bytes. docs/formats/step-log.md.
class StepLog : public OutputSink {
 public:
  StepLog(Progress& progress, StepNumber step, store::BlobStore& blobs);
  ~StepLog() override;
  void write(int stream, std::string_view bytes) override;
  void shell(bool open) override { progress_.send(ShellOpened{step_, open}); }
  /// Ends the log; empty when nothing was written. Errors: resource_exhausted (disk full).
  Result<oci::Digest> commit();

 private:
  Result<> append(int stream, std::string_view bytes);
  Progress& progress_;
  StepNumber step_;
  store::BlobStore& blobs_;
  std::int64_t begun_;
  std::mutex mutex_;
  std::unique_ptr<store::BlobStore::Ingest> ingest_;
  std::unique_ptr<stream::Sink> encoder_;
  Result<> failure_;
};

/// Reads a log back, chunk by chunk. Errors: not_found, corrupt.
Result<> read_step_log(const store::BlobStore& blobs, const oci::Digest& log,
                       const std::function<void(int stream, std::int64_t ms, std::string_view bytes)>& chunk);

}  // namespace mica::build
