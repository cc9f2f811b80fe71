#include "store/kept_indexes.h"

namespace mica::store {

const std::string_view kKeptIndexSchemaSql =
    "CREATE TABLE IF NOT EXISTS kept_index (\n"
    "  registry TEXT NOT NULL,\n"
    "  path TEXT NOT NULL,\n"
    "  tag TEXT NOT NULL,\n"
    "  manifest TEXT NOT NULL,           -- of the index, 64 hex digits\n"
    "  PRIMARY KEY (registry, path, tag)\n"
    ") STRICT, WITHOUT ROWID;\n";

namespace {

#define MICA_COUNTING_INDEXES \
  "FROM kept_index JOIN name USING (registry, path, tag) JOIN known_digest USING (registry, path, manifest, image)"

Result<std::vector<oci::Digest>> digests(db::Statement rows) {
  std::vector<oci::Digest> out;
  while (TRY(rows.step())) out.push_back(oci::Digest::from_hex(rows.text(0)));
  return out;
}

}  // namespace

Result<> KeptIndexes::put(const oci::Reference& name, const oci::Digest& index) {
  auto database = database_.lock();
  auto row = TRY(database->prepare("INSERT OR REPLACE INTO kept_index (registry, path, tag, manifest) VALUES (?, ?, ?, ?)"));
  return row.bind(name.registry).bind(name.path).bind(name.tag).bind(index.hex()).run();
}

Result<> KeptIndexes::remove(const oci::Reference& name) {
  auto database = database_.lock();
  auto row = TRY(database->prepare("DELETE FROM kept_index WHERE registry = ? AND path = ? AND tag = ?"));
  return row.bind(name.registry).bind(name.path).bind(name.tag).run();
}

Result<std::optional<oci::Digest>> KeptIndexes::find(const oci::Reference& name) {
  auto database = database_.lock();
  auto rows = TRY(database->prepare("SELECT manifest " MICA_COUNTING_INDEXES " WHERE registry = ? AND path = ? AND tag = ?"));
  rows.bind(name.registry).bind(name.path).bind(name.tag);
  auto found = TRY(digests(std::move(rows)));
  if (found.empty()) return std::optional<oci::Digest>();
  return std::optional(std::move(found.front()));
}

Result<std::vector<oci::Digest>> KeptIndexes::of_repository(const oci::Reference& name) {
  auto database = database_.lock();
  auto rows = TRY(database->prepare("SELECT DISTINCT manifest " MICA_COUNTING_INDEXES " WHERE registry = ? AND path = ? ORDER BY manifest"));
  rows.bind(name.registry).bind(name.path);
  return digests(std::move(rows));
}

Result<std::vector<oci::Digest>> KeptIndexes::list() {
  auto database = database_.lock();
  return digests(TRY(database->prepare("SELECT DISTINCT manifest " MICA_COUNTING_INDEXES " ORDER BY manifest")));
}

Result<> KeptIndexes::drop_stale() {
  auto database = database_.lock();
  return database->execute("DELETE FROM kept_index WHERE (registry, path, tag) NOT IN (SELECT registry, path, tag " MICA_COUNTING_INDEXES ")");
}

}  // namespace mica::store
