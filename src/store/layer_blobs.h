/// Bytes of layers as they came or were made for the wire: which blob holds the tar of a DiffID, compressed or not.
///
/// A row is only a memory: the blob may be gone (`prune`), and then the layer's canonical tar must do, if it has that DiffID.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "db/db.h"
#include "oci/digest.h"

namespace mica::store {

struct LayerBlob {
  oci::DiffId diff_id;
  oci::Digest digest;            ///< of the blob
  std::string media_type;        ///< tells the compression
  std::int64_t size = 0;
  bool original = false;         ///< came from elsewhere: the only way to give these bytes again
};

class LayerBlobs {
 public:
  explicit LayerBlobs(Guarded<db::Database>& database) : database_(database) {}
  Result<> put(const LayerBlob& blob);
  /// Originals first, then the newest.
  Result<std::vector<LayerBlob>> find(const oci::DiffId& diff_id);
  Result<std::vector<LayerBlob>> list();
  Result<> remove(const oci::Digest& digest);

 private:
  Guarded<db::Database>& database_;
};
extern const std::string_view kLayerBlobSchemaSql;
}  // namespace mica::store
