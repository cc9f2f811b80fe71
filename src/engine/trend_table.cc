#include "engine/trend_table.h"

#include "base/format.h"

namespace mica::engine {

const std::string_view kTrendSchemaSql = R"sql(
CREATE TABLE image_trend (
  id INTEGER PRIMARY KEY,
  repository TEXT NOT NULL,
  tag TEXT NOT NULL,
  image TEXT NOT NULL,
  since_ns INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  layers INTEGER NOT NULL,
  waste INTEGER,                  -- NULL: not known
  build_ns INTEGER,               -- NULL: not built here
  steps_run INTEGER,
  steps_cached INTEGER,
  errors INTEGER,                 -- NULL: no Dockerfile was at hand
  warnings INTEGER
) STRICT;
CREATE INDEX image_trend_name ON image_trend(repository, tag, id);
CREATE INDEX image_trend_image ON image_trend(image);
INSERT INTO image_trend(repository, tag, image, since_ns, bytes, layers)
  SELECT name.registry || '/' || name.path, name.tag, image.id, name.tagged, image.bytes,
         iif(image.layers = '', 0, length(image.layers) - length(replace(image.layers, ' ', '')) + 1)
  FROM name JOIN image ON image.id = name.image ORDER BY name.tagged;
)sql";

namespace {

#define MICA_TREND_COLUMNS "id, repository, tag, image, since_ns, bytes, layers, waste, build_ns, steps_run, steps_cached, errors, warnings"

TrendRow read(const db::Statement& row) {
  TrendRow out{.number = row.integer(0), .repository = row.text(1), .tag = row.text(2), .image = {oci::Digest::from_hex(row.text(3))}, .since = {row.integer(4)},
               .bytes = row.integer(5), .layers = static_cast<int>(row.integer(6))};
  if (!row.is_null(7)) out.waste = row.integer(7);
  if (!row.is_null(8)) out.build = TrendRow::Build{row.integer(8), static_cast<int>(row.integer(9)), static_cast<int>(row.integer(10))};
  if (!row.is_null(11)) out.findings = TrendRow::Findings{row.integer(11), row.integer(12)};
  return out;
}

Result<std::optional<TrendRow>> newest(db::Database& database, const oci::Reference& name) {
  auto row = TRY(database.prepare("SELECT " MICA_TREND_COLUMNS " FROM image_trend WHERE repository = ? AND tag = ? ORDER BY id DESC LIMIT 1"));
  const bool found = TRY(row.bind(name.repository()).bind(name.tag).step());
  return found ? std::optional(read(row)) : std::nullopt;
}

Result<> drop_old(db::Database& database, const oci::Reference& name, std::int64_t last) {
  auto of_name = TRY(database.prepare("DELETE FROM image_trend WHERE repository = ?1 AND tag = ?2 AND id <= "
                                      "(SELECT id FROM image_trend WHERE repository = ?1 AND tag = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)"));
  TRY(of_name.bind(name.repository()).bind(name.tag).bind(kMostTrendRows).run());
  auto of_all = TRY(database.prepare("DELETE FROM image_trend WHERE id <= ?"));
  return of_all.bind(last - kMostTrendRowsInAll).run();
}

}  // namespace

Result<> TrendTable::name(const store::ImageRow& image, const std::vector<oci::Reference>& names) {
  auto database = database_.lock();
  std::vector<const oci::Reference*> changed;
  for (const auto& name : names) {
    if (name.tag.empty() || !name.digest.empty()) continue;
    const auto before = TRY(newest(*database, name));
    if (!before || before->image != image.id) changed.push_back(&name);
  }
  if (changed.empty()) return {};
  auto transaction = TRY(database->begin());
  for (const auto* name : changed) {
    auto insert = TRY(database->prepare("INSERT INTO image_trend(repository, tag, image, since_ns, bytes, layers) VALUES (?, ?, ?, ?, ?, ?)"));
    insert.bind(name->repository()).bind(name->tag).bind(image.id.digest.hex()).bind(now().ns).bind(image.bytes);
    TRY(insert.bind(static_cast<std::int64_t>(image.layers.size())).run());
    TRY(drop_old(*database, *name, database->last_row_id()));
  }
  return std::move(transaction).commit();
}

Result<std::vector<TrendRow>> TrendTable::without_build(const oci::ImageId& image, const std::vector<oci::Reference>& names) {
  std::vector<TrendRow> rows;
  auto database = database_.lock();
  for (const auto& name : names) {
    auto row = TRY(newest(*database, name));
    if (row && row->image == image && !row->build) rows.push_back(std::move(*row));
  }
  return rows;
}

Result<bool> TrendTable::lacks_waste(const oci::ImageId& image) {
  auto database = database_.lock();
  auto row = TRY(database->prepare("SELECT 1 FROM image_trend WHERE image = ? AND waste IS NULL"));
  return row.bind(image.digest.hex()).step();
}

Result<> TrendTable::set_build(std::int64_t number, const TrendRow::Build& build, const std::optional<TrendRow::Findings>& findings) {
  auto database = database_.lock();
  auto update = TRY(database->prepare("UPDATE image_trend SET build_ns = ?, steps_run = ?, steps_cached = ?, errors = ?, warnings = ? WHERE id = ?"));
  update.bind(build.duration_ns).bind(build.run).bind(build.cached);
  if (findings) update.bind(findings->errors).bind(findings->warnings);
  else update.bind_null().bind_null();
  return update.bind(number).run();
}

Result<> TrendTable::set_waste(const oci::ImageId& image, std::int64_t bytes) {
  auto database = database_.lock();
  auto update = TRY(database->prepare("UPDATE image_trend SET waste = ? WHERE image = ?"));
  return update.bind(bytes).bind(image.digest.hex()).run();
}

Result<std::vector<TrendRow>> TrendTable::list(const oci::Reference& name, int most) {
  std::vector<TrendRow> rows;
  auto database = database_.lock();
  auto query = TRY(database->prepare(name.tag.empty() ? "SELECT " MICA_TREND_COLUMNS " FROM image_trend WHERE repository = ? ORDER BY id DESC LIMIT ?"
                                                      : "SELECT " MICA_TREND_COLUMNS " FROM image_trend WHERE repository = ? AND tag = ? ORDER BY id DESC LIMIT ?"));
  query.bind(name.repository());
  if (!name.tag.empty()) query.bind(name.tag);
  query.bind(most > 0 ? most : -1);
  while (TRY(query.step())) rows.push_back(read(query));
  return rows;
}

}  // namespace mica::engine
