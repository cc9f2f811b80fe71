/// Unpacked layers on disk and their table: `layers/<id>/fs` (an overlay "upper" folder, immutable once committed) and
/// `layers/<id>/list` (its Listing). Vocabulary: a *chain* is the layers of a root filesystem, bottom first.
///
/// Crash safety: a layer is made in a temporary folder; then, in one transaction, it is renamed to layers/<id> and entered in the
/// table, so that under the database's write lock a folder without a row is what a crash left, and is swept. Rows start as not
/// durable; `make_durable` (syncfs once) is called before an image name may point to them; a store opened after a reboot drops
/// the rows that were not durable, which takes their build records out of use.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "db/db.h"
#include "oci/digest.h"
#include "snapshot/listing.h"
#include "snapshot/tree_view.h"

namespace mica::snapshot {

using LayerId = std::string;               ///< 16 lower-case hex digits
using Chain = std::vector<LayerId>;        ///< bottom first

/// Content identity of a root filesystem: hash over its chain of *normalised* layer contents (decision 4). Layers that change
/// nothing but times leave it unchanged. "" is the empty tree.
using TreeId = std::string;                ///< 64 hex digits or ""

struct LayerInfo {
  LayerId id;
  std::optional<oci::DiffId> diff_id;      ///< known once the canonical tar (or the pulled tar) was hashed
  std::string content_id;                  ///< 64 hex: normalised content of the delta; "" when it changes nothing but times
  std::int64_t bytes = 0;                  ///< sum of file sizes as Docker's history shows them
  std::int64_t entries = 0;
  std::int64_t created_ns = 0;
  std::string parent_key;                  ///< not empty: the layer lacked parent folders and may be shared only under that chain
};

/// tree' = parent when content_id is empty, else sha256(parent, content_id).
TreeId next_tree(const TreeId& parent, const std::string& content_id);

class StagedLayer;

/// Thread-safe; copies share one state. A layer that a collection must not take between commit() and the lease on it needs
/// engine::hold_off_collection.
class LayerStore {
 public:
  /// `root` is the state folder, `temporary` a folder on the same file system that vanishes with this process.
  LayerStore(std::string root, std::string temporary, Guarded<db::Database>& database);

  std::string directory(const LayerId& id) const;            ///< .../layers/<id>/fs
  Result<LayerInfo> info(const LayerId& id);                 ///< errors: not_found
  Result<Listing> listing(const LayerId& id);                ///< cached in memory for this process
  Result<TreeView> view(const Chain& chain);                 ///< errors: not_found, corrupt (of a listing)
  Result<TreeId> tree_id(const Chain& chain);                ///< errors: not_found

  /// A new temporary layer folder (with `fs` and `work` inside, mode 0755).
  Result<StagedLayer> stage();
  /// Computes the normalised content id against `lower`, saves the listing, moves the folder into place and enters the row.
  Result<LayerInfo> commit(StagedLayer staged, const Listing& listing, const TreeView& lower, std::string parent_key = {});
  /// The DiffID: streams the canonical tar through SHA-256, unless known. Thread-safe; several callers for one layer join.
  Result<oci::DiffId> diff_id(const LayerId& id, task::Cancel cancel);
  Result<> set_diff_id(const LayerId& id, const oci::DiffId& diff_id);   ///< errors: not_found
  /// When the layer was made, for one that was made elsewhere; until then it is the time of its commit. Errors: not_found.
  Result<> set_created(const LayerId& id, std::int64_t created_ns);
  /// A committed layer with this DiffID usable on top of `below`: rows with parent_key "" or equal to chain_key(below).
  Result<std::optional<LayerInfo>> find(const oci::DiffId& diff_id, const Chain& below);
  /// Names this very chain of layers: 64 hex digits.
  static std::string chain_key(const Chain& chain);

  Result<std::vector<LayerInfo>> list();                      ///< oldest first
  /// Deletes rows and folders of all layers not in `keep` (sorted) and not in table `lease`, and folders without a row. Returns
  /// bytes freed.
  Result<std::int64_t> sweep(const std::vector<LayerId>& keep);
  /// syncfs, then marks the rows that were there before as durable. Costs one look into an index when all are.
  Result<> make_durable();

 private:
  struct Impl;
  Result<oci::DiffId> compute_diff_id(const LayerId& id, const task::Cancel& cancel);
  std::shared_ptr<Impl> impl_;
};

/// A layer being made: `fs` in overlay form. Removed with everything when dropped before commit.
class StagedLayer {
 public:
  const std::string& path() const;         ///< the temporary folder
  std::string fs() const;                  ///< path()/fs
  std::string work() const;                ///< path()/work
  StagedLayer(StagedLayer&&) noexcept;
  StagedLayer& operator=(StagedLayer&&) noexcept;
  ~StagedLayer();

 private:
  friend class LayerStore;
  explicit StagedLayer(std::string path);
  std::string path_;
};

/// SQL of this module's table (schema version 1).
extern const std::string_view kSchemaSql;

}  // namespace mica::snapshot
