/// Records of executed steps: key, result, cost and log. The build cache is this table plus the layers it points to.
///
/// A record's result is a delta (a layer) and never a whole snapshot. A record whose layer is gone is no hit; the sweep removes
/// such rows. What is removed leaves a line in `eviction`, so that a later miss can say why.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "base/time.h"
#include "db/db.h"
#include "oci/digest.h"

namespace mica::build {

struct Record {
  std::int64_t id = 0;             ///< row id; 0 for one not stored yet
  std::string weak, strong;        ///< see key.h
  std::string place;               ///< where the step stands: hash of Dockerfile, context, stage and number; to find the nearest earlier record
  std::string instruction;         ///< one line for people: "RUN make"
  std::string layer;               ///< the result
  std::string tree;                ///< identity of the root filesystem after the step ("" is the empty tree)
  std::int64_t bytes = 0;          ///< of the layer
  std::int64_t duration_ns = 0;    ///< of the execution
  Timestamp created, used;
  oci::Digest parts, log;          ///< blobs: encode_parts() under zstd, the step's output under zstd (empty: none)
};
struct Eviction {
  std::string reason;              ///< "prune", "fsck", "layer gone"
  Timestamp when;
};

class Records {
 public:
  explicit Records(Guarded<db::Database>& database) : database_(database) {}
  /// The newest record with this strong key whose layer row exists.
  Result<std::optional<Record>> find(const std::string& strong);
  /// Newest first: records with the same weak key, then those at the same place; each once; at most `limit` of either.
  Result<std::vector<Record>> nearest(const std::string& weak, const std::string& place, int limit = 4);
  /// Stores a new record; returns its id. A record with the same strong key is replaced.
  Result<std::int64_t> put(const Record& record);
  /// Sets `used` to now, in one transaction. A read-only store is no error.
  Result<> touch(const std::vector<std::int64_t>& ids);
  Result<std::vector<Record>> list();
  Result<> remove(const std::vector<std::int64_t>& ids, std::string_view reason);
  Result<std::optional<Eviction>> eviction(const std::string& strong);

 private:
  Guarded<db::Database>& database_;
};

/// SQL of this module's tables: record, eviction, file_hash, build_report (schema version 1).
extern const std::string_view kSchemaSql;

}  // namespace mica::build
