// gzip (RFC 1952): ISA-L reads, and writes levels 0 to 3; zlib writes 4 to 9, where a ratio is asked for.
#include <isa-l/igzip_lib.h>
#include <zlib.h>

#include "base/format.h"
#include "stream/codecs.h"

namespace mica::stream {
namespace {

std::string_view reason(int code) {
  switch (code) {
    case ISAL_INVALID_WRAPPER: return "not a gzip header";
    case ISAL_UNSUPPORTED_METHOD: return "unknown compression method";
    case ISAL_INCORRECT_CHECKSUM: return "checksum or length mismatch";
    case ISAL_INVALID_BLOCK: return "invalid deflate block";
    case ISAL_INVALID_SYMBOL: return "invalid deflate symbol";
    case ISAL_INVALID_LOOKBACK: return "invalid deflate distance";
    default: return "invalid deflate data";
  }
}

class GzipSource : public Source {
 public:
  explicit GzipSource(Source& from) : input_(from), state_(std::make_unique<inflate_state>()) { isal_inflate_init(state_.get()); }

  Result<std::size_t> read(std::span<unsigned char> into) override {
    while (!ended_ && !into.empty()) {
      if (state_->block_state == ISAL_BLOCK_FINISH || !started_) {
        TRY(next_member());
        continue;
      }
      const auto bytes = TRY(input_.some());
      state_->next_in = const_cast<unsigned char*>(bytes.data());
      state_->avail_in = static_cast<std::uint32_t>(bytes.size());
      state_->next_out = into.data();
      state_->avail_out = static_cast<std::uint32_t>(std::min<std::size_t>(into.size(), 1u << 30));
      const std::uint32_t room = state_->avail_out;
      const int code = isal_inflate(state_.get());
      input_.consume(bytes.size() - state_->avail_in);
      if (code < 0 || code == ISAL_NEED_DICT) return failf(Errc::corrupt, "decompressing gzip: {}", reason(code));
      const std::size_t made = room - state_->avail_out;
      if (made > 0) return made;
      if (bytes.empty() && state_->block_state != ISAL_BLOCK_FINISH)
        return fail(Errc::corrupt, "decompressing gzip: unexpected end of data");
    }
    return 0;
  }

 private:
  /// Starts a member, or ends the stream where no further one begins; what follows the last member is ignored.
  Result<> next_member() {
    const auto bytes = TRY(input_.at_least(2));
    const bool magic = bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
    if (!magic && started_) {
      ended_ = true;
      return input_.drain();
    }
    if (bytes.size() < 2) return fail(Errc::corrupt, "decompressing gzip: unexpected end of data");
    if (!magic) return failf(Errc::corrupt, "decompressing gzip: {}", reason(ISAL_INVALID_WRAPPER));
    isal_inflate_reset(state_.get());
    state_->crc_flag = ISAL_GZIP;
    started_ = true;
    return {};
  }

  Input input_;
  std::unique_ptr<inflate_state> state_;
  bool started_ = false, ended_ = false;
};

class IsalSink : public BlockSink {
 public:
  IsalSink(Sink& to, int level) : BlockSink(to), stream_(std::make_unique<isal_zstream>()) {
    isal_deflate_init(stream_.get());
    constexpr std::uint32_t kLevelBytes[] = {0, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT, ISAL_DEF_LVL3_DEFAULT};
    level_buffer_.resize(kLevelBytes[level]);
    stream_->level = static_cast<std::uint32_t>(level);
    stream_->level_buf = level_buffer_.data();
    stream_->level_buf_size = kLevelBytes[level];
    stream_->gzip_flag = IGZIP_GZIP;
    stream_->flush = NO_FLUSH;
  }

 private:
  Result<> encode(std::span<const unsigned char> block, bool last) override {
    stream_->next_in = const_cast<unsigned char*>(block.data());
    stream_->avail_in = static_cast<std::uint32_t>(block.size());
    stream_->end_of_stream = last;
    do {
      stream_->next_out = output().data();
      stream_->avail_out = static_cast<std::uint32_t>(output().size());
      const int code = isal_deflate(stream_.get());
      if (code != COMP_OK) return failf(Errc::internal, "compressing gzip: error {}", code);
      TRY(emit(output().size() - stream_->avail_out));
    } while (stream_->avail_in > 0 || stream_->avail_out == 0 || (last && stream_->internal_state.state != ZSTATE_END));
    return {};
  }

  std::unique_ptr<isal_zstream> stream_;
  std::vector<unsigned char> level_buffer_;
};

class ZlibSink : public BlockSink {
 public:
  ZlibSink(Sink& to, int level) : BlockSink(to) {
    constexpr int kGzipWindow = 15 + 16, kMemory = 8;
    const int code = deflateInit2(&stream_, level, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY);
    MICA_ASSERT(code == Z_OK, "zlib takes levels 4 to 9");
    header_.os = 255;
    deflateSetHeader(&stream_, &header_);
  }
  ~ZlibSink() override { deflateEnd(&stream_); }

 private:
  Result<> encode(std::span<const unsigned char> block, bool last) override {
    stream_.next_in = const_cast<unsigned char*>(block.data());
    stream_.avail_in = static_cast<uInt>(block.size());
    do {
      stream_.next_out = output().data();
      stream_.avail_out = static_cast<uInt>(output().size());
      deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
      TRY(emit(output().size() - stream_.avail_out));
    } while (stream_.avail_out == 0);
    return {};
  }

  z_stream stream_{};
  gz_header header_{};
};

}  // namespace

std::unique_ptr<Source> gzip_source(Source& from) { return std::make_unique<GzipSource>(from); }
std::unique_ptr<Sink> isal_gzip_sink(Sink& to, int level) { return std::make_unique<IsalSink>(to, level); }
std::unique_ptr<Sink> zlib_gzip_sink(Sink& to, int level) { return std::make_unique<ZlibSink>(to, level); }

}  // namespace mica::stream
