#include "snapshot/layer_files.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/format.h"
#include "snapshot/open_below.h"
#include "snapshot/parallel_hash.h"

namespace mica::snapshot {
namespace {

constexpr std::size_t kBuffer = 256 << 10;  // stays in the second-level cache between read, hash and write
constexpr std::size_t kHole = 64 << 10;     // zeros written as a hole
constexpr std::uint64_t kWorthCloning = 64 << 10;

bool is_zero(std::span<const unsigned char> bytes) {
  return bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

/// Writes a file from its beginning, leaving holes where it can.
class HoleWriter {
 public:
  explicit HoleWriter(const sys::Fd& to) : to_(to.get()) {}

  Result<> write(std::span<const unsigned char> bytes) {
    while (!bytes.empty()) {
      std::size_t n = 0;
      while (n < bytes.size() && !starts_hole(bytes.subspan(n))) n += std::min(kHole, bytes.size() - n);
      TRY(put(bytes.first(n)));
      bytes = bytes.subspan(n);
      n = 0;
      while (n < bytes.size() && starts_hole(bytes.subspan(n))) n += kHole;
      offset_ += n;
      bytes = bytes.subspan(n);
    }
    return {};
  }
  Result<std::uint64_t> finish() {
    if (offset_ > written_ && ::ftruncate(to_, static_cast<off_t>(offset_)) != 0) return fail_errno("setting its size");
    return offset_;
  }

 private:
  static bool starts_hole(std::span<const unsigned char> bytes) { return bytes.size() >= kHole && is_zero(bytes.first(kHole)); }
  Result<> put(std::span<const unsigned char> bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(to_, bytes.data(), bytes.size(), static_cast<off_t>(offset_));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail_errno("writing");
      offset_ += static_cast<std::uint64_t>(n);
      written_ = offset_;
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
  }

  int to_;
  std::uint64_t offset_ = 0, written_ = 0;
};

std::int64_t mtime_ns(const struct stat& status) { return status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec; }

bool is_labelled(const struct stat& status, const FileJob& job) {
  return S_ISREG(status.st_mode) && (status.st_mode & 07777) == job.meta.mode && status.st_uid == job.meta.uid &&
         status.st_gid == job.meta.gid && static_cast<std::uint64_t>(status.st_size) == job.size &&
         mtime_ns(status) == job.meta.mtime_ns;
}

}  // namespace

Result<const sys::Fd*> FilePlacer::folder_of(std::string_view path) {
  const std::string_view folder = split_path(path).first;
  if (!folder_ || folder_path_ != folder) {
    folder_ = TRY(disk_.open_folder(folder));
    folder_path_ = folder;
  }
  return &folder_;
}

Result<sys::Fd> FilePlacer::create(std::string_view path, const Meta& meta) {
  const sys::Fd* folder = TRY(folder_of(path));
  return disk_.create_file(*folder, std::string(split_path(path).second), meta);
}

Result<Placed> FilePlacer::from_memory(std::string_view path, const Meta& meta, std::span<const unsigned char> bytes) {
  const auto place = [&]() -> Result<Placed> {
    const auto file = TRY(create(path, meta));
    Placed placed{.size = bytes.size()};
    placed.digest = Sha256().update(bytes).finish();
    TRY(sys::write_all(file, bytes));
    placed.xattrs = TRY(disk_.seal_file(file, meta));
    return placed;
  };
  return TRY_DOING(place(), format("writing {}", quoted(path)));
}

Result<Placed> FilePlacer::from_stream(std::string_view path, const Meta& meta, stream::Source& bytes, task::Pool& pool) {
  ParallelHash hash(pool);
  auto block = hash.block();
  std::size_t n = TRY(stream::read_full(bytes, *block));
  if (n < block->size()) return from_memory(path, meta, std::span(*block).first(n));
  const auto place = [&]() -> Result<Placed> {
    const auto file = TRY(create(path, meta));
    HoleWriter writer(file);
    while (n > 0) {
      TRY(writer.write(std::span(*block).first(n)));
      hash.add(block, n);
      block = hash.block();
      n = TRY(stream::read_full(bytes, *block));
    }
    Placed placed;
    placed.size = TRY(writer.finish());
    placed.digest = hash.finish();
    placed.xattrs = TRY(disk_.seal_file(file, meta));
    return placed;
  };
  return TRY_DOING(place(), format("writing {}", quoted(path)));
}

Result<Placed> FilePlacer::from_file(const FileJob& job, const sys::Fd* source_dir) {
  const auto place = [&]() -> Result<Placed> {
    if (!job.link_from.empty()) {
      const auto linked = TRY(link(job));
      if (linked) return *linked;
    }
    const auto from = TRY(open_source(job, source_dir));
    const auto status = TRY(sys::stat_fd(from));
    if (!S_ISREG(status.st_mode)) return failf(Errc::conflict, "{} is not a regular file any more", quoted(job.source_path));
    const auto size = static_cast<std::uint64_t>(status.st_size);
    const auto to = TRY(create(job.path, job.meta));
    Placed placed = TRY(copy(from, to, size, !job.digest || size != job.size));
    if (job.digest && placed.size == job.size)
      placed.digest = *job.digest;
    else if (job.digest && size == job.size)
      placed = TRY(hash_again(job));
    placed.xattrs = TRY(disk_.seal_file(to, job.meta));
    return placed;
  };
  return TRY_DOING(place(), format("writing {}", quoted(job.path)));
}

/// nullopt: it must be copied. A link is only as good as what it leads to: another owner, mode or time would show here, and a
/// second link to one inode would make two files of this layer one.
Result<std::optional<Placed>> FilePlacer::link(const FileJob& job) {
  const sys::Fd* folder = TRY(folder_of(job.path));
  const std::string name(split_path(job.path).second);
  if (::linkat(AT_FDCWD, job.link_from.c_str(), folder->get(), name.c_str(), 0) != 0) {
    if (errno == EEXIST) return fail_errno("linking");
    return std::nullopt;
  }
  const auto status = TRY(sys::lstat_at(*folder, name));
  if (!is_labelled(status, job) || !memory_.linked_inodes.lock()->emplace(status.st_dev, status.st_ino).second) {
    if (::unlinkat(folder->get(), name.c_str(), 0) != 0) return fail_errno("removing a link");
    return std::nullopt;
  }
  if (!job.digest) return TRY(hash_again(job));
  return Placed{.size = job.size, .digest = *job.digest, .xattrs = job.meta.xattrs};
}

Result<sys::Fd> FilePlacer::open_source(const FileJob& job, const sys::Fd* source_dir) {
  // A fifo put there meanwhile must not make us wait for its writer.
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
  if (job.source_path.empty()) return sys::open(job.link_from, kFlags);
  const auto [folder, name] = split_path(job.source_path);
  if (source_root_ != source_dir || source_folder_path_ != folder || !source_folder_) {
    source_folder_ = TRY(open_below(*source_dir, folder, O_PATH | O_DIRECTORY));
    source_folder_path_ = folder;
    source_root_ = source_dir;
  }
  return sys::open_at(source_folder_, std::string(name), kFlags);
}

/// False where the file systems cannot share blocks.
Result<bool> FilePlacer::clone(const sys::Fd& from, const sys::Fd& to, std::uint64_t size) {
  if (size < kWorthCloning || !memory_.can_clone.load(std::memory_order_relaxed)) return false;
  if (::ioctl(to.get(), FICLONE, from.get()) == 0) return true;
  if (errno == ENOSPC || errno == EDQUOT || errno == EIO) return fail_errno("sharing its blocks");
  memory_.can_clone.store(false, std::memory_order_relaxed);
  return false;
}

Result<Placed> FilePlacer::copy(const sys::Fd& from, const sys::Fd& to, std::uint64_t expected, bool hash) {
  Placed placed;
  Sha256 sha;
  if (buffer_.empty()) buffer_.resize(kBuffer);
  const bool cloned = TRY(clone(from, to, expected));
  if (cloned) {
    const auto status = TRY(sys::stat_fd(to));
    placed.size = static_cast<std::uint64_t>(status.st_size);
    while (hash) {
      const std::size_t n = TRY(sys::read_full(to, buffer_));
      if (n == 0) break;
      sha.update(std::span(buffer_).first(n));
    }
    if (hash) placed.digest = sha.finish();
    return placed;
  }
  HoleWriter writer(to);
  // A file that grows meanwhile is taken as long as it was. Generated files claim to be empty and are not.
  std::uint64_t total = 0;
  while (expected == 0 || total < expected) {
    const std::size_t wanted = expected == 0 ? buffer_.size() : std::min<std::uint64_t>(buffer_.size(), expected - total);
    const std::size_t n = TRY(sys::read_full(from, std::span(buffer_).first(wanted)));
    if (n == 0) break;
    if (hash) sha.update(std::span(buffer_).first(n));
    TRY(writer.write(std::span(buffer_).first(n)));
    total += n;
    if (expected == 0 && n < wanted) break;
  }
  placed.size = TRY(writer.finish());
  if (hash) placed.digest = sha.finish();
  return placed;
}

/// Of what is on disk now.
Result<Placed> FilePlacer::hash_again(const FileJob& job) {
  const sys::Fd* folder = TRY(folder_of(job.path));
  const auto file = TRY(sys::open_at(*folder, std::string(split_path(job.path).second), O_RDONLY | O_NOFOLLOW));
  if (buffer_.empty()) buffer_.resize(kBuffer);
  Sha256 sha;
  Placed placed{.xattrs = job.meta.xattrs};
  while (true) {
    const std::size_t n = TRY(sys::read_full(file, buffer_));
    if (n == 0) break;
    sha.update(std::span(buffer_).first(n));
    placed.size += n;
  }
  placed.digest = sha.finish();
  return placed;
}

}  // namespace mica::snapshot
