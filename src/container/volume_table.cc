#include "container/volume_table.h"

#include "base/format.h"

namespace mica::container {

const std::string_view kVolumeSchemaSql =
    "CREATE TABLE volume (\n"
    "  name TEXT PRIMARY KEY,\n"
    "  driver TEXT NOT NULL,\n"
    "  options TEXT NOT NULL,\n"
    "  labels TEXT NOT NULL,\n"
    "  created INTEGER NOT NULL,\n"
    "  anonymous INTEGER NOT NULL\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE volume_use (\n"
    "  container TEXT NOT NULL,\n"
    "  volume TEXT NOT NULL,\n"
    "  PRIMARY KEY (container, volume)\n"
    ") STRICT, WITHOUT ROWID;\n";

namespace {

constexpr std::string_view kColumns = "name, driver, options, labels, created, anonymous";

std::string map_text(const Pairs& pairs) {
  json::Object object;
  for (const auto& [key, value] : pairs) object.emplace_back(key, value);
  return json::write(json::Value(std::move(object)));
}

Result<Pairs> map_from(const std::string& text) {
  Pairs pairs;
  const auto value = TRY(json::parse(text));
  if (!value.is_object()) return fail(Errc::corrupt, "a volume's labels or options in the database are no object");
  for (const auto& [key, word] : value.as_object()) pairs.emplace_back(key, word.is_string() ? word.as_string() : "");
  return pairs;
}

Result<VolumeRow> read_row(const db::Statement& row) {
  VolumeRow volume{.name = row.text(0), .driver = row.text(1), .created = Timestamp{row.integer(4)}, .anonymous = row.integer(5) != 0};
  volume.options = TRY(map_from(row.text(2)));
  volume.labels = TRY(map_from(row.text(3)));
  return volume;
}

}  // namespace

Result<> VolumeTable::insert(const VolumeRow& row) {
  auto database = database_.lock();
  auto statement = TRY(database->prepare(format("INSERT INTO volume({}) VALUES(?,?,?,?,?,?)", kColumns)));
  statement.bind(row.name).bind(row.driver).bind(map_text(row.options)).bind(map_text(row.labels)).bind(row.created.ns).bind(int{row.anonymous});
  return statement.run();
}

Result<std::optional<VolumeRow>> VolumeTable::find(const std::string& name) {
  auto database = database_.lock();
  auto rows = TRY(database->prepare(format("SELECT {} FROM volume WHERE name = ?", kColumns)));
  rows.bind(name);
  if (!TRY(rows.step())) return std::nullopt;
  auto row = TRY(read_row(rows));
  return std::optional(std::move(row));
}

Result<std::vector<VolumeRow>> VolumeTable::list() {
  auto database = database_.lock();
  auto rows = TRY(database->prepare(format("SELECT {} FROM volume ORDER BY name", kColumns)));
  std::vector<VolumeRow> list;
  while (TRY(rows.step())) {
    auto row = TRY(read_row(rows));
    list.push_back(std::move(row));
  }
  return list;
}

Result<> VolumeTable::remove(const std::string& name) {
  auto database = database_.lock();
  auto statement = TRY(database->prepare("DELETE FROM volume WHERE name = ?"));
  return statement.bind(name).run();
}

Result<> VolumeTable::set_uses(const std::string& container, const std::vector<std::string>& volumes) {
  auto database = database_.lock();
  auto transaction = TRY(database->begin());
  auto removal = TRY(database->prepare("DELETE FROM volume_use WHERE container = ?"));
  TRY(removal.bind(container).run());
  auto statement = TRY(database->prepare("INSERT OR IGNORE INTO volume_use(container, volume) VALUES(?,?)"));
  for (const auto& volume : volumes) TRY(statement.reset().bind(container).bind(volume).run());
  return std::move(transaction).commit();
}

Result<std::vector<std::string>> VolumeTable::users(const std::string& volume) {
  auto database = database_.lock();
  auto rows = TRY(database->prepare("SELECT container FROM volume_use WHERE volume = ? ORDER BY container"));
  rows.bind(volume);
  std::vector<std::string> ids;
  while (TRY(rows.step())) ids.push_back(rows.text(0));
  return ids;
}

Result<std::vector<std::string>> VolumeTable::used_by(const std::string& container) {
  auto database = database_.lock();
  auto rows = TRY(database->prepare("SELECT volume FROM volume_use WHERE container = ? ORDER BY volume"));
  rows.bind(container);
  std::vector<std::string> names;
  while (TRY(rows.step())) names.push_back(rows.text(0));
  return names;
}

}  // namespace mica::container
