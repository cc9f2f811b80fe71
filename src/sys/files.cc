#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/text.h"
#include "sys/fault.h"
#include "sys/fd.h"
#include "sys/os_failure.h"

namespace mica::sys {

Result<std::string> read_fd(const Fd& fd, std::size_t limit) {
  struct stat info;
  std::size_t expected = 0;
  if (::fstat(fd.get(), &info) == 0 && info.st_size > 0) expected = static_cast<std::size_t>(info.st_size);
  std::string bytes;
  std::size_t filled = 0;
  while (true) {
    // One byte beyond the limit is asked for, so that a file of exactly `limit` bytes passes; one beyond the file's size, so that
    // the end is seen without growing.
    const std::size_t wanted = std::max<std::size_t>({expected + 1, 4096, filled * 2});
    bytes.resize(std::min(wanted, limit + 1));
    const std::size_t n =
        TRY(read_full(fd, {reinterpret_cast<unsigned char*>(bytes.data()) + filled, bytes.size() - filled}));
    filled += n;
    if (filled > limit) return failf(Errc::resource_exhausted, "more than {} bytes", limit);
    if (filled < bytes.size()) break;
  }
  bytes.resize(filled);
  return bytes;
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const Fd fd = TRY(open(path, O_RDONLY));
  return TRY_DOING(read_fd(fd, limit), format("reading {}", quoted(path)));
}

Result<> write_file(const std::string& path, std::string_view bytes, int mode) {
  const Fd fd = TRY(open(path, O_WRONLY | O_CREAT | O_TRUNC, mode));
  TRY_DOING(write_all(fd, bytes), format("writing {}", quoted(path)));
  return {};
}

namespace {
Result<> write_and_rename(const std::string& temporary, const std::string& path, std::string_view bytes, int mode) {
  {
    const Fd fd = TRY(open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode));
    TRY(fault_point("write_file_atomically: created"));
    TRY_DOING(write_all(fd, bytes), format("writing {}", quoted(path)));
    TRY_DOING(sync(fd), format("writing {}", quoted(path)));
  }
  return rename(temporary, path);
}
}  // namespace

Result<> write_file_atomically(const std::string& path, std::string_view bytes, int mode) {
  const std::string folder = dir_name(path);
  // Not made from the name: that may have the longest length allowed.
  const std::string temporary = format("{}/.mica-{}.tmp", folder, random_hex(8));
  auto written = write_and_rename(temporary, path, bytes, mode);
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  const Fd dir = TRY(open(folder, O_RDONLY | O_DIRECTORY));
  TRY_DOING(sync(dir), format("writing {}", quoted(path)));
  return {};
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Result<> make_directories(const std::string& path, int mode) {
  if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0) return {};
  if (errno == ENOENT) {
    std::string_view parent = trim_right(path, "/");
    parent = trim_right(parent.substr(0, parent.rfind('/') + 1), "/");
    if (!parent.empty()) {
      TRY(make_directories(std::string(parent), mode));
      if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) == 0) return {};
    }
  }
  // EEXIST means a folder, a link to one, or something in the way; EROFS and EACCES may also hide an existing folder.
  const int number = errno;
  struct stat info;
  if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
  errno = number;
  return os_failure("making the directory", path);
}

Result<> rename(const std::string& from, const std::string& to) {
  TRY(fault_point("rename"));
  if (::rename(from.c_str(), to.c_str()) != 0) return os_failure(format("renaming {} to", quoted(from)), to);
  crash_point("renamed");
  return {};
}

Result<> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return os_failure("removing", path);
  return {};
}

}  // namespace mica::sys
