/// Placing regular files in a layer folder: from memory, from a stream, from another file. One FilePlacer is used by one thread;
/// several may write to one LayerDisk, below different paths.
#pragma once
#include <atomic>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "base/sha256.h"
#include "snapshot/layer_disk.h"
#include "snapshot/layer_writer.h"
#include "stream/stream.h"

namespace mica::snapshot {

/// What came to be on disk.
struct Placed {
  std::uint64_t size = 0;
  Sha256Bytes digest{};
  std::string xattrs;  ///< those that could be set
};

/// What the placers of one layer learn for each other.
struct PlacerMemory {
  std::atomic<bool> can_clone = true;                        ///< no file system has refused FICLONE yet
  Guarded<std::set<std::pair<dev_t, ino_t>>> linked_inodes;  ///< files of other layers that this one has a link to
};

class FilePlacer {
 public:
  FilePlacer(const LayerDisk& disk, PlacerMemory& memory) : disk_(disk), memory_(memory) {}

  // The folder of `path` must exist, the file must not. Errors: already_exists, resource_exhausted (disk full), ...

  Result<Placed> from_memory(std::string_view path, const Meta& meta, std::span<const unsigned char> bytes);
  /// To the end of the stream. Long runs of zeros become holes.
  Result<Placed> from_stream(std::string_view path, const Meta& meta, stream::Source& bytes, task::Pool& pool);
  /// `source_dir` is job.source_dir opened. What is written is what is hashed, also when the source changes meanwhile.
  Result<Placed> from_file(const FileJob& job, const sys::Fd* source_dir);

 private:
  Result<sys::Fd> create(std::string_view path, const Meta& meta);
  Result<const sys::Fd*> folder_of(std::string_view path);
  Result<std::optional<Placed>> link(const FileJob& job);
  Result<sys::Fd> open_source(const FileJob& job, const sys::Fd* source_dir);
  Result<bool> clone(const sys::Fd& from, const sys::Fd& to, std::uint64_t size);
  Result<Placed> copy(const sys::Fd& from, const sys::Fd& to, std::uint64_t expected, bool hash);
  Result<Placed> hash_again(const FileJob& job);

  const LayerDisk& disk_;
  PlacerMemory& memory_;
  std::string folder_path_;
  sys::Fd folder_;
  std::string source_folder_path_;
  const sys::Fd* source_root_ = nullptr;
  sys::Fd source_folder_;
  std::vector<unsigned char> buffer_;
};

}  // namespace mica::snapshot
