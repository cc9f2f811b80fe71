/// A text that a server sends, up to a limit.
#pragma once
#include <string>

#include "base/format.h"
#include "stream/stream.h"

namespace mica::registry {

class BoundedText : public stream::Sink {
 public:
  explicit BoundedText(std::size_t limit) : limit_(limit) {}
  /// Errors: resource_exhausted.
  Result<> write(std::span<const unsigned char> bytes) override {
    if (text_.size() + bytes.size() > limit_) return failf(Errc::resource_exhausted, "the server sends more than {} bytes here", limit_);
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  std::string take() { return std::move(text_); }

 private:
  std::size_t limit_;
  std::string text_;
};

}  // namespace mica::registry
