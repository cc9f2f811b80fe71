// Table `layer`: its schema, rows and their durability.
#include <fcntl.h>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "snapshot/layer_store_impl.h"
#include "sys/fault.h"

namespace mica::snapshot {

const std::string_view kSchemaSql =
    "CREATE TABLE layer (\n"
    "  id TEXT PRIMARY KEY,\n"
    "  diff_id TEXT,                     -- 64 hex digits, once known\n"
    "  content_id TEXT NOT NULL,\n"
    "  bytes INTEGER NOT NULL,\n"
    "  entries INTEGER NOT NULL,\n"
    "  created_ns INTEGER NOT NULL,\n"
    "  parent_key TEXT NOT NULL,         -- chain_key of the only chain it fits on, or ''\n"
    "  durable INTEGER NOT NULL DEFAULT 0,\n"
    "  boot_id TEXT NOT NULL             -- of the kernel that ran when it was made\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE INDEX layer_diff_id ON layer (diff_id) WHERE diff_id IS NOT NULL;\n"
    "CREATE INDEX layer_not_durable ON layer (boot_id) WHERE durable = 0;\n";

const std::string_view kLayerColumns = "id, diff_id, content_id, bytes, entries, created_ns, parent_key";

LayerInfo info_of(const db::Statement& row) {
  LayerInfo info{.id = row.text(0)};
  if (!row.is_null(1)) info.diff_id = oci::DiffId{oci::Digest::from_hex(row.text(1))};
  info.content_id = row.text(2);
  info.bytes = row.integer(3);
  info.entries = row.integer(4);
  info.created_ns = row.integer(5);
  info.parent_key = row.text(6);
  return info;
}

namespace {

/// Of the running kernel; "" where it does not tell, which then never differs.
const std::string& boot_id() {
  static const std::string id = [] {
    const auto text = sys::read_file("/proc/sys/kernel/random/boot_id", 256);
    return text ? std::string(trim(*text)) : std::string();
  }();
  return id;
}

}  // namespace

Result<> LayerStore::Impl::drop_lost_rows() {
  auto connection = database.lock();
  if (connection->read_only()) return {};
  {
    auto lost = TRY(connection->prepare("SELECT 1 FROM layer WHERE durable = 0 AND boot_id <> ? LIMIT 1"));
    const bool any = TRY(lost.bind(boot_id()).step());
    if (!any) return {};
  }
  log::debug("layers: dropping what was not made durable before the last boot");
  auto drop = TRY(connection->prepare("DELETE FROM layer WHERE durable = 0 AND boot_id <> ?"));
  return drop.bind(boot_id()).run();
}

Result<> LayerStore::Impl::insert(db::Database& database, const LayerInfo& info) {
  auto row = TRY(database.prepare("INSERT INTO layer (id, content_id, bytes, entries, created_ns, parent_key, boot_id) VALUES (?, ?, ?, ?, ?, ?, ?)"));
  row.bind(info.id).bind(info.content_id).bind(info.bytes).bind(info.entries).bind(info.created_ns).bind(info.parent_key).bind(boot_id());
  return row.run();
}

Result<LayerInfo> LayerStore::info(const LayerId& id) {
  auto database = impl_->database.lock();
  auto row = TRY(database->prepare(format("SELECT {} FROM layer WHERE id = ?", kLayerColumns)));
  const bool found = TRY(row.bind(id).step());
  if (!found) return failf(Errc::not_found, "layer {} is not in the store", id);
  return info_of(row);
}

Result<std::vector<LayerInfo>> LayerStore::list() {
  std::vector<LayerInfo> layers;
  auto database = impl_->database.lock();
  auto rows = TRY(database->prepare(format("SELECT {} FROM layer ORDER BY created_ns, id", kLayerColumns)));
  while (TRY(rows.step())) layers.push_back(info_of(rows));
  return layers;
}

Result<std::optional<LayerInfo>> LayerStore::find(const oci::DiffId& diff_id, const Chain& below) {
  std::optional<LayerInfo> found;
  {
    auto database = impl_->database.lock();
    auto rows = TRY(database->prepare(
        format("SELECT {} FROM layer WHERE diff_id = ? AND parent_key IN ('', ?) ORDER BY parent_key, created_ns LIMIT 1", kLayerColumns)));
    const bool any = TRY(rows.bind(diff_id.digest.hex()).bind(chain_key(below)).step());
    if (any) found = info_of(rows);
  }
  // A row whose folder was lost must not keep the layer from being fetched again.
  if (found && !sys::exists(directory(found->id))) found.reset();
  return found;
}

Result<> LayerStore::set_diff_id(const LayerId& id, const oci::DiffId& diff_id) {
  auto database = impl_->database.lock();
  auto row = TRY(database->prepare("UPDATE layer SET diff_id = ? WHERE id = ?"));
  TRY(row.bind(diff_id.digest.hex()).bind(id).run());
  if (database->changes() == 0) return failf(Errc::not_found, "layer {} is not in the store", id);
  return {};
}

Result<> LayerStore::set_created(const LayerId& id, std::int64_t created_ns) {
  auto database = impl_->database.lock();
  auto row = TRY(database->prepare("UPDATE layer SET created_ns = ? WHERE id = ?"));
  TRY(row.bind(created_ns).bind(id).run());
  if (database->changes() == 0) return failf(Errc::not_found, "layer {} is not in the store", id);
  return {};
}

Result<> LayerStore::make_durable() {
  std::vector<LayerId> ids;
  {
    auto database = impl_->database.lock();
    if (database->read_only()) return {};
    auto rows = TRY(database->prepare("SELECT id FROM layer WHERE durable = 0"));
    while (TRY(rows.step())) ids.push_back(rows.text(0));
  }
  if (ids.empty()) return {};
  const auto folder = TRY(sys::open(impl_->layers(), O_RDONLY | O_DIRECTORY));
  TRY_DOING(sys::sync_filesystem(folder), format("syncing {}", impl_->layers()));
  sys::crash_point("layers synced");
  // By id: a layer entered during the sync may not be on the disk.
  auto database = impl_->database.lock();
  auto transaction = TRY(database->begin());
  auto row = TRY(database->prepare("UPDATE layer SET durable = 1 WHERE id = ?"));
  for (const auto& id : ids) TRY(row.reset().bind(id).run());
  return std::move(transaction).commit();
}

}  // namespace mica::snapshot
