#include "store/layer_blobs.h"

#include "base/format.h"

namespace mica::store {
namespace {

LayerBlob read(const db::Statement& row) {
  return {.diff_id = {oci::Digest::from_hex(row.text(0))}, .digest = oci::Digest::from_hex(row.text(1)), .media_type = row.text(2), .size = row.integer(3),
          .original = row.integer(4) != 0};
}

}  // namespace

const std::string_view kLayerBlobSchemaSql =
    "CREATE TABLE layer_blob (\n"
    "  diff_id TEXT NOT NULL,            -- 64 hex digits\n"
    "  digest TEXT NOT NULL,             -- of the blob, 64 hex digits\n"
    "  media_type TEXT NOT NULL,\n"
    "  size INTEGER NOT NULL,\n"
    "  original INTEGER NOT NULL,        -- 1: came from elsewhere\n"
    "  PRIMARY KEY (diff_id, digest)\n"
    ") WITHOUT ROWID;\n"
    "CREATE INDEX layer_blob_digest ON layer_blob(digest);\n";

Result<> LayerBlobs::put(const LayerBlob& blob) {
  auto database = database_.lock();
  auto insert = TRY(database->prepare("INSERT OR REPLACE INTO layer_blob(diff_id, digest, media_type, size, original) VALUES (?, ?, ?, ?, ?)"));
  return insert.bind(blob.diff_id.digest.hex()).bind(blob.digest.hex()).bind(blob.media_type).bind(blob.size).bind(blob.original ? 1 : 0).run();
}

Result<std::vector<LayerBlob>> LayerBlobs::find(const oci::DiffId& diff_id) {
  std::vector<LayerBlob> blobs;
  auto database = database_.lock();
  auto rows = TRY(database->prepare("SELECT diff_id, digest, media_type, size, original FROM layer_blob WHERE diff_id = ? ORDER BY original DESC"));
  rows.bind(diff_id.digest.hex());
  while (TRY(rows.step())) blobs.push_back(read(rows));
  return blobs;
}

Result<std::vector<LayerBlob>> LayerBlobs::list() {
  std::vector<LayerBlob> blobs;
  auto database = database_.lock();
  auto rows = TRY(database->prepare("SELECT diff_id, digest, media_type, size, original FROM layer_blob ORDER BY diff_id, digest"));
  while (TRY(rows.step())) blobs.push_back(read(rows));
  return blobs;
}

Result<> LayerBlobs::remove(const oci::Digest& digest) {
  auto database = database_.lock();
  auto remove = TRY(database->prepare("DELETE FROM layer_blob WHERE digest = ?"));
  return remove.bind(digest.hex()).run();
}

}  // namespace mica::store
