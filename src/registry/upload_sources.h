/// What stands between a blob and the request that sends it.
#pragma once
#include <functional>
#include <memory>

#include "stream/stream.h"

namespace mica::registry {

/// Ends after `size` bytes.
class FirstBytes : public stream::Source {
 public:
  FirstBytes(std::unique_ptr<stream::Source> from, std::int64_t size) : from_(std::move(from)), left_(size) {}
  Result<std::size_t> read(std::span<unsigned char> into) override {
    if (static_cast<std::uint64_t>(left_) < into.size()) into = into.first(static_cast<std::size_t>(left_));
    if (into.empty()) return 0;
    const std::size_t count = TRY(from_->read(into));
    left_ -= static_cast<std::int64_t>(count);
    return count;
  }

 private:
  std::unique_ptr<stream::Source> from_;
  std::int64_t left_;
};

/// Tells how far sending has come.
class ToldSource : public stream::Source {
 public:
  ToldSource(std::unique_ptr<stream::Source> from, std::int64_t offset, const std::function<void(std::int64_t)>& progress)
      : from_(std::move(from)), offset_(offset), progress_(progress) {}
  Result<std::size_t> read(std::span<unsigned char> into) override {
    const std::size_t count = TRY(from_->read(into));
    offset_ += static_cast<std::int64_t>(count);
    if (progress_ && count) progress_(offset_);
    return count;
  }

 private:
  std::unique_ptr<stream::Source> from_;
  std::int64_t offset_;
  const std::function<void(std::int64_t)>& progress_;
};

}  // namespace mica::registry
