#include "build/records.h"

#include <set>

#include "base/format.h"

namespace mica::build {
namespace {

constexpr std::string_view kColumns =
    "r.id, r.weak, r.strong, r.place, r.instruction, r.layer, r.tree, r.bytes, r.duration_ns, r.created_ns, r.used_ns, r.parts, r.log";
/// Evictions beyond these many are forgotten, oldest first: they only explain.
constexpr int kMaxEvictions = 10'000;

Record read(const db::Statement& row) {
  Record record;
  record.id = row.integer(0);
  record.weak = row.text(1);
  record.strong = row.text(2);
  record.place = row.text(3);
  record.instruction = row.text(4);
  record.layer = row.text(5);
  record.tree = row.text(6);
  record.bytes = row.integer(7);
  record.duration_ns = row.integer(8);
  record.created = {row.integer(9)};
  record.used = {row.integer(10)};
  if (!row.text(11).empty()) record.parts = oci::Digest::from_hex(row.text(11));
  if (!row.text(12).empty()) record.log = oci::Digest::from_hex(row.text(12));
  return record;
}

}  // namespace

const std::string_view kSchemaSql = R"sql(
CREATE TABLE record (
  id INTEGER PRIMARY KEY,
  weak TEXT NOT NULL,             -- key over the declared parts
  strong TEXT NOT NULL UNIQUE,    -- key over all parts
  conditions BLOB,                -- what the step read, when it hits by that; NULL: by its strong key only
  place TEXT NOT NULL,
  instruction TEXT NOT NULL,
  layer TEXT NOT NULL,            -- the result, a delta
  tree TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,
  created_ns INTEGER NOT NULL,
  used_ns INTEGER NOT NULL,
  parts TEXT NOT NULL,            -- hex of a blob
  log TEXT NOT NULL               -- hex of a blob, or empty
);
CREATE INDEX record_weak ON record(weak, created_ns);
CREATE INDEX record_place ON record(place, created_ns);
CREATE INDEX record_layer ON record(layer);
CREATE TABLE eviction (
  strong TEXT PRIMARY KEY,
  reason TEXT NOT NULL,
  when_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE file_hash (
  device INTEGER NOT NULL,
  folder INTEGER NOT NULL,        -- inode of the folder
  used_ns INTEGER NOT NULL,
  files BLOB NOT NULL,            -- docs/formats/file-hashes.md
  PRIMARY KEY (device, folder)
) WITHOUT ROWID;
CREATE TABLE build_report (
  id INTEGER PRIMARY KEY,
  image TEXT NOT NULL,            -- hex of the image id, or empty when the build failed or stored no image
  started_ns INTEGER NOT NULL,
  report BLOB NOT NULL            -- JSON: build/report.h
);
CREATE INDEX build_report_image ON build_report(image, started_ns);
)sql";

Result<std::optional<Record>> Records::find(const std::string& strong) {
  auto database = database_.lock();
  auto row = TRY(database->prepare(format("SELECT {} FROM record r JOIN layer l ON l.id = r.layer WHERE r.strong = ?", kColumns)));
  row.bind(strong);
  const bool found = TRY(row.step());
  return found ? std::optional(read(row)) : std::nullopt;
}

Result<std::vector<Record>> Records::nearest(const std::string& weak, const std::string& place, int limit) {
  std::vector<Record> records;
  std::set<std::int64_t> seen;
  auto database = database_.lock();
  for (const auto& [column, value] : {std::pair{"weak", &weak}, std::pair{"place", &place}}) {
    auto rows = TRY(database->prepare(format("SELECT {} FROM record r WHERE r.{} = ? ORDER BY r.created_ns DESC LIMIT ?", kColumns, column)));
    rows.bind(*value).bind(limit);
    while (TRY(rows.step())) {
      Record record = read(rows);
      if (seen.insert(record.id).second) records.push_back(std::move(record));
    }
  }
  return records;
}

Result<std::int64_t> Records::put(const Record& record) {
  auto database = database_.lock();
  auto transaction = TRY(database->begin());
  auto forget = TRY(database->prepare("DELETE FROM eviction WHERE strong = ?"));
  TRY(forget.bind(record.strong).run());
  auto insert = TRY(database->prepare(
      "INSERT OR REPLACE INTO record(weak, strong, place, instruction, layer, tree, bytes, duration_ns, created_ns, used_ns, parts, log) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  insert.bind(record.weak).bind(record.strong).bind(record.place).bind(record.instruction).bind(record.layer).bind(record.tree);
  insert.bind(record.bytes).bind(record.duration_ns).bind(record.created.ns).bind(record.used.ns).bind(record.parts.hex()).bind(record.log.hex());
  TRY_DOING(insert.run(), "storing a step's record");
  const std::int64_t id = database->last_row_id();
  TRY(std::move(transaction).commit());
  return id;
}

Result<> Records::touch(const std::vector<std::int64_t>& ids) {
  auto database = database_.lock();
  if (ids.empty() || database->read_only()) return {};
  auto transaction = TRY(database->begin());
  auto update = TRY(database->prepare("UPDATE record SET used_ns = ? WHERE id = ?"));
  const Timestamp when = now();
  for (const auto id : ids) {
    TRY(update.reset().bind(when.ns).bind(id).run());
  }
  return std::move(transaction).commit();
}

Result<std::vector<Record>> Records::list() {
  std::vector<Record> records;
  auto database = database_.lock();
  auto rows = TRY(database->prepare(format("SELECT {} FROM record r ORDER BY r.id", kColumns)));
  while (TRY(rows.step())) records.push_back(read(rows));
  return records;
}

Result<> Records::remove(const std::vector<std::int64_t>& ids, std::string_view reason) {
  auto database = database_.lock();
  auto transaction = TRY(database->begin());
  auto note = TRY(database->prepare("INSERT OR REPLACE INTO eviction(strong, reason, when_ns) SELECT strong, ?, ? FROM record WHERE id = ?"));
  auto remove = TRY(database->prepare("DELETE FROM record WHERE id = ?"));
  const Timestamp when = now();
  for (const auto id : ids) {
    TRY(note.reset().bind(reason).bind(when.ns).bind(id).run());
    TRY(remove.reset().bind(id).run());
  }
  TRY(database->execute(format("DELETE FROM eviction WHERE strong IN (SELECT strong FROM eviction ORDER BY when_ns DESC LIMIT -1 OFFSET {})", kMaxEvictions)));
  return std::move(transaction).commit();
}

Result<std::optional<Eviction>> Records::eviction(const std::string& strong) {
  auto database = database_.lock();
  auto row = TRY(database->prepare("SELECT reason, when_ns FROM eviction WHERE strong = ?"));
  row.bind(strong);
  const bool found = TRY(row.step());
  if (!found) return std::optional<Eviction>();
  return std::optional(Eviction{row.text(0), {row.integer(1)}});
}

}  // namespace mica::build
