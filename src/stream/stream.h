/// Byte streams: where bytes come from (Source) and go to (Sink), and the wrappers between.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/sha256.h"
#include "sys/fd.h"

namespace mica::stream {

/// Bytes come from here. Not thread-safe; one reader.
class Source {
 public:
  virtual ~Source() = default;
  /// Reads at least one byte into `into` unless at the end (0). Errors: as of the kind; after an error the source is dead.
  virtual Result<std::size_t> read(std::span<unsigned char> into) = 0;
};
/// Bytes go here. `finish` must be called for success; a sink destroyed before it leaves nothing half-made behind.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Result<> write(std::span<const unsigned char> bytes) = 0;
  virtual Result<> finish() { return {}; }
};

inline constexpr std::size_t kBufferBytes = 256 << 10;  ///< what copy() and the wrappers move at a time

/// Copies to the end (no finish()); returns the byte count.
Result<std::uint64_t> copy(Source& from, Sink& to);
/// Reads everything, at most `limit` bytes (resource_exhausted beyond).
Result<std::string> read_all(Source& from, std::size_t limit);
/// Fills `into` as far as the stream goes.
Result<std::size_t> read_full(Source& from, std::span<unsigned char> into);

class MemorySource : public Source {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}
  Result<std::size_t> read(std::span<unsigned char> into) override;

 private:
  std::string bytes_;
  std::size_t offset_ = 0;
};
class MemorySink : public Sink {
 public:
  Result<> write(std::span<const unsigned char> bytes) override;
  std::string take() { return std::move(bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};
class FdSource : public Source {
 public:
  explicit FdSource(sys::Fd fd) : fd_(std::move(fd)) {}
  Result<std::size_t> read(std::span<unsigned char> into) override;

 private:
  sys::Fd fd_;
};
class FdSink : public Sink {
 public:
  explicit FdSink(sys::Fd fd) : fd_(std::move(fd)) {}
  Result<> write(std::span<const unsigned char> bytes) override;

 private:
  sys::Fd fd_;
};
class NullSink : public Sink {
 public:
  Result<> write(std::span<const unsigned char>) override { return {}; }
};

/// Passes bytes on to `to` (may be null) while hashing and counting them.
class HashingSink : public Sink {
 public:
  explicit HashingSink(Sink* to) : to_(to) {}
  Result<> write(std::span<const unsigned char> bytes) override;
  Result<> finish() override;
  std::uint64_t size() const { return size_; }
  std::string finish_hex() { return hash_.finish_hex(); }  ///< once, at the end

 private:
  Sink* to_;
  Sha256 hash_;
  std::uint64_t size_ = 0;
};
class HashingSource : public Source {
 public:
  explicit HashingSource(Source& from) : from_(from) {}
  Result<std::size_t> read(std::span<unsigned char> into) override;
  std::uint64_t size() const { return size_; }
  std::string finish_hex() { return hash_.finish_hex(); }

 private:
  Source& from_;
  Sha256 hash_;
  std::uint64_t size_ = 0;
};

/// Bytes looked at before they are consumed.
class PeekSource : public Source {
 public:
  explicit PeekSource(Source& from) : from_(from) {}
  /// The first up to `n` bytes still to come (fewer at the end).
  Result<std::string_view> peek(std::size_t n);
  Result<std::size_t> read(std::span<unsigned char> into) override;

 private:
  Source& from_;
  std::string buffer_;
  std::size_t offset_ = 0;
};

}  // namespace mica::stream
