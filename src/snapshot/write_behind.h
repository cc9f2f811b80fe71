/// Small files on their way to disk: contents are gathered in batches which the pool writes while the caller reads on.
///
/// Memory is bounded: when enough is under way, the caller writes a batch itself. That also keeps everything going when the pool
/// is busy with others' work.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "snapshot/layer_files.h"
#include "stream/stream.h"
#include "task/task.h"

namespace mica::snapshot {

struct LayerNode;

class WriteBehind {
 public:
  struct File {
    LayerNode* node;        ///< the caller's, not looked at here
    std::string_view path;  ///< must stay until wait()
    Meta meta;
    std::size_t offset = 0, size = 0;  // of its content in the batch
    Placed placed;
  };
  static constexpr std::uint64_t kMaxFile = 1 << 20;

  WriteBehind(const LayerDisk& disk, PlacerMemory& memory, task::Pool& pool) : disk_(disk), memory_(memory), pool_(pool) {}

  /// Takes exactly `size` bytes (at most kMaxFile) of `bytes`. The file's folder exists, the file does not. Errors: corrupt (the
  /// stream is shorter); also those of files given before: then there is no going on.
  Result<> add(LayerNode* node, std::string_view path, Meta meta, std::uint64_t size, stream::Source& bytes);
  bool empty() const { return batches_.empty(); }
  /// Waits until all is written; `done` is called for every file since the last wait.
  Result<> wait(const std::function<void(File&)>& done);

 private:
  struct Batch {
    std::vector<File> files;
    std::vector<unsigned char> bytes;
    std::size_t used = 0;
  };
  Result<> send();
  Result<> write(Batch& batch);
  std::vector<unsigned char> take_buffer();

  const LayerDisk& disk_;
  PlacerMemory& memory_;
  task::Pool& pool_;
  std::vector<std::unique_ptr<Batch>> batches_;  // the last one is being filled
  bool filling_ = false;
  std::atomic<std::size_t> under_way_ = 0;  // bytes
  std::mutex mutex_;
  std::vector<std::vector<unsigned char>> buffers_;  // for use again
  std::optional<task::Group> group_;                 // last: its destructor waits for the tasks
};

}  // namespace mica::snapshot
