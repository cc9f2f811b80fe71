#include "snapshot/write_behind.h"

#include "base/format.h"

namespace mica::snapshot {

namespace {
constexpr std::size_t kBatchBytes = 1 << 20;  // also the largest file: WriteBehind::kMaxFile
constexpr std::size_t kBatchFiles = 128;      // a few milliseconds' work
constexpr std::size_t kMaxUnderWay = 8 << 20;
static_assert(WriteBehind::kMaxFile <= kBatchBytes);
}  // namespace

std::vector<unsigned char> WriteBehind::take_buffer() {
  {
    const std::lock_guard lock(mutex_);
    if (!buffers_.empty()) {
      auto buffer = std::move(buffers_.back());
      buffers_.pop_back();
      return buffer;
    }
  }
  return std::vector<unsigned char>(kBatchBytes);
}

Result<> WriteBehind::add(LayerNode* node, std::string_view path, Meta meta, std::uint64_t size, stream::Source& bytes) {
  MICA_ASSERT(size <= kMaxFile, "only small files are written behind");
  if (filling_ && (batches_.back()->used + size > kBatchBytes || batches_.back()->files.size() == kBatchFiles)) TRY(send());
  if (!filling_) {
    auto batch = std::make_unique<Batch>();
    batch->bytes = take_buffer();
    batches_.push_back(std::move(batch));
    filling_ = true;
  }
  Batch& batch = *batches_.back();
  const std::size_t n = TRY(stream::read_full(bytes, std::span(batch.bytes).subspan(batch.used, size)));
  if (n < size) return failf(Errc::corrupt, "the content of {} ends after {} of {} bytes", quoted(path), n, size);
  batch.files.push_back({.node = node, .path = path, .meta = std::move(meta), .offset = batch.used, .size = n});
  batch.used += n;
  return {};
}

Result<> WriteBehind::send() {
  filling_ = false;
  Batch& batch = *batches_.back();
  if (!group_) group_.emplace(pool_, task::Cancel());
  if (group_->cancel().stopped()) {
    auto ended = group_->wait();
    group_.reset();
    return ended;
  }
  if (under_way_.load(std::memory_order_relaxed) >= kMaxUnderWay) return write(batch);
  under_way_.fetch_add(kBatchBytes, std::memory_order_relaxed);
  group_->run([this, &batch](task::Cancel) -> Result<> {
    auto written = write(batch);
    under_way_.fetch_sub(kBatchBytes, std::memory_order_relaxed);
    return written;
  });
  return {};
}

Result<> WriteBehind::write(Batch& batch) {
  FilePlacer placer(disk_, memory_);
  for (File& file : batch.files)
    file.placed = TRY(placer.from_memory(file.path, file.meta, std::span(batch.bytes).subspan(file.offset, file.size)));
  const std::lock_guard lock(mutex_);
  buffers_.push_back(std::move(batch.bytes));
  return {};
}

Result<> WriteBehind::wait(const std::function<void(File&)>& done) {
  const bool failed = group_ && group_->cancel().stopped();
  if (std::exchange(filling_, false) && !failed) TRY(write(*batches_.back()));
  if (group_) {
    auto ended = group_->wait();
    group_.reset();
    if (!ended) return ended;
  }
  for (const auto& batch : batches_)
    for (File& file : batch->files) done(file);
  batches_.clear();
  return {};
}

}  // namespace mica::snapshot
