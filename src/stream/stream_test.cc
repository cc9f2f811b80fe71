#include "stream/stream.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "stream/compression.h"
#include "support/slow_source.h"

using namespace mica;
using testing::SlowSource;
using namespace std::literals;
using stream::Compression;

namespace {

std::span<const unsigned char> bytes_of(std::string_view text) { return {reinterpret_cast<const unsigned char*>(text.data()), text.size()}; }

std::string sample(std::size_t size) {
  std::string text;
  std::uint32_t state = 12345;
  while (text.size() < size) {
    state = state * 1664525 + 1013904223;
    text += (state >> 28) < 4 ? std::string(1, static_cast<char>(state >> 13)) : "line of text " + std::to_string(state % 97) + "\n";
  }
  text.resize(size);
  return text;
}

std::string packed(std::string_view text, Compression format, int level = -1, std::size_t step = 1 << 20, task::Pool* pool = nullptr) {
  stream::MemorySink out;
  auto sink = stream::compress(out, format, level, pool);
  REQUIRE(sink.has_value());
  for (std::size_t i = 0; i < text.size(); i += step) REQUIRE((*sink)->write(bytes_of(text.substr(i, step))).has_value());
  REQUIRE((*sink)->finish().has_value());
  return out.take();
}

Result<std::string> unpacked(std::string bytes, Compression format, std::size_t step = 1 << 20) {
  SlowSource from(std::move(bytes), step);
  auto source = stream::decompress(from, format);
  REQUIRE(source.has_value());
  auto text = stream::read_all(**source, 64 << 20);
  if (text) CHECK(from.at_end());
  return text;
}

constexpr std::string_view kTwoXz =
    "\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3\x01\x00\x05\x68\x65\x6c\x6c\x6f\x20\x00\x00\x00"
    "\x0a\xb0\xaf\x04\xba\x05\xef\x18\x00\x01\x1e\x06\xc1\x2f\xa4\x1d\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a\xfd\x37\x7a\x58\x5a\x00\x00\x04"
    "\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3\x01\x00\x05\x77\x6f\x72\x6c\x64\x0a\x00\x00\x00\x62\x5c\x62\xf9\xcf\x18\x61\xc0"
    "\x00\x01\x1e\x06\xc1\x2f\xa4\x1d\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a"sv;
constexpr std::string_view kTwoBzip2 =
    "\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x76\x69\xe0\xd4\x00\x00\x01\x11\x00\x40\x00\x02\x44\xa0\x00\x30\xcd\x00\xc3\x46\x29\x97\x17\x72\x45\x38"
    "\x50\x90\x76\x69\xe0\xd4\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x0a\x58\x06\x95\x00\x00\x02\xc1\x80\x00\x10\x04\x04\x90\x80\x20\x00\x22\x18\x68"
    "\x30\x04\xe8\x18\x5d\xc9\x14\xe1\x42\x40\x29\x60\x1a\x54"sv;

}  // namespace

TEST_CASE("gzip and zstd give back what they took, at every level and border") {
  struct Row {
    Compression format;
    std::vector<int> levels;
  };
  for (const Row& row : {Row{Compression::gzip, {-1, 0, 1, 2, 3, 4, 6, 9}}, Row{Compression::zstd, {-1, 1, 9}}})
    for (const int level : row.levels)
      for (const std::size_t size : {0u, 1u, 1000u, 300'000u, 700'000u}) {
        CAPTURE(stream::name(row.format));
        CAPTURE(level);
        CAPTURE(size);
        const std::string text = sample(size);
        const std::string small = packed(text, row.format, level);
        CHECK(stream::detect(small) == row.format);
        CHECK(unpacked(small, row.format) == text);
        CHECK(unpacked(small, row.format, 1009) == text);
        if (size <= 1000) CHECK(unpacked(small, row.format, 1) == text);
      }
}

