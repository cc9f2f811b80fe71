// Writing gzip (RFC 1952): the input is cut into pieces of one size, each deflated on its own, by ISA-L at levels 0 to 3 and by zlib at 4 to 9, where a ratio is asked for.
// A piece ends on a byte (a full flush), so that the pieces, in order, are one deflate stream, and which thread deflates which piece cannot be seen in the result.
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <zlib.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/format.h"
#include "stream/codecs.h"

namespace mica::stream {
namespace {

constexpr std::size_t kPiece = 1 << 20;         // large enough that the window lost at its beginning costs no more than a thousandth
constexpr std::size_t kRoom = kPiece + (64 << 10);   // deflate grows what it cannot compress by a few bytes in 64 KiB
constexpr int kMostIsal = 3;
constexpr int kAheadOfThreads = 2;

/// Deflates pieces; has the state of one encoder, which is worth keeping from piece to piece.
class Deflater {
 public:
  virtual ~Deflater() = default;
  /// `out` has kRoom bytes. Returns those written.
  virtual std::size_t deflate(std::span<unsigned char> in, std::span<unsigned char> out) = 0;
};

class IsalDeflater : public Deflater {
 public:
  explicit IsalDeflater(int level) : level_(static_cast<std::uint32_t>(level)), stream_(std::make_unique<isal_zstream>()) {
    constexpr std::uint32_t kLevelBytes[] = {0, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT, ISAL_DEF_LVL3_DEFAULT};
    level_buffer_.resize(kLevelBytes[level]);
  }
  std::size_t deflate(std::span<unsigned char> in, std::span<unsigned char> out) override {
    isal_deflate_init(stream_.get());
    stream_->level = level_;
    stream_->level_buf = level_buffer_.data();
    stream_->level_buf_size = static_cast<std::uint32_t>(level_buffer_.size());
    stream_->flush = FULL_FLUSH;
    stream_->next_in = in.data();
    stream_->avail_in = static_cast<std::uint32_t>(in.size());
    stream_->next_out = out.data();
    stream_->avail_out = static_cast<std::uint32_t>(out.size());
    const int code = isal_deflate(stream_.get());
    MICA_ASSERT(code == COMP_OK && stream_->avail_in == 0 && stream_->avail_out > 0, "a piece fits its room");
    return out.size() - stream_->avail_out;
  }

 private:
  const std::uint32_t level_;
  std::unique_ptr<isal_zstream> stream_;
  std::vector<unsigned char> level_buffer_;
};

class ZlibDeflater : public Deflater {
 public:
  explicit ZlibDeflater(int level) {
    constexpr int kRawWindow = -15, kMemory = 8;
    const int code = deflateInit2(&stream_, level, Z_DEFLATED, kRawWindow, kMemory, Z_DEFAULT_STRATEGY);
    MICA_ASSERT(code == Z_OK, "zlib takes levels 4 to 9");
  }
  ~ZlibDeflater() override { deflateEnd(&stream_); }
  ZlibDeflater(const ZlibDeflater&) = delete;
  ZlibDeflater& operator=(const ZlibDeflater&) = delete;

  std::size_t deflate(std::span<unsigned char> in, std::span<unsigned char> out) override {
    deflateReset(&stream_);
    stream_.next_in = in.data();
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<uInt>(out.size());
    ::deflate(&stream_, Z_FULL_FLUSH);
    MICA_ASSERT(stream_.avail_in == 0 && stream_.avail_out > 0, "a piece fits its room");
    return out.size() - stream_.avail_out;
  }

 private:
  z_stream stream_{};
};

struct Piece {
  std::vector<unsigned char> in = std::vector<unsigned char>(kPiece), out;
  std::size_t size = 0, made = 0;
  std::uint32_t crc = 0;
  bool done = false;
};

/// What the tasks share with the sink: the pieces that wait, and encoders. A task holds no piece until it begins to work, so that tasks for which a busy pool has no
/// thread cost no memory.
class Workshop {
 public:
  explicit Workshop(int level) : level_(level) {}
  /// True: one more worker would find something to do, up to `most` of them; the caller starts it.
  bool add(std::shared_ptr<Piece> piece, int most) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(piece));
    if (workers_ >= most) return false;
    ++workers_;
    return true;
  }
  /// A worker: until nothing waits.
  void work() {
    std::unique_lock lock(mutex_);
    while (!waiting_.empty()) deflate_first(lock);
    --workers_;
  }
  bool is_done(const Piece& piece) {
    const std::lock_guard lock(mutex_);
    return piece.done;
  }
  /// Until the piece, the oldest of all, is done. What no worker has begun is deflated here, so that a busy pool cannot stall the stream.
  void complete(const Piece& piece) {
    std::unique_lock lock(mutex_);
    while (!piece.done)
      if (!waiting_.empty()) deflate_first(lock);
      else changed_.wait(lock);
  }

