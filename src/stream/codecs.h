/// What the codecs share, and their factories; `compression.h` is the public face.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "stream/stream.h"
#include "task/task.h"

namespace mica::stream {

/// Compressed bytes on their way into a decoder.
class Input {
 public:
  explicit Input(Source& from) : from_(from) {}
  /// At least one unread byte unless the stream has ended.
  Result<std::span<const unsigned char>> some();
  /// At least `n` unread bytes unless the stream has ended (n far below kBufferBytes).
  Result<std::span<const unsigned char>> at_least(std::size_t n);
  void consume(std::size_t n) { begin_ += n; }
  /// Reads the stream to its end, so that a hash below it covers bytes behind the last member too.
  Result<> drain();

 private:
  Source& from_;
  std::vector<unsigned char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  bool ended_ = false;
};

/// A sink that hands its bytes to an encoder in blocks of one size, whatever the sizes of the writes: encoders may look at where
/// their input ends, and the same bytes must give the same result.
class BlockSink : public Sink {
 public:
  Result<> write(std::span<const unsigned char> bytes) final;
  Result<> finish() final;

 protected:
  explicit BlockSink(Sink& to) : to_(to), output_(kBufferBytes) {}
  /// Encodes all of `block`; `last` for the final call (the block may be empty).
  virtual Result<> encode(std::span<const unsigned char> block, bool last) = 0;
  std::span<unsigned char> output() { return output_; }
  /// Passes on the first `n` bytes of output().
  Result<> emit(std::size_t n);

 private:
  Sink& to_;
  std::vector<unsigned char> pending_;
  std::vector<unsigned char> output_;
};

std::unique_ptr<Source> gzip_source(Source& from);
std::unique_ptr<Source> zstd_source(Source& from);
std::unique_ptr<Source> xz_source(Source& from);
std::unique_ptr<Source> bzip2_source(Source& from);
std::unique_ptr<Sink> gzip_sink(Sink& to, int level, task::Pool* pool);   ///< 0..9
std::unique_ptr<Sink> zstd_sink(Sink& to, int level);       ///< 1..19

}  // namespace mica::stream
