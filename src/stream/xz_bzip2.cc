// The two formats that ADD and load accept but nothing here writes.
#include <bzlib.h>
#include <lzma.h>

#include "base/format.h"
#include "stream/codecs.h"

namespace mica::stream {
namespace {

// xz -9 needs 65 MiB; what asks for more than this is not worth our memory.
constexpr std::uint64_t kMaxLzmaMemory = 512u << 20;

std::string_view reason(lzma_ret code) {
  switch (code) {
    case LZMA_FORMAT_ERROR: return "not an xz stream";
    case LZMA_OPTIONS_ERROR: return "unknown xz options";
    case LZMA_BUF_ERROR: return "unexpected end of data";
    default: return "damaged data";
  }
}

class XzSource : public Source {
 public:
  explicit XzSource(Source& from) : input_(from) {
    const lzma_ret code = lzma_stream_decoder(&stream_, kMaxLzmaMemory, LZMA_CONCATENATED);
    MICA_ASSERT(code == LZMA_OK, "the xz decoder starts");
  }
  ~XzSource() override { lzma_end(&stream_); }

  Result<std::size_t> read(std::span<unsigned char> into) override {
    stream_.next_out = into.data();
    stream_.avail_out = into.size();
    while (!ended_ && stream_.avail_out == into.size() && !into.empty()) {
      const auto bytes = TRY(input_.some());
      stream_.next_in = bytes.data();
      stream_.avail_in = bytes.size();
      const lzma_ret code = lzma_code(&stream_, bytes.empty() ? LZMA_FINISH : LZMA_RUN);
      input_.consume(bytes.size() - stream_.avail_in);
      if (code == LZMA_STREAM_END) {
        ended_ = true;
      } else if (code == LZMA_MEMLIMIT_ERROR || code == LZMA_MEM_ERROR) {
        return failf(Errc::resource_exhausted, "decompressing xz: needs more than {} MiB of memory", kMaxLzmaMemory >> 20);
      } else if (code != LZMA_OK) {
        return failf(Errc::corrupt, "decompressing xz: {}", reason(code));
      }
    }
    return into.size() - stream_.avail_out;
  }

 private:
  Input input_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ended_ = false;
};

class Bzip2Source : public Source {
 public:
  explicit Bzip2Source(Source& from) : input_(from) {}
  ~Bzip2Source() override {
    if (running_) BZ2_bzDecompressEnd(&stream_);
  }

  Result<std::size_t> read(std::span<unsigned char> into) override {
    const auto room = static_cast<unsigned>(std::min<std::size_t>(into.size(), 1u << 30));
    while (!ended_ && room > 0) {
      if (!running_) {
        TRY(next_member());
        continue;
      }
      const auto bytes = TRY(input_.some());
      stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));
      stream_.avail_in = static_cast<unsigned>(bytes.size());
      stream_.next_out = reinterpret_cast<char*>(into.data());
      stream_.avail_out = room;
      const int code = BZ2_bzDecompress(&stream_);
      input_.consume(bytes.size() - stream_.avail_in);
      const std::size_t made = room - stream_.avail_out;
      if (code == BZ_STREAM_END) {
        BZ2_bzDecompressEnd(&stream_);
        running_ = false;
      } else if (code != BZ_OK) {
        return fail(Errc::corrupt, "decompressing bzip2: damaged data");
      } else if (made == 0 && bytes.empty()) {
        return fail(Errc::corrupt, "decompressing bzip2: unexpected end of data");
      }
      if (made > 0) return made;
    }
    return 0;
  }

 private:
  Result<> next_member() {
    const auto bytes = TRY(input_.at_least(3));
    const bool magic = bytes.size() >= 3 && bytes[0] == 'B' && bytes[1] == 'Z' && bytes[2] == 'h';
    if (!magic && started_) {
      ended_ = true;
      return input_.drain();
    }
    if (!magic) return fail(Errc::corrupt, "decompressing bzip2: not a bzip2 stream");
    stream_ = {};
    const int code = BZ2_bzDecompressInit(&stream_, 0, 0);
    MICA_ASSERT(code == BZ_OK, "the bzip2 decoder starts");
    running_ = started_ = true;
    return {};
  }

  Input input_;
  bz_stream stream_{};
  bool running_ = false, started_ = false, ended_ = false;
};

}  // namespace

std::unique_ptr<Source> xz_source(Source& from) { return std::make_unique<XzSource>(from); }
std::unique_ptr<Source> bzip2_source(Source& from) { return std::make_unique<Bzip2Source>(from); }

}  // namespace mica::stream
