#include "engine/checked_blob.h"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstring>

#include "base/format.h"

namespace mica::engine {
namespace {

constexpr std::size_t kRelayBytes = 1 << 20;
constexpr std::chrono::milliseconds kLook{100};     // how soon a waiting side sees that it is to stop

/// Bytes on their way from one thread to another.
class Relay : public stream::Sink {
 public:
  Relay(BlobCheck& check, std::int64_t offset) : check_(check), offset_(offset), bytes_(kRelayBytes) {}

  Result<> write(std::span<const unsigned char> bytes) override {
    TRY(check_.pass(offset_, bytes));
    offset_ += static_cast<std::int64_t>(bytes.size());
    while (!bytes.empty()) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return abandoned_ || filled_ < bytes_.size(); });
      if (abandoned_) return fail(task::Cancel::error());
      const std::size_t at = (first_ + filled_) % bytes_.size();
      const std::size_t count = std::min({bytes.size(), bytes_.size() - filled_, bytes_.size() - at});
      std::memcpy(bytes_.data() + at, bytes.data(), count);
      filled_ += count;
      bytes = bytes.subspan(count);
      lock.unlock();
      changed_.notify_all();
    }
    return {};
  }
  void end(Result<> result) {
    {
      const std::lock_guard lock(mutex_);
      end_ = std::move(result);
    }
    changed_.notify_all();
  }
  void abandon() {
    {
      const std::lock_guard lock(mutex_);
      abandoned_ = true;
    }
    changed_.notify_all();
  }

  Result<std::size_t> read(std::span<unsigned char> into, const task::Cancel& cancel) {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, kLook, [&] { return filled_ > 0 || end_; })) TRY(cancel.check());
    if (filled_ == 0) {
      if (!*end_) return fail(end_->error());
      return 0;
    }
    const std::size_t count = std::min({into.size(), filled_, bytes_.size() - first_});
    std::memcpy(into.data(), bytes_.data() + first_, count);
    first_ = (first_ + count) % bytes_.size();
    filled_ -= count;
    lock.unlock();
    changed_.notify_all();
    return count;
  }

 private:
  BlobCheck& check_;
  std::int64_t offset_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<unsigned char> bytes_;       // a ring
  std::size_t first_ = 0, filled_ = 0;
  std::optional<Result<>> end_;            // of the writing side
  bool abandoned_ = false;                 // nobody reads any more
};

class RelayedBlob : public registry::Replayable {
 public:
  RelayedBlob(const registry::Repository& repository, const oci::Descriptor& blob, task::Pool& pool, task::Cancel cancel)
      : repository_(repository), blob_(blob), pool_(pool), cancel_(std::move(cancel)), check_(blob) {}
  Result<std::unique_ptr<stream::Source>> from(std::int64_t offset) override { return std::make_unique<Reader>(*this, offset); }
  std::int64_t size() const override { return blob_.size; }
  Result<oci::Digest> digest() override { return blob_.digest; }

 private:
  class Reader : public stream::Source {
   public:
    Reader(RelayedBlob& blob, std::int64_t offset) : cancel_(blob.cancel_), relay_(blob.check_, offset), fetching_(blob.pool_, blob.cancel_) {
      fetching_.run([this, &blob, offset](task::Cancel stop) -> Result<> {
        relay_.end(blob.repository_.read_blob(blob.blob_, offset, -1, relay_, stop));
        return {};
      });
    }
    ~Reader() override { relay_.abandon(); }
    Result<std::size_t> read(std::span<unsigned char> into) override { return into.empty() ? 0 : relay_.read(into, cancel_); }

   private:
    task::Cancel cancel_;
    Relay relay_;
    task::Group fetching_;               // dies first: it uses what is above
  };

  const registry::Repository repository_;
  const oci::Descriptor blob_;
  task::Pool& pool_;
  task::Cancel cancel_;
  BlobCheck check_;
};

class FileBlob : public registry::Replayable {
 public:
  FileBlob(sys::Fd file, const oci::Descriptor& blob) : file_(std::move(file)), blob_(blob), check_(blob) {}
  Result<std::unique_ptr<stream::Source>> from(std::int64_t offset) override { return std::make_unique<Reader>(*this, offset); }
  std::int64_t size() const override { return blob_.size; }
  Result<oci::Digest> digest() override { return blob_.digest; }

 private:
  class Reader : public stream::Source {
   public:
    Reader(FileBlob& blob, std::int64_t offset) : blob_(blob), offset_(offset) {}
    Result<std::size_t> read(std::span<unsigned char> into) override {
      for (;;) {
        const auto got = ::pread(blob_.file_.get(), into.data(), into.size(), offset_);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno("reading a blob");
        TRY(blob_.check_.pass(offset_, into.first(static_cast<std::size_t>(got))));
        offset_ += got;
        return static_cast<std::size_t>(got);
      }
    }

   private:
    FileBlob& blob_;
    std::int64_t offset_;
  };

  sys::Fd file_;
  const oci::Descriptor blob_;
  BlobCheck check_;
};

}  // namespace

Result<> BlobCheck::pass(std::int64_t offset, std::span<const unsigned char> bytes) {
  const std::lock_guard lock(mutex_);
  const std::int64_t known = hashed_ - offset;
  if (known >= 0 && known < static_cast<std::int64_t>(bytes.size())) {
    bytes = bytes.subspan(static_cast<std::size_t>(known));
    hash_.update(bytes);
    hashed_ += static_cast<std::int64_t>(bytes.size());
  }
  if (hashed_ < blob_.size) return {};
  if (!digest_) digest_ = oci::Digest::from_hex(hash_.finish_hex());
  if (*digest_ == blob_.digest) return {};
  return failf(Errc::corrupt, "the bytes of a blob are not those that its digest names\n  expected: {}\n  actual:   {}", blob_.digest.str(), digest_->str());
}

std::unique_ptr<registry::Replayable> relayed_blob(const registry::Repository& repository, const oci::Descriptor& blob, task::Pool& pool, task::Cancel cancel) {
  return std::make_unique<RelayedBlob>(repository, blob, pool, std::move(cancel));
}

Result<std::unique_ptr<registry::Replayable>> file_blob(sys::Fd file, const oci::Descriptor& blob) {
  const auto status = TRY(sys::stat_fd(file));
  if (status.st_size != blob.size)
    return failf(Errc::corrupt, "a blob has another size\n  expected: {} ({} bytes)\n  actual:   {} bytes", blob.digest.str(), blob.size, status.st_size);
  return std::make_unique<FileBlob>(std::move(file), blob);
}

}  // namespace mica::engine
