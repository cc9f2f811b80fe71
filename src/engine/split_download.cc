#include "engine/split_download.h"

#include <fcntl.h>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "registry/growing_blob.h"

namespace mica::engine {
namespace {

constexpr std::int64_t kLookAfterNs = 1'000'000'000;      // less says little about a connection's speed
constexpr std::int64_t kWorthNs = 3'000'000'000;          // what one connection would still need
constexpr std::int64_t kMinPart = 4 << 20;
constexpr int kMaxParts = 3;                              // beside the first connection

/// A part of the blob on its way into a file of its own.
struct Part {
  std::int64_t from = 0, length = 0;
  std::string path;
  std::unique_ptr<registry::GrowingBlob> bytes;
};

class Splitter : public stream::Sink {
 public:
  Splitter(const SplitDownload& download, stream::Sink& to, const task::Cancel& cancel)
      : download_(download), to_(to), position_(download.from), end_(download.blob.size), group_(download.pool, cancel), began_ns_(monotonic_ns()) {}
  ~Splitter() override {
    group_.cancel().stop();
    (void)group_.wait();
    for (const Part& part : parts_) (void)sys::remove_file(part.path);
    download_.spare += taken_;
  }

  Result<> run(const task::Cancel& cancel) {
    auto first = download_.repository.read_blob(download_.blob, download_.from, -1, *this, cancel, [this](bool ranges) { ranges_ = ranges; });
    if (!first && !stopped_) return first;
    for (const Part& part : parts_) {
      const auto source = TRY(part.bytes->from(0));
      TRY(stream::copy(*source, to_));
    }
    return {};
  }

  Result<> write(std::span<const unsigned char> bytes) override {
    const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(end_ - position_, static_cast<std::int64_t>(bytes.size())));
    TRY(to_.write(bytes.first(wanted)));
    position_ += static_cast<std::int64_t>(wanted);
    if (parts_.empty() && is_worth_it()) TRY(split());
    stopped_ = !parts_.empty() && position_ == end_;
    if (stopped_) return fail(Errc::cancelled, "the other connections bring the rest");   // ends the request
    return {};
  }

 private:
  bool is_worth_it() const {
    const std::int64_t passed = monotonic_ns() - began_ns_, done = position_ - download_.from, left = end_ - position_;
    if (!ranges_ || passed < kLookAfterNs || left < 2 * kMinPart || download_.spare <= 0) return false;
    return static_cast<double>(left) * static_cast<double>(passed) > static_cast<double>(done) * static_cast<double>(kWorthNs);
  }

  Result<> split() {
    const std::int64_t left = end_ - position_;
    const auto most = std::min<std::int64_t>(kMaxParts, left / kMinPart - 1);
    for (; taken_ < most; ++taken_)
      if (download_.spare.fetch_sub(1) <= 0) {
        ++download_.spare;
        break;
      }
    if (taken_ == 0) return {};
    const std::int64_t length = left / (taken_ + 1);
    log::debug("blob {}: {} further connections for the last {} bytes", download_.blob.digest.short_hex(), taken_, length * taken_);
    const std::int64_t last_end = end_;
    end_ = last_end - length * taken_;
    parts_.reserve(static_cast<std::size_t>(taken_));       // tasks refer to them
    for (int i = 0; i < taken_; ++i) {
      Part& part = parts_.emplace_back(Part{.from = end_ + length * i, .length = length});
      part.path = format("{}/part-{}", download_.temporary, random_hex(8));
      auto file = TRY(sys::open(part.path, O_RDWR | O_CREAT | O_EXCL, 0600));
      part.bytes = std::make_unique<registry::GrowingBlob>(std::move(file), download_.pool);
      group_.run([this, &part, promise = part.bytes->promise()](task::Cancel stop) { return fetch(part, stop); });
    }
    return {};
  }

  Result<> fetch(Part& part, const task::Cancel& stop) {
    const task::Blocking blocking(download_.pool);
    auto done = download_.repository.read_blob(download_.blob, part.from, part.length, *part.bytes, stop);
    if (done) return part.bytes->finish();
    part.bytes->fail(done.error());
    return done;
  }

  const SplitDownload& download_;
  stream::Sink& to_;
  std::int64_t position_, end_;                             // of the first connection
  bool ranges_ = false, stopped_ = false;
  int taken_ = 0;
  std::vector<Part> parts_;
  task::Group group_;
  std::int64_t began_ns_;
};

}  // namespace

Result<> read_split(const SplitDownload& download, stream::Sink& to, task::Cancel cancel) { return Splitter(download, to, cancel).run(cancel); }

}  // namespace mica::engine
