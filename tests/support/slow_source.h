/// For tests of readers: bytes that come in pieces.
#pragma once
#include <algorithm>
#include <cstring>
#include <string>

#include "stream/stream.h"

namespace mica::testing {

/// Yields at most `step` bytes a read, so that every border inside a format is met.
class SlowSource : public stream::Source {
 public:
  SlowSource(std::string bytes, std::size_t step) : bytes_(std::move(bytes)), step_(step) {}
  Result<std::size_t> read(std::span<unsigned char> into) override {
    const std::size_t n = std::min({into.size(), step_, bytes_.size() - offset_});
    std::memcpy(into.data(), bytes_.data() + offset_, n);
    offset_ += n;
    return n;
  }
  bool at_end() const { return offset_ == bytes_.size(); }

 private:
  std::string bytes_;
  std::size_t step_, offset_ = 0;
};

}  // namespace mica::testing
