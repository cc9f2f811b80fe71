#include "build/step_log.h"

#include "base/format.h"
#include "base/text.h"
#include "stream/compression.h"

namespace mica::build {
namespace {

constexpr std::size_t kHeaderBytes = 17;
constexpr std::size_t kMaxChunkBytes = 16 << 20;

std::span<const unsigned char> as_bytes(std::string_view text) { return {reinterpret_cast<const unsigned char*>(text.data()), text.size()}; }

std::optional<std::uint64_t> from_hex(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c >= '0' && c <= '9') value = value * 16 + static_cast<unsigned>(c - '0');
    else if (c >= 'a' && c <= 'f') value = value * 16 + static_cast<unsigned>(c - 'a') + 10;
    else return std::nullopt;
  }
  return value;
}

}  // namespace

StepLog::StepLog(Progress& progress, StepNumber step, store::BlobStore& blobs)
    : progress_(progress), step_(step), blobs_(blobs), begun_(monotonic_ns()) {}

StepLog::~StepLog() = default;

void StepLog::write(int stream, std::string_view bytes) {
  progress_.send(StepOutput{step_, stream, std::string(bytes), false});
  const std::lock_guard lock(mutex_);
  if (failure_) failure_ = append(stream, bytes);
}

Result<> StepLog::append(int stream, std::string_view bytes) {
  if (!ingest_) {
    ingest_ = TRY(blobs_.begin());
    encoder_ = TRY(stream::compress(*ingest_, stream::Compression::zstd, 3));
  }
  const auto ms = static_cast<std::uint32_t>((monotonic_ns() - begun_) / 1'000'000);
  const std::string header = format("{}{:08x}{:08x}", stream == 2 ? '2' : '1', ms, bytes.size());
  TRY(encoder_->write(as_bytes(header)));
  return encoder_->write(as_bytes(bytes));
}

Result<oci::Digest> StepLog::commit() {
  const std::lock_guard lock(mutex_);
  if (!failure_) return fail(failure_.error());
  if (!ingest_) return oci::Digest();
  TRY_DOING(encoder_->finish(), "storing the step's log");
  return ingest_->commit({}, store::Sync::later);
}

Result<> read_step_log(const store::BlobStore& blobs, const oci::Digest& log,
                       const std::function<void(int stream, std::int64_t ms, std::string_view bytes)>& chunk) {
  auto file = TRY(blobs.open(log));
  stream::FdSource compressed(std::move(file));
  auto source = TRY(stream::decompress(compressed, stream::Compression::zstd));
  std::string bytes;
  for (;;) {
    std::array<unsigned char, kHeaderBytes> raw;
    const std::size_t got = TRY(stream::read_full(*source, raw));
    if (got == 0) return {};
    const std::string_view header(reinterpret_cast<const char*>(raw.data()), got);
    const auto ms = got == kHeaderBytes ? from_hex(header.substr(1, 8)) : std::nullopt;
    const auto size = got == kHeaderBytes ? from_hex(header.substr(9, 8)) : std::nullopt;
    if (!ms || !size || *size > kMaxChunkBytes) return failf(Errc::corrupt, "the log {} is damaged", log.str());
    bytes.resize(*size);
    const std::size_t filled = TRY(stream::read_full(*source, {reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()}));
    if (filled != *size) return failf(Errc::corrupt, "the log {} is cut short", log.str());
    chunk(header[0] == '2' ? 2 : 1, static_cast<std::int64_t>(*ms), bytes);
  }
}

}  // namespace mica::build
