/// File descriptors and the file calls on them. Everything opens with O_CLOEXEC and retries EINTR.
#pragma once
#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace mica::sys {

/// An owned file descriptor; closed when this dies. -1 when moved from.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { int fd = fd_; fd_ = -1; return fd; }
  void reset();
  Result<Fd> duplicate() const;

 private:
  int fd_ = -1;
};

/// Plain open of a trusted path (ours or the user's command line). `flags` as open(2).
Result<Fd> open(const std::string& path, int flags, int mode = 0644);
/// open relative to a directory, one trusted name or relative path, no confinement.
Result<Fd> open_at(const Fd& dir, const std::string& path, int flags, int mode = 0644);
/// openat2 with RESOLVE_IN_ROOT: `path` is resolved as if `root` were "/", symlinks (absolute ones too) never leave it.
/// For every path that comes from an image, an archive or a Dockerfile. "" or "/" opens root itself.
Result<Fd> open_beneath(const Fd& root, const std::string& path, int flags, int mode = 0644);
/// openat2 with RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS: fails (ELOOP/EXDEV) on any symlink or climb. "" opens root itself.
Result<Fd> open_strict(const Fd& root, const std::string& path, int flags, int mode = 0644);

/// Reads until `bytes` is full or the end; returns the count.
Result<std::size_t> read_full(const Fd& fd, std::span<unsigned char> bytes);
Result<> write_all(const Fd& fd, std::span<const unsigned char> bytes);
Result<> write_all(const Fd& fd, std::string_view bytes);
Result<> sync(const Fd& fd);       ///< fsync
Result<> sync_filesystem(const Fd& fd);  ///< syncfs
/// Copies `size` bytes from offset 0 of one regular file to another, with copy_file_range where it pays (reflink where the file
/// system can), and holes as holes. Errors: unavailable when `from` is shorter than `size`.
Result<> copy_bytes(const Fd& from, const Fd& to, std::uint64_t size);

Result<struct stat> stat_fd(const Fd& fd);
/// fstatat with AT_SYMLINK_NOFOLLOW.
Result<struct stat> lstat_at(const Fd& dir, const std::string& name);

/// Whole file at most `limit` bytes; larger: resource_exhausted.
Result<std::string> read_file(const std::string& path, std::size_t limit = 64 << 20);
Result<std::string> read_fd(const Fd& fd, std::size_t limit = 64 << 20);
/// Write to a temporary name beside `path`, fsync, rename, fsync of the folder.
Result<> write_file_atomically(const std::string& path, std::string_view bytes, int mode = 0644);
/// Simple overwrite without sync: for run-time state and outputs the user named.
Result<> write_file(const std::string& path, std::string_view bytes, int mode = 0644);

bool exists(const std::string& path);
Result<> make_directories(const std::string& path, int mode = 0755);
Result<> rename(const std::string& from, const std::string& to);
Result<> remove_file(const std::string& path);
/// Removes a tree without following links or crossing onto another mount (conflict); missing is no error. Stops at the first error.
/// Folders without owner permission are made writable first (rootless trees).
Result<> remove_tree(const std::string& path);
Result<> remove_tree_at(const Fd& dir, const std::string& name);

/// Names in a directory without "." and "..", sorted by bytes.
Result<std::vector<std::string>> list_names(const Fd& dir);
Result<std::string> read_link_at(const Fd& dir, const std::string& name);

struct Xattr {
  std::string name;
  std::string value;
  auto operator<=>(const Xattr&) const = default;
};
/// All readable extended attributes, sorted by name; empty where the file system has none.
Result<std::vector<Xattr>> xattrs(const Fd& fd);
/// By path without following a final symlink: `/proc/self/fd/DIR/name` style access is used, so it works for every file type.
Result<std::vector<Xattr>> xattrs_at(const Fd& dir, const std::string& name);
Result<> set_xattr_at(const Fd& dir, const std::string& name, const Xattr& attribute);

/// utimensat without following links; `ns` since the epoch for both times.
Result<> set_times_at(const Fd& dir, const std::string& name, std::int64_t mtime_ns);

/// A directory that is removed with its contents when this dies unless `keep()` was called.
class TempDir {
 public:
  /// Creates `parent/prefix-RANDOM` with mode 0700.
  static Result<TempDir> create(const std::string& parent, std::string_view prefix);
  TempDir(TempDir&&) noexcept;
  TempDir& operator=(TempDir&&) noexcept;
  ~TempDir();
  const std::string& path() const { return path_; }
  std::string keep() &&;

 private:
  explicit TempDir(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace mica::sys
