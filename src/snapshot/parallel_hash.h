/// SHA-256 of a stream while it is being read: blocks are queued and hashed in order by a pool thread. When the queue is full
/// the reader hashes too instead of waiting, so that neither a small pool nor a busy one can stall it.
#pragma once
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/sha256.h"
#include "stream/stream.h"
#include "task/task.h"

namespace mica::snapshot {

class ParallelHash {
 public:
  explicit ParallelHash(task::Pool& pool) : pool_(pool) {}
  using Block = std::shared_ptr<std::vector<unsigned char>>;
  /// A block of kBlock bytes to fill and hand to add(). Blocks come back: one that was added may be read, but only until the
  /// next call of this.
  Block block();
  /// The first `size` bytes of `block`.
  void add(const Block& block, std::size_t size);
  /// Once, after the last add().
  Sha256Bytes finish();

  static constexpr std::size_t kBlock = 256 << 10;

 private:
  struct Piece {
    Block block;
    std::size_t size;
  };
  void drain();

  task::Pool& pool_;
  std::mutex hashing_;  // held while taking from the queue and hashing, which keeps the order
  Sha256 hash_;
  std::mutex mutex_;  // of what follows
  std::deque<Piece> queue_;
  bool draining_ = false;  // a task was started and has not yet found the queue empty
  std::vector<Block> free_;
  std::optional<task::Group> group_;  // last: its destructor waits for the tasks
};

/// A source whose every byte is hashed on the side.
class ParallelHashSource : public stream::Source {
 public:
  ParallelHashSource(stream::Source& from, task::Pool& pool) : from_(from), hash_(pool) {}
  Result<std::size_t> read(std::span<unsigned char> into) override;
  Sha256Bytes finish() { return hash_.finish(); }

 private:
  stream::Source& from_;
  ParallelHash hash_;
  ParallelHash::Block block_;
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace mica::snapshot
