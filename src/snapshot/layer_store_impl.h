/// The inside of LayerStore, shared by its files.
#pragma once
#include <condition_variable>
#include <map>
#include <memory>
#include <optional>

#include "snapshot/layer_store.h"

namespace mica::snapshot {

struct LayerStore::Impl {
  /// A DiffID being computed; others who want it wait for `result`.
  struct Computation {
    std::optional<Result<oci::DiffId>> result;
  };

  Impl(std::string root, std::string temporary, Guarded<db::Database>& database)
      : root(std::move(root)), temporary(std::move(temporary)), database(database) {}

  std::string layers() const { return root + "/layers"; }
  std::string folder(const LayerId& id) const { return layers() + "/" + id; }
  /// Rows of layers that a power failure or reset may have torn: not durable, and from before this boot.
  Result<> drop_lost_rows();
  /// Adds the row; the caller holds a transaction.
  static Result<> insert(db::Database& database, const LayerInfo& info);

  const std::string root, temporary;
  Guarded<db::Database>& database;
  // What does not change for the life of a layer id:
  Guarded<std::map<LayerId, Listing>> listings;
  Guarded<std::map<LayerId, std::string>> content_ids;

  Guarded<std::map<LayerId, std::shared_ptr<Computation>>> computations;
  std::condition_variable computed;
};

/// The columns that info_of reads.
extern const std::string_view kLayerColumns;
LayerInfo info_of(const db::Statement& row);

}  // namespace mica::snapshot