 private:
  void deflate_first(std::unique_lock<std::mutex>& lock) {
    const auto piece = std::move(waiting_.front());
    waiting_.pop_front();
    std::unique_ptr<Deflater> deflater;
    if (!idle_.empty()) {
      deflater = std::move(idle_.back());
      idle_.pop_back();
    }
    lock.unlock();
    if (!deflater) {
      if (level_ <= kMostIsal) deflater = std::make_unique<IsalDeflater>(level_);
      else deflater = std::make_unique<ZlibDeflater>(level_);
    }
    piece->out.resize(kRoom);
    piece->crc = crc32_gzip_refl(0, piece->in.data(), piece->size);
    piece->made = deflater->deflate(std::span(piece->in).first(piece->size), piece->out);
    lock.lock();
    piece->done = true;
    idle_.push_back(std::move(deflater));
    changed_.notify_all();
  }

  const int level_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Piece>> waiting_;
  std::vector<std::unique_ptr<Deflater>> idle_;
  int workers_ = 0;
};

class GzipSink : public Sink {
 public:
  GzipSink(Sink& to, int level, task::Pool* pool) : to_(to), workshop_(level), pool_(pool), ahead_(pool ? pool->threads() + kAheadOfThreads : 0) {}

  Result<> write(std::span<const unsigned char> bytes) override {
    while (!bytes.empty()) {
      if (!filling_) filling_ = fresh();
      const std::size_t n = std::min(bytes.size(), kPiece - filling_->size);
      std::copy_n(bytes.begin(), n, filling_->in.begin() + static_cast<std::ptrdiff_t>(filling_->size));
      filling_->size += n;
      bytes = bytes.subspan(n);
      if (filling_->size == kPiece) TRY(submit());
    }
    return {};
  }

  Result<> finish() override {
    if (filling_) TRY(submit());
    while (!queue_.empty()) TRY(emit_front());
    if (group_) TRY(group_->wait());
    if (!begun_) TRY(begin());
    // An empty last block with fixed codes, then CRC and length, low byte first.
    unsigned char end[] = {3, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    for (int i = 0; i < 4; ++i) {
      end[2 + i] = static_cast<unsigned char>(crc_ >> (8 * i));
      end[6 + i] = static_cast<unsigned char>(length_ >> (8 * i));
    }
    return to_.write(end);
  }

 private:
  std::shared_ptr<Piece> fresh() {
    if (free_.empty()) return std::make_shared<Piece>();
    auto piece = std::move(free_.back());
    free_.pop_back();
    piece->size = 0;
    piece->done = false;
    return piece;
  }

  Result<> submit() {
    queue_.push_back(std::exchange(filling_, nullptr));
    if (workshop_.add(queue_.back(), pool_ ? pool_->threads() : 0)) {
      if (!group_) group_.emplace(*pool_, task::Cancel());
      group_->run([this](task::Cancel) -> Result<> {
        workshop_.work();
        return {};
      });
    }
    while (queue_.size() > ahead_ || (!queue_.empty() && workshop_.is_done(*queue_.front()))) TRY(emit_front());
    return {};
  }

  Result<> emit_front() {
    auto piece = std::move(queue_.front());
    queue_.pop_front();
    workshop_.complete(*piece);
    if (!begun_) TRY(begin());
    crc_ = static_cast<std::uint32_t>(crc32_combine(crc_, piece->crc, static_cast<z_off_t>(piece->size)));
    length_ += piece->size;
    TRY(to_.write(std::span(piece->out).first(piece->made)));
    free_.push_back(std::move(piece));
    return {};
  }

  Result<> begin() {
    begun_ = true;
    constexpr unsigned char kHeader[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};   // no name, no time, no system
    return to_.write(kHeader);
  }

  Sink& to_;
  Workshop workshop_;
  task::Pool* pool_;
  const std::size_t ahead_;
  std::shared_ptr<Piece> filling_;
  std::deque<std::shared_ptr<Piece>> queue_;
  std::vector<std::shared_ptr<Piece>> free_;
  bool begun_ = false;
  std::uint32_t crc_ = 0;
  std::uint64_t length_ = 0;
  std::optional<task::Group> group_;   // last: its destructor waits for the tasks
};

}  // namespace

std::unique_ptr<Sink> gzip_sink(Sink& to, int level, task::Pool* pool) { return std::make_unique<GzipSink>(to, level, pool); }

}  // namespace mica::stream
