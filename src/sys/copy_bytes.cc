/// Copying a file's content. Larger files go through copy_file_range, which shares blocks where the file system can and is as quick
/// as a buffer where it cannot; small ones, for which shared blocks gain nothing, through a buffer. Holes of sparse files stay
/// holes.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sys/fd.h"

namespace mica::sys {

namespace {
constexpr std::uint64_t kSmall = 64 << 10;
constexpr std::uint64_t kMayBeSparse = 256 << 10;  // below, looking for holes costs more than writing zeros

std::unexpected<Error> shrank() { return fail(Errc::unavailable, "the file shrank while being copied"); }

Result<> copy_by_buffer(int from, int to, std::uint64_t offset, std::uint64_t end) {
  unsigned char small[kSmall];
  std::vector<unsigned char> large;
  std::span<unsigned char> buffer(small);
  if (end - offset > kSmall) {
    large.resize(1 << 20);
    buffer = large;
  }
  while (offset < end) {
    const ssize_t got = ::pread(from, buffer.data(), std::min<std::uint64_t>(buffer.size(), end - offset), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("reading");
    if (got == 0) return shrank();
    for (ssize_t done = 0; done < got;) {
      const ssize_t n = ::pwrite(to, buffer.data() + done, static_cast<std::size_t>(got - done), static_cast<off_t>(offset) + done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail_errno("writing");
      done += n;
    }
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

bool is_real_failure(int number) { return number == ENOSPC || number == EDQUOT || number == EIO || number == EFBIG; }

Result<> copy_range(int from, int to, std::uint64_t offset, std::uint64_t end) {
  while (offset < end) {
    off_t in = static_cast<off_t>(offset), out = in;
    const ssize_t n = ::copy_file_range(from, &in, to, &out, std::min<std::uint64_t>(end - offset, 1 << 30), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && is_real_failure(errno)) return fail_errno("copying file content");
    // Another file system, a kind that cannot, or 0 from kernels that mistake a generated file for an empty one.
    if (n <= 0) return copy_by_buffer(from, to, offset, end);
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<> copy_sparse(int from, int to, std::uint64_t size) {
  for (off_t at = 0; static_cast<std::uint64_t>(at) < size;) {
    const off_t data = ::lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // only a hole remains
    if (data < 0) return copy_range(from, to, static_cast<std::uint64_t>(at), size);
    const off_t hole = ::lseek(from, data, SEEK_HOLE);
    if (hole < 0) return fail_errno("looking for holes");
    if (static_cast<std::uint64_t>(data) >= size) break;
    TRY(copy_range(from, to, static_cast<std::uint64_t>(data), std::min<std::uint64_t>(static_cast<std::uint64_t>(hole), size)));
    at = hole;
  }
  struct stat info;
  if (::fstat(from, &info) != 0) return fail_errno("reading the state of an open file");
  if (static_cast<std::uint64_t>(info.st_size) < size) return shrank();
  if (::ftruncate(to, static_cast<off_t>(size)) != 0) return fail_errno("setting a file's size");
  return {};
}
}  // namespace

Result<> copy_bytes(const Fd& from, const Fd& to, std::uint64_t size) {
  if (size <= kSmall) return copy_by_buffer(from.get(), to.get(), 0, size);
  if (size >= kMayBeSparse) {
    struct stat info;
    if (::fstat(from.get(), &info) == 0 && S_ISREG(info.st_mode) && static_cast<std::uint64_t>(info.st_blocks) * 512 < size)
      return copy_sparse(from.get(), to.get(), size);
  }
  return copy_range(from.get(), to.get(), 0, size);
}

}  // namespace mica::sys
