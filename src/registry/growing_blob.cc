#include "registry/growing_blob.h"

#include <unistd.h>

#include "base/format.h"

namespace mica::registry {

class GrowingBlob::Reader : public stream::Source {
 public:
  Reader(const GrowingBlob& blob, std::int64_t offset) : blob_(blob), offset_(offset) {}
  Result<std::size_t> read(std::span<unsigned char> into) override {
    if (into.empty()) return 0;
    const std::int64_t there = TRY(blob_.wait_for(offset_));
    if (there == 0) return 0;
    const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(there, static_cast<std::int64_t>(into.size())));
    for (;;) {
      const auto got = ::pread(blob_.file_.get(), into.data(), wanted, offset_);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("reading a blob on its way");
      if (got == 0) return mica::fail(Errc::corrupt, "a blob on its way was shortened by somebody else");
      offset_ += got;
      return static_cast<std::size_t>(got);
    }
  }

 private:
  const GrowingBlob& blob_;
  std::int64_t offset_;
};

GrowingBlob::GrowingBlob(sys::Fd file, task::Pool& pool, std::int64_t have, Sha256 hash)
    : file_(std::move(file)), pool_(pool), hash_(std::move(hash)), written_(have) {}

Result<> GrowingBlob::write(std::span<const unsigned char> bytes) {
  std::int64_t offset = written();
  for (auto left = bytes; !left.empty();) {
    const auto put = ::pwrite(file_.get(), left.data(), left.size(), offset);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("writing a blob on its way");
    left = left.subspan(static_cast<std::size_t>(put));
    offset += put;
  }
  hash_.update(bytes);
  {
    const std::lock_guard lock(mutex_);
    written_ = offset;
  }
  grown_.notify_all();
  return {};
}

Result<> GrowingBlob::finish() {
  {
    const std::lock_guard lock(mutex_);
    digest_ = oci::Digest::from_hex(hash_.finish_hex());
    finished_ = true;
  }
  grown_.notify_all();
  return {};
}

void GrowingBlob::fail(Error error) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_ || error_) return;
    error_ = std::move(error);
  }
  grown_.notify_all();
}

std::shared_ptr<void> GrowingBlob::promise() {
  return std::shared_ptr<void>(this, [](void* blob) { static_cast<GrowingBlob*>(blob)->fail(task::Cancel::error()); });
}

std::int64_t GrowingBlob::written() const {
  const std::lock_guard lock(mutex_);
  return written_;
}

std::int64_t GrowingBlob::size() const {
  const std::lock_guard lock(mutex_);
  return finished_ ? written_ : -1;
}

Result<std::int64_t> GrowingBlob::wait_for(std::int64_t offset) const {
  std::unique_lock lock(mutex_);
  const auto ready = [&] { return written_ > offset || finished_ || error_; };
  if (!ready()) {
    lock.unlock();
    const task::Blocking blocking(pool_);
    lock.lock();
    grown_.wait(lock, ready);
  }
  if (written_ > offset) return written_ - offset;
  if (error_) return mica::fail(*error_);
  return 0;
}

Result<std::unique_ptr<stream::Source>> GrowingBlob::from(std::int64_t offset) {
  return std::unique_ptr<stream::Source>(std::make_unique<Reader>(*this, offset));
}

Result<oci::Digest> GrowingBlob::digest() {
  std::unique_lock lock(mutex_);
  if (!finished_ && !error_) {
    lock.unlock();
    const task::Blocking blocking(pool_);
    lock.lock();
    grown_.wait(lock, [&] { return finished_ || error_; });
  }
  if (error_) return mica::fail(*error_);
  return digest_;
}

}  // namespace mica::registry
