#include "snapshot/parallel_hash.h"

#include <algorithm>
#include <cstring>

namespace mica::snapshot {

namespace {
constexpr std::size_t kMaxQueued = 16;  // blocks: 4 MiB
}

ParallelHash::Block ParallelHash::block() {
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      Block block = std::move(free_.back());
      free_.pop_back();
      return block;
    }
  }
  return std::make_shared<std::vector<unsigned char>>(kBlock);
}

void ParallelHash::add(const Block& block, std::size_t size) {
  bool start = false, full = false;
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({block, size});
    start = !std::exchange(draining_, true);
    full = queue_.size() >= kMaxQueued;
  }
  if (start) {
    if (!group_) group_.emplace(pool_, task::Cancel());
    group_->run([this](task::Cancel) -> Result<> {
      drain();
      return {};
    });
  }
  if (full) drain();
}

void ParallelHash::drain() {
  const std::lock_guard hashing(hashing_);
  Piece piece{};
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (piece.block) free_.push_back(std::move(piece.block));
      draining_ = !queue_.empty();
      if (!draining_) return;
      piece = std::move(queue_.front());
      queue_.pop_front();
    }
    hash_.update(std::span(*piece.block).first(piece.size));
  }
}

Sha256Bytes ParallelHash::finish() {
  drain();
  if (group_) {
    const auto ended = group_->wait();
    MICA_ASSERT(ended.has_value(), "hashing cannot fail");
  }
  return hash_.finish();
}

Result<std::size_t> ParallelHashSource::read(std::span<unsigned char> into) {
  if (into.empty()) return 0;
  if (begin_ == end_) {
    block_ = hash_.block();
    begin_ = end_ = 0;
    end_ = TRY(from_.read(*block_));
    if (end_ == 0) return 0;
    hash_.add(block_, end_);
  }
  const std::size_t n = std::min(into.size(), end_ - begin_);
  std::memcpy(into.data(), block_->data() + begin_, n);
  begin_ += n;
  return n;
}

}  // namespace mica::snapshot
