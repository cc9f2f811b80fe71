#include "engine/layer_bytes.h"

#include <algorithm>

#include "base/format.h"
#include "oci/image.h"
#include "snapshot/layer_tar.h"
#include "stream/compression.h"

namespace mica::engine {
namespace {

stream::Compression compression_of(std::string_view media_type) {
  if (media_type.ends_with("gzip")) return stream::Compression::gzip;
  if (media_type.ends_with("zstd")) return stream::Compression::zstd;
  return stream::Compression::none;
}

Result<> write_blob(Engine& engine, const store::LayerBlob& blob, stream::Sink& to) {
  auto file = TRY(engine.blobs().open(blob.digest));
  stream::FdSource source(std::move(file));
  std::unique_ptr<stream::Source> plain;
  if (const auto kind = compression_of(blob.media_type); kind != stream::Compression::none) plain = TRY(stream::decompress(source, kind));
  TRY(stream::copy(plain ? *plain : static_cast<stream::Source&>(source), to));
  return {};
}

/// Stops what copies into it once the token stops.
class CancellableSink : public stream::Sink {
 public:
  CancellableSink(stream::Sink& to, task::Cancel cancel) : to_(to), cancel_(std::move(cancel)) {}
  Result<> write(std::span<const unsigned char> bytes) override {
    TRY(cancel_.check());
    return to_.write(bytes);
  }

 private:
  stream::Sink& to_;
  task::Cancel cancel_;
};

}  // namespace

std::string_view layer_media_type(stream::Compression compression) {
  if (compression == stream::Compression::gzip) return oci::kOciLayerGzip;
  return compression == stream::Compression::zstd ? oci::kOciLayerZstd : oci::kOciLayer;
}

Result<> write_layer_bytes(Engine& engine, const snapshot::LayerId& layer, stream::Sink& to, task::Cancel cancel) {
  const auto diff_id = TRY(engine.layers().diff_id(layer, cancel));
  stream::HashingSink hashing(&to);
  CancellableSink sink(hashing, cancel);
  const auto blobs = TRY(store::LayerBlobs(engine.database()).find(diff_id));
  const auto kept = std::find_if(blobs.begin(), blobs.end(), [&](const store::LayerBlob& b) { return b.original && engine.blobs().has(b.digest); });
  if (kept != blobs.end()) {
    TRY(write_blob(engine, *kept, sink));
  } else {
    const auto listing = TRY(engine.layers().listing(layer));
    TRY(snapshot::write_layer_tar(listing, engine.layers().directory(layer), sink, cancel));
  }
  if (const std::string actual = hashing.finish_hex(); actual != diff_id.digest.hex())
    return fail(Error(Errc::corrupt, format("layer {} does not give its recorded bytes\n  expected: {}\n  actual:   sha256:{}", layer, diff_id.digest.str(), actual))
                    .with_hint("'mica fsck' tells what is damaged"));
  return {};
}

Result<> keep_original(Engine& engine, const snapshot::LayerId& layer, const oci::DiffId& diff_id, stream::Source& bytes, task::Cancel cancel) {
  store::LayerBlobs table(engine.database());
  const auto known = TRY(table.find(diff_id));
  if (std::any_of(known.begin(), known.end(), [&](const store::LayerBlob& b) { return b.original && engine.blobs().has(b.digest); })) return {};
  const auto listing = TRY(engine.layers().listing(layer));
  stream::HashingSink canonical(nullptr);
  TRY(snapshot::write_layer_tar(listing, engine.layers().directory(layer), canonical, cancel));
  if (canonical.finish_hex() == diff_id.digest.hex()) return {};

  stream::PeekSource peeked(bytes);
  auto kind = stream::detect(TRY(peeked.peek(6)));
  auto ingest = TRY(engine.blobs().begin());
  if (kind == stream::Compression::gzip || kind == stream::Compression::zstd) {
    CancellableSink sink(*ingest, cancel);
    TRY(stream::copy(peeked, sink));
  } else {
    std::unique_ptr<stream::Source> plain;
    if (kind != stream::Compression::none) plain = TRY(stream::decompress(peeked, kind));
    kind = stream::Compression::zstd;
    auto encoder = TRY(stream::compress(*ingest, kind, 1));
    CancellableSink sink(*encoder, cancel);
    TRY(stream::copy(plain ? *plain : static_cast<stream::Source&>(peeked), sink));
    TRY(encoder->finish());
  }
  const std::int64_t size = ingest->size();
  const auto digest = TRY_DOING(ingest->commit({}, store::Sync::later), "keeping a layer's original bytes");
  return table.put({.diff_id = diff_id, .digest = digest, .media_type = std::string(layer_media_type(kind)), .size = size, .original = true});
}

}  // namespace mica::engine
