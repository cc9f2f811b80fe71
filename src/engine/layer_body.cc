#include "engine/layer_body.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "engine/layer_bytes.h"

namespace mica::engine {

Result<std::unique_ptr<stream::Source>> StoredBody::from(std::int64_t offset) {
  auto file = TRY(engine_.blobs().open(digest_));
  if (::lseek(file.get(), offset, SEEK_SET) < 0) return fail_errno("reading a blob of the store");
  return std::unique_ptr<stream::Source>(std::make_unique<stream::FdSource>(std::move(file)));
}

Result<std::unique_ptr<stream::Source>> MemoryBody::from(std::int64_t offset) {
  return std::unique_ptr<stream::Source>(std::make_unique<stream::MemorySource>(bytes_.substr(static_cast<std::size_t>(offset))));
}

Result<std::optional<store::LayerBlob>> remembered_blob(Engine& engine, const oci::DiffId& diff_id, const LayerForm& form) {
  const auto wanted = layer_media_type(form.compression);
  const auto blobs = TRY(store::LayerBlobs(engine.database()).find(diff_id));
  const store::LayerBlob* best = nullptr;
  for (const auto& blob : blobs) {
    const bool fits = blob.media_type == wanted;
    if (!fits && (form.force || !blob.original || !engine.blobs().has(blob.digest))) continue;
    if (!best || (blob.original && !best->original)) best = &blob;
  }
  return best ? std::optional(*best) : std::nullopt;
}

Result<std::unique_ptr<CompressedLayer>> CompressedLayer::start(Engine& engine, const snapshot::LayerId& layer, const LayerForm& form, task::Group& group) {
  std::string path = format("{}/layer-{}", engine.workspace().path(), random_hex(8));
  auto file = TRY(sys::open(path, O_RDWR | O_CREAT | O_EXCL, 0644));
  std::unique_ptr<CompressedLayer> made(new CompressedLayer(engine, std::move(path), std::string(layer_media_type(form.compression))));
  made->bytes_ = std::make_shared<registry::GrowingBlob>(std::move(file), engine.pool());
  group.run([&engine, layer, form, bytes = made->bytes_, promise = made->bytes_->promise()](task::Cancel stop) -> Result<> {
    auto write = [&]() -> Result<> {
      if (form.compression == stream::Compression::none) TRY(write_layer_bytes(engine, layer, *bytes, stop));
      else {
        auto encoder = TRY(stream::compress(*bytes, form.compression, form.level, &engine.pool()));
        TRY(write_layer_bytes(engine, layer, *encoder, stop));
        TRY(encoder->finish());
      }
      return bytes->finish();
    };
    auto written = write();
    if (!written) bytes->fail(written.error());
    return written;
  });
  return made;
}

CompressedLayer::~CompressedLayer() {
  if (!path_.empty()) (void)sys::remove_file(path_);
}

Result<store::LayerBlob> CompressedLayer::keep(const oci::DiffId& diff_id) {
  store::LayerBlob blob{.diff_id = diff_id, .media_type = media_type_};
  blob.digest = TRY(bytes_->digest());
  blob.size = bytes_->size();
  TRY(engine_.blobs().adopt(path_, blob.digest, store::Sync::later));
  path_.clear();
  TRY(store::LayerBlobs(engine_.database()).put(blob));
  return blob;
}

}  // namespace mica::engine
