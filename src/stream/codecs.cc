#include "stream/codecs.h"

#include <algorithm>
#include <cstring>

namespace mica::stream {

Result<std::span<const unsigned char>> Input::some() { return at_least(1); }

Result<std::span<const unsigned char>> Input::at_least(std::size_t n) {
  if (buffer_.empty()) buffer_.resize(kBufferBytes);
  while (end_ - begin_ < n && !ended_) {
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    const std::size_t got = TRY(from_.read(std::span(buffer_).subspan(end_)));
    end_ += got;
    ended_ = got == 0;
  }
  return std::span<const unsigned char>(buffer_).subspan(begin_, end_ - begin_);
}

Result<> Input::drain() {
  while (true) {
    const auto bytes = TRY(some());
    if (bytes.empty()) return {};
    consume(bytes.size());
  }
}

Result<> BlockSink::write(std::span<const unsigned char> bytes) {
  while (!bytes.empty()) {
    if (pending_.empty() && bytes.size() >= kBufferBytes) {
      TRY(encode(bytes.first(kBufferBytes), false));
      bytes = bytes.subspan(kBufferBytes);
      continue;
    }
    const std::size_t n = std::min(bytes.size(), kBufferBytes - pending_.size());
    pending_.insert(pending_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    bytes = bytes.subspan(n);
    if (pending_.size() < kBufferBytes) continue;
    TRY(encode(pending_, false));
    pending_.clear();
  }
  return {};
}

Result<> BlockSink::finish() { return encode(pending_, true); }

Result<> BlockSink::emit(std::size_t n) {
  if (n == 0) return {};
  return to_.write(std::span(output_).first(n));
}

}  // namespace mica::stream
