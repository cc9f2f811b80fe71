#include <zstd.h>

#include "base/format.h"
#include "stream/codecs.h"

namespace mica::stream {
namespace {

class ZstdSource : public Source {
 public:
  explicit ZstdSource(Source& from) : input_(from), context_(ZSTD_createDCtx()) { MICA_ASSERT(context_, "out of memory"); }
  ~ZstdSource() override { ZSTD_freeDCtx(context_); }

  Result<std::size_t> read(std::span<unsigned char> into) override {
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    while (!into.empty() && out.pos == 0) {
      const auto bytes = TRY(input_.some());
      ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
      if (bytes.empty() && (frame_done_ || !started_)) {
        if (started_) return 0;
        return fail(Errc::corrupt, "decompressing zstd: unexpected end of data");
      }
      started_ = true;
      const std::size_t code = ZSTD_decompressStream(context_, &out, &in);
      input_.consume(in.pos);
      if (ZSTD_isError(code)) return failf(Errc::corrupt, "decompressing zstd: {}", ZSTD_getErrorName(code));
      frame_done_ = code == 0;
      if (bytes.empty() && out.pos == 0 && !frame_done_) return fail(Errc::corrupt, "decompressing zstd: unexpected end of data");
    }
    return out.pos;
  }

 private:
  Input input_;
  ZSTD_DCtx* context_;
  bool started_ = false, frame_done_ = false;
};

class ZstdSink : public BlockSink {
 public:
  ZstdSink(Sink& to, int level) : BlockSink(to), context_(ZSTD_createCCtx()) {
    MICA_ASSERT(context_, "out of memory");
    ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1);
  }
  ~ZstdSink() override { ZSTD_freeCCtx(context_); }

 private:
  Result<> encode(std::span<const unsigned char> block, bool last) override {
    ZSTD_inBuffer in{block.data(), block.size(), 0};
    while (true) {
      ZSTD_outBuffer out{output().data(), output().size(), 0};
      const std::size_t left = ZSTD_compressStream2(context_, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left)) return failf(Errc::internal, "compressing zstd: {}", ZSTD_getErrorName(left));
      TRY(emit(out.pos));
      if (last ? left == 0 : in.pos == in.size) return {};
    }
  }

  ZSTD_CCtx* context_;
};

}  // namespace

std::unique_ptr<Source> zstd_source(Source& from) { return std::make_unique<ZstdSource>(from); }
std::unique_ptr<Sink> zstd_sink(Sink& to, int level) { return std::make_unique<ZstdSink>(to, level); }

}  // namespace mica::stream
