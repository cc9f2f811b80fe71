// Reading gzip (RFC 1952), by ISA-L.
#include <isa-l/igzip_lib.h>

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

}  // namespace

std::unique_ptr<Source> gzip_source(Source& from) { return std::make_unique<GzipSource>(from); }

}  // namespace mica::stream
