#include "stream/stream.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/format.h"

namespace mica::stream {

Result<std::uint64_t> copy(Source& from, Sink& to) {
  std::vector<unsigned char> buffer(kBufferBytes);
  std::uint64_t total = 0;
  while (true) {
    const std::size_t n = TRY(from.read(buffer));
    if (n == 0) return total;
    TRY(to.write(std::span(buffer).first(n)));
    total += n;
  }
}

Result<std::string> read_all(Source& from, std::size_t limit) {
  std::string bytes;
  std::size_t filled = 0;
  while (true) {
    // One byte beyond the limit is asked for, so that a stream of exactly `limit` bytes passes.
    const std::size_t room = std::min(std::max<std::size_t>(filled, 16 << 10), limit + 1 - filled);
    bytes.resize(filled + room);
    const std::size_t n = TRY(from.read({reinterpret_cast<unsigned char*>(bytes.data()) + filled, room}));
    filled += n;
    if (filled > limit) return failf(Errc::resource_exhausted, "more than {} bytes", limit);
    if (n == 0) break;
  }
  bytes.resize(filled);
  return bytes;
}

Result<std::size_t> read_full(Source& from, std::span<unsigned char> into) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const std::size_t n = TRY(from.read(into.subspan(filled)));
    if (n == 0) break;
    filled += n;
  }
  return filled;
}

Result<std::size_t> MemorySource::read(std::span<unsigned char> into) {
  const std::size_t n = std::min(into.size(), bytes_.size() - offset_);
  if (n) std::memcpy(into.data(), bytes_.data() + offset_, n);
  offset_ += n;
  return n;
}

Result<> MemorySink::write(std::span<const unsigned char> bytes) {
  bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return {};
}

Result<std::size_t> FdSource::read(std::span<unsigned char> into) {
  while (true) {
    const ssize_t n = ::read(fd_.get(), into.data(), into.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return fail_errno("reading");
  }
}

Result<> FdSink::write(std::span<const unsigned char> bytes) { return sys::write_all(fd_, bytes); }

Result<> HashingSink::write(std::span<const unsigned char> bytes) {
  hash_.update(bytes);
  size_ += bytes.size();
  if (to_) return to_->write(bytes);
  return {};
}

Result<> HashingSink::finish() {
  if (to_) return to_->finish();
  return {};
}

Result<std::size_t> HashingSource::read(std::span<unsigned char> into) {
  const std::size_t n = TRY(from_.read(into));
  hash_.update(into.first(n));
  size_ += n;
  return n;
}

Result<std::string_view> PeekSource::peek(std::size_t n) {
  if (offset_ > 0) {
    buffer_.erase(0, offset_);
    offset_ = 0;
  }
  if (buffer_.size() < n) {
    const std::size_t had = buffer_.size();
    buffer_.resize(n);
    auto got = read_full(from_, {reinterpret_cast<unsigned char*>(buffer_.data()) + had, n - had});
    buffer_.resize(had + (got ? *got : 0));
    if (!got) return fail(std::move(got).error());
  }
  return std::string_view(buffer_).substr(0, n);
}

Result<std::size_t> PeekSource::read(std::span<unsigned char> into) {
  if (offset_ == buffer_.size()) return from_.read(into);
  const std::size_t n = std::min(into.size(), buffer_.size() - offset_);
  if (n) std::memcpy(into.data(), buffer_.data() + offset_, n);
  offset_ += n;
  return n;
}

}  // namespace mica::stream
