#include "stream/compression.h"

#include "base/format.h"
#include "stream/codecs.h"

namespace mica::stream {
namespace {

class PlainSource : public Source {
 public:
  explicit PlainSource(Source& from) : from_(from) {}
  Result<std::size_t> read(std::span<unsigned char> into) override { return from_.read(into); }

 private:
  Source& from_;
};

class PlainSink : public Sink {
 public:
  explicit PlainSink(Sink& to) : to_(to) {}
  Result<> write(std::span<const unsigned char> bytes) override { return to_.write(bytes); }

 private:
  Sink& to_;
};

Result<> check_level(std::string_view format, int level, int least, int most) {
  if (level == -1 || (level >= least && level <= most)) return {};
  return failf(Errc::invalid_argument, "{} has no compression level {}: want {} to {}", format, level, least, most);
}

}  // namespace

Compression detect(std::string_view first_bytes) {
  using namespace std::literals;
  if (first_bytes.starts_with("\x1f\x8b"sv)) return Compression::gzip;
  if (first_bytes.starts_with("\x28\xb5\x2f\xfd"sv)) return Compression::zstd;
  // A skippable frame (0x184D2A50 to 5F) may come first.
  if (first_bytes.size() >= 4 && (first_bytes[0] & 0xf0) == 0x50 && first_bytes.substr(1, 3) == "\x2a\x4d\x18"sv) return Compression::zstd;
  if (first_bytes.starts_with("\xfd"
                              "7zXZ\0"sv))
    return Compression::xz;
  if (first_bytes.size() >= 4 && first_bytes.starts_with("BZh") && first_bytes[3] >= '1' && first_bytes[3] <= '9')
    return Compression::bzip2;
  return Compression::none;
}

std::string_view name(Compression compression) {
  switch (compression) {
    case Compression::none: return "none";
    case Compression::gzip: return "gzip";
    case Compression::zstd: return "zstd";
    case Compression::xz: return "xz";
    case Compression::bzip2: return "bzip2";
  }
  return "unknown";
}

Result<std::unique_ptr<Source>> decompress(Source& from, Compression compression) {
  switch (compression) {
    case Compression::none: return std::make_unique<PlainSource>(from);
    case Compression::gzip: return gzip_source(from);
    case Compression::zstd: return zstd_source(from);
    case Compression::xz: return xz_source(from);
    case Compression::bzip2: return bzip2_source(from);
  }
  return fail(Errc::unsupported, "unknown compression");
}

Result<std::unique_ptr<Sink>> compress(Sink& to, Compression compression, int level, task::Pool* pool) {
  constexpr int kDefaultGzip = 1, kDefaultZstd = 3;
  switch (compression) {
    case Compression::none: return std::make_unique<PlainSink>(to);
    case Compression::gzip:
      TRY(check_level("gzip", level, 0, 9));
      return gzip_sink(to, level == -1 ? kDefaultGzip : level, pool);
    case Compression::zstd:
      TRY(check_level("zstd", level, 1, 19));
      return zstd_sink(to, level == -1 ? kDefaultZstd : level);
    case Compression::xz:
    case Compression::bzip2: break;
  }
  return failf(Errc::unsupported, "writing {} is not supported: use gzip or zstd", name(compression));
}

}  // namespace mica::stream
