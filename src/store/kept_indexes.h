/// Indexes that were pushed to this store as to a registry (`registry serve`), which must come out again as they came in. The image of one platform is
/// unpacked; of the other platforms manifests, configs and layers are kept as blobs.
///
/// A row counts as long as its tag still names the image that came with the index: known_digest says so (image_table.h).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "db/db.h"
#include "oci/digest.h"
#include "oci/reference.h"

namespace mica::store {

class KeptIndexes {
 public:
  explicit KeptIndexes(Guarded<db::Database>& database) : database_(database) {}
  /// `name`: with tag.
  Result<> put(const oci::Reference& name, const oci::Digest& index);
  Result<> remove(const oci::Reference& name);   ///< missing is no error
  /// The index that `name` (with tag) stands for, as long as it counts.
  Result<std::optional<oci::Digest>> find(const oci::Reference& name);
  /// Those of a repository (tag and digest of `name` do not matter), and all, that count; sorted.
  Result<std::vector<oci::Digest>> of_repository(const oci::Reference& name);
  Result<std::vector<oci::Digest>> list();
  Result<> drop_stale();                         ///< rows that do not count

 private:
  Guarded<db::Database>& database_;
};
extern const std::string_view kKeptIndexSchemaSql;
}  // namespace mica::store
