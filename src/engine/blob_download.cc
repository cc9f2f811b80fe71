#include "engine/blob_download.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/format.h"
#include "base/log.h"
#include "engine/layout.h"
#include "engine/split_download.h"

namespace mica::engine {
namespace {

constexpr std::int64_t kPartialSeconds = 7 * 24 * 3600;

/// Passes bytes on and counts them.
class ProgressSink : public stream::Sink {
 public:
  ProgressSink(stream::Sink& to, std::int64_t done, const std::function<void(std::int64_t)>& progress) : to_(to), done_(done), progress_(progress) {}
  Result<> write(std::span<const unsigned char> bytes) override {
    TRY(to_.write(bytes));
    done_ += static_cast<std::int64_t>(bytes.size());
    if (progress_) progress_(done_);
    return {};
  }

 private:
  stream::Sink& to_;
  std::int64_t done_;
  const std::function<void(std::int64_t)>& progress_;
};

Error mismatch(const oci::Descriptor& blob, const oci::Digest& actual, std::int64_t size) {
  return Error(Errc::corrupt, format("the bytes received are not those that were asked for\n  expected: {} ({} bytes)\n  actual:   {} ({} bytes)", blob.digest.str(),
                                     blob.size, actual.str(), size));
}

}  // namespace

Result<std::unique_ptr<BlobDownload>> BlobDownload::begin(Engine& engine, const oci::Descriptor& blob, task::Cancel cancel) {
  std::unique_ptr<BlobDownload> download(new BlobDownload(engine, blob));
  download->here_ = engine.blobs().has(blob.digest);
  if (download->here_) return download;
  const std::string folder = engine.folder(kPartialFolder);
  TRY(sys::make_directories(folder, 0700));
  download->path_ = folder + "/" + blob.digest.hex();
  {
    auto lock = sys::FileLock::try_acquire(download->path_, sys::LockMode::exclusive);
    if (!lock && lock.error().code() == Errc::conflict) {
      const task::Blocking blocking(engine.pool());
      lock = sys::FileLock::acquire(download->path_, sys::LockMode::exclusive, cancel.fd());
    }
    if (!lock) return fail(std::move(lock).error());
    download->lock_ = std::move(*lock);
  }
  download->here_ = engine.blobs().has(blob.digest);   // somebody may have brought it meanwhile
  if (download->here_) {
    (void)sys::remove_file(download->path_);
    download->lock_.reset();
    return download;
  }
  TRY(download->open_partial());
  return download;
}

Result<> BlobDownload::open_partial() {
  auto file = TRY(sys::open(path_, O_RDWR | O_CREAT, 0600));
  const auto status = TRY(sys::stat_fd(file));
  std::int64_t have = status.st_size;
  Sha256 hash;
  if (have > blob_.size) {
    if (::ftruncate(file.get(), 0) != 0) return fail_errno("starting a download again");
    have = 0;
  }
  std::vector<unsigned char> buffer(stream::kBufferBytes);
  for (std::int64_t done = 0; done < have;) {
    const std::size_t got = TRY(sys::read_full(file, buffer));
    if (got == 0) return failf(Errc::corrupt, "{} shrank while it was read", path_);
    hash.update(std::span(buffer).first(got));
    done += static_cast<std::int64_t>(got);
  }
  resumed_ = have > 0;
  if (resumed_) log::debug("going on with blob {} behind byte {}", blob_.digest.short_hex(), have);
  bytes_ = std::make_unique<registry::GrowingBlob>(std::move(file), engine_.pool(), have, std::move(hash));
  return {};
}

Result<std::unique_ptr<stream::Source>> BlobDownload::read() {
  if (bytes_) return bytes_->from(0);
  auto file = TRY(engine_.blobs().open(blob_.digest));
  return std::unique_ptr<stream::Source>(std::make_unique<stream::FdSource>(std::move(file)));
}

Result<> BlobDownload::receive(const registry::Repository& repository, const std::function<void(std::int64_t)>& progress, std::atomic<int>& spare,
                               task::Cancel cancel) {
  const std::int64_t have = bytes_->written();
  ProgressSink sink(*bytes_, have, progress);
  if (have < blob_.size) {
    const task::Blocking blocking(engine_.pool());
    const SplitDownload download{.repository = repository, .blob = blob_, .from = have, .pool = engine_.pool(), .temporary = engine_.workspace().path(), .spare = spare};
    TRY(read_split(download, sink, cancel));
  }
  TRY(bytes_->finish());
  const auto digest = TRY(bytes_->digest());
  if (digest == blob_.digest && bytes_->size() == blob_.size) return {};
  (void)sys::remove_file(path_);                       // nothing to go on with
  return fail(mismatch(blob_, digest, bytes_->size()));
}

Result<> BlobDownload::run(const registry::Repository& repository, const std::function<void(std::int64_t)>& progress, std::atomic<int>& spare, task::Cancel cancel) {
  if (here_) return {};
  if (auto done = receive(repository, progress, spare, cancel); !done) {
    bytes_->fail(done.error());
    return done;
  }
  return engine_.blobs().adopt(path_, blob_.digest, store::Sync::later);
}

Result<std::int64_t> sweep_partial_downloads(Engine& engine) {
  std::int64_t freed = 0;
  auto folder = sys::open(engine.folder(kPartialFolder), O_RDONLY | O_DIRECTORY);
  if (!folder) return freed;
  const auto names = TRY(sys::list_names(*folder));
  for (const auto& name : names) {
    const std::string path = engine.folder(kPartialFolder) + "/" + name;
    const auto status = sys::lstat_at(*folder, name);
    if (!status || status->st_mtime + kPartialSeconds > now().ns / 1'000'000'000) continue;
    const auto lock = sys::FileLock::try_acquire(path, sys::LockMode::exclusive);
    if (!lock) continue;
    TRY(sys::remove_file(path));
    freed += status->st_size;
  }
  return freed;
}

}  // namespace mica::engine