TEST_CASE("the same bytes give the same gzip whatever the sizes of the writes") {
  const std::string text = sample(900'000);
  for (const auto& [format, level] : {std::pair{Compression::gzip, 1}, {Compression::gzip, 6}, {Compression::zstd, 3}}) {
    const std::string whole = packed(text, format, level);
    CHECK(packed(text, format, level, 777) == whole);
    CHECK(packed(text, format, level, 262'145) == whole);
  }
  for (const int level : {1, 6}) CHECK(packed("x", Compression::gzip, level).substr(0, 8) == "\x1f\x8b\x08\0\0\0\0\0"sv);
  for (const int level : {1, 6}) CHECK(packed("x", Compression::gzip, level)[9] == '\xff');
}

TEST_CASE("gzip is the same with the threads of a pool, be it free or busy") {
  constexpr std::size_t kPiece = 1 << 20;
  for (const std::size_t size : {std::size_t{0}, kPiece - 1, kPiece, kPiece + 1, 9 * kPiece + 5}) {
    const std::string text = sample(size);
    for (const int level : {0, 1, 6}) {
      CAPTURE(size);
      CAPTURE(level);
      const std::string alone = packed(text, Compression::gzip, level);
      CHECK(unpacked(alone, Compression::gzip) == text);
      for (const int threads : {1, 2, 5}) {
        task::Pool pool(threads);
        CHECK(packed(text, Compression::gzip, level, 100'000, &pool) == alone);
      }
      task::Pool busy(1);
      task::Group group(busy, {});
      std::string within;
      group.run([&](task::Cancel) -> Result<> {
        within = packed(text, Compression::gzip, level, 100'000, &busy);
        return {};
      });
      CHECK(group.wait().has_value());
      CHECK(within == alone);
    }
  }
}

TEST_CASE("a gzip stream that is given up half-way leaves nobody waiting") {
  task::Pool pool(2);
  struct Full : stream::Sink {
    Result<> write(std::span<const unsigned char>) override { return fail(Errc::resource_exhausted, "full"); }
  } full;
  auto sink = stream::compress(full, Compression::gzip, 1, &pool);
  const std::string text = sample(20 << 20);
  CHECK((*sink)->write(bytes_of(text)).error().code() == Errc::resource_exhausted);
}

TEST_CASE("members that follow each other are one stream") {
  const std::string text = sample(100'000);
  for (const Compression format : {Compression::gzip, Compression::zstd})
    for (const std::size_t step : {1u, 7u, 100'000u}) {
      CAPTURE(step);
      const std::string members = packed(text, format) + packed("", format) + packed("tail", format);
      CHECK(unpacked(members, format, step) == text + "tail");
    }
  for (const std::size_t step : {1u, 5u, 1000u}) {
    CHECK(unpacked(std::string(kTwoXz), Compression::xz, step) == "hello world\n");
    CHECK(unpacked(std::string(kTwoBzip2), Compression::bzip2, step) == "hello world\n");
  }
}

TEST_CASE("what follows the last gzip member is read over") {
  for (const std::string& tail : {std::string(512, '\0'), std::string("garbage"), std::string("\x1f")}) {
    CHECK(unpacked(packed("x", Compression::gzip) + tail, Compression::gzip) == "x");
    CHECK(unpacked(packed("x", Compression::gzip) + tail, Compression::gzip, 1) == "x");
  }
}

TEST_CASE("damage anywhere is corrupt") {
  const std::string text = sample(5000);
  struct Row {
    Compression format;
    std::string bytes;
  };
  for (const Row& row : {Row{Compression::gzip, packed(text, Compression::gzip)}, Row{Compression::zstd, packed(text, Compression::zstd)},
                         Row{Compression::xz, std::string(kTwoXz)}, Row{Compression::bzip2, std::string(kTwoBzip2)}}) {
    CAPTURE(stream::name(row.format));
    for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{5}, row.bytes.size() / 3, row.bytes.size() - 9, row.bytes.size() - 1}) {
      CAPTURE(cut);
      const auto result = unpacked(row.bytes.substr(0, cut), row.format);
      REQUIRE_FALSE(result.has_value());
      CHECK(result.error().code() == Errc::corrupt);
    }
    for (std::size_t from_end : {1u, 3u, 6u, 8u, 20u}) {  // in gzip: length and checksum
      if (row.format == Compression::xz || row.format == Compression::bzip2) from_end += 12;
      std::string bad = row.bytes;
      bad[bad.size() - from_end] ^= 0x10;
      const auto result = unpacked(bad, row.format);
      CAPTURE(from_end);
      CHECK_FALSE(result.has_value());
    }
  }
  CHECK(unpacked("plain text", Compression::gzip).error().code() == Errc::corrupt);
}

TEST_CASE("formats are known by their first bytes") {
  CHECK(stream::detect("") == Compression::none);
  CHECK(stream::detect("\x1f") == Compression::none);
  CHECK(stream::detect("plain") == Compression::none);
  CHECK(stream::detect("BZh") == Compression::none);
  CHECK(stream::detect("\x5a\x2a\x4d\x18"sv) == Compression::zstd);
  CHECK(stream::detect(kTwoXz.substr(0, 6)) == Compression::xz);
  CHECK(stream::detect(kTwoBzip2.substr(0, 6)) == Compression::bzip2);
  stream::NullSink null;
  CHECK(stream::compress(null, Compression::xz).error().code() == Errc::unsupported);
  CHECK(stream::compress(null, Compression::gzip, 10).error().code() == Errc::invalid_argument);
  CHECK(unpacked("as is", Compression::none) == "as is");
}

TEST_CASE("reading stops at the limit") {
  SlowSource exact("12345", 2), over("123456", 2);
  CHECK(stream::read_all(exact, 5) == "12345");
  CHECK(stream::read_all(over, 5).error().code() == Errc::resource_exhausted);
}

TEST_CASE("hashing streams pass bytes on and count them") {
  const std::string text = sample(600'000);
  SlowSource from(text, 4096);
  stream::HashingSource source(from);
  stream::MemorySink memory;
  stream::HashingSink sink(&memory);
  CHECK(stream::copy(source, sink) == text.size());
  CHECK(memory.bytes() == text);
  CHECK(source.size() == text.size());
  CHECK(sink.size() == text.size());
  CHECK(source.finish_hex() == sha256_hex(text));
  CHECK(sink.finish_hex() == sha256_hex(text));
}

TEST_CASE("peeked bytes are still to come") {
  SlowSource from("abcdefgh", 3);
  stream::PeekSource peek(from);
  CHECK(peek.peek(5) == "abcde");
  CHECK(peek.peek(2) == "ab");
  unsigned char two[2];
  CHECK(peek.read(two) == 2);
  CHECK(peek.peek(4) == "cdef");
  CHECK(stream::read_all(peek, 100) == "cdefgh");
  CHECK(peek.peek(3) == "");
}

TEST_CASE("file descriptors are streams") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  stream::FdSource source{sys::Fd(ends[0])};
  {
    stream::FdSink sink{sys::Fd(ends[1])};
    CHECK(sink.write(bytes_of("through a pipe")).has_value());
  }
  CHECK(stream::read_all(source, 100) == "through a pipe");
}
