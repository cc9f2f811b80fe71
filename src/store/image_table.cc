#include "store/image_table.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "sys/fault.h"

namespace mica::store {

const std::string_view kSchemaSql =
    "CREATE TABLE image (\n"
    "  id TEXT PRIMARY KEY,\n"
    "  layers TEXT NOT NULL,\n"
    "  manifest TEXT NOT NULL,\n"
    "  bytes INTEGER NOT NULL,\n"
    "  created INTEGER NOT NULL,\n"
    "  added INTEGER NOT NULL,\n"
    "  os TEXT NOT NULL,\n"
    "  architecture TEXT NOT NULL,\n"
    "  variant TEXT NOT NULL,\n"
    "  os_version TEXT NOT NULL,\n"
    "  labels TEXT NOT NULL\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE TABLE name (\n"
    "  registry TEXT NOT NULL,\n"
    "  path TEXT NOT NULL,\n"
    "  tag TEXT NOT NULL,\n"
    "  image TEXT NOT NULL REFERENCES image(id) ON DELETE CASCADE,\n"
    "  tagged INTEGER NOT NULL,\n"
    "  PRIMARY KEY (registry, path, tag)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE INDEX name_image ON name(image);\n"
    "CREATE TABLE known_digest (\n"
    "  registry TEXT NOT NULL,\n"
    "  path TEXT NOT NULL,\n"
    "  manifest TEXT NOT NULL,\n"
    "  image TEXT NOT NULL REFERENCES image(id) ON DELETE CASCADE,\n"
    "  known INTEGER NOT NULL,\n"
    "  PRIMARY KEY (registry, path, manifest)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "CREATE INDEX known_digest_image ON known_digest(image);\n";

// SQLite cannot change a primary key in place.
const std::string_view kPlatformsSchemaSql =
    "CREATE TABLE known_digest_by_image (\n"
    "  registry TEXT NOT NULL,\n"
    "  path TEXT NOT NULL,\n"
    "  manifest TEXT NOT NULL,\n"
    "  image TEXT NOT NULL REFERENCES image(id) ON DELETE CASCADE,\n"
    "  known INTEGER NOT NULL,\n"
    "  PRIMARY KEY (registry, path, manifest, image)\n"
    ") STRICT, WITHOUT ROWID;\n"
    "INSERT INTO known_digest_by_image SELECT registry, path, manifest, image, known FROM known_digest;\n"
    "DROP TABLE known_digest;\n"
    "ALTER TABLE known_digest_by_image RENAME TO known_digest;\n"
    "CREATE INDEX known_digest_image ON known_digest(image);\n";

namespace {

#define MICA_IMAGE_COLUMNS "id, layers, image.manifest, bytes, created, added, os, architecture, variant, os_version, labels"

/// A digest from a column of hex digits; only a damaged database holds something else.
Result<oci::Digest> digest_of(std::string hex) {
  if (hex.empty()) return oci::Digest();
  bool good = hex.size() == 64;
  for (const char c : hex) good &= ((c >= '0') & (c <= '9')) | ((c >= 'a') & (c <= 'f'));   // as oci::Digest: no branch a character
  if (!good) return failf(Errc::corrupt, "the image table holds {} where a digest should be", quoted(hex));
  return oci::Digest::from_hex(std::move(hex));
}

using Labels = std::vector<std::pair<std::string, std::string>>;

/// Keys and values in turn, each as its length, a colon and its bytes. Of all parts of a row JSON would take longest to read.
std::string write_labels(const Labels& labels) {
  std::string text;
  for (const auto& [key, value] : labels) text += format("{}:{}{}:{}", key.size(), key, value.size(), value);
  return text;
}

Result<Labels> read_labels(std::string_view text) {
  Labels labels;
  std::optional<std::string> key;
  while (!text.empty()) {
    const auto parts = split_once(text, ':');
    const auto size = parts ? parse_int(parts->first) : std::nullopt;
    if (!size || *size < 0 || static_cast<std::size_t>(*size) > parts->second.size()) return fail(Errc::corrupt, "the image table holds broken labels");
    std::string word(parts->second.substr(0, static_cast<std::size_t>(*size)));
    text = parts->second.substr(word.size());
    if (key) labels.emplace_back(*std::exchange(key, std::nullopt), std::move(word));
    else key = std::move(word);
  }
  if (key) return fail(Errc::corrupt, "the image table holds broken labels");
  return labels;
}

std::vector<std::string> read_layers(const std::string& text) {
  std::vector<std::string> layers;
  if (text.empty()) return layers;
  for (const std::string_view layer : split(text, ' ')) layers.emplace_back(layer);
  return layers;
}

Result<ImageRow> image_from(const db::Statement& row) {
  ImageRow image;
  image.id.digest = TRY(digest_of(row.text(0)));
  image.layers = read_layers(row.text(1));
  image.manifest = TRY(digest_of(row.text(2)));
  image.bytes = row.integer(3);
  image.created.ns = row.integer(4);
  image.added.ns = row.integer(5);
  image.platform = {.os = row.text(6), .architecture = row.text(7), .variant = row.text(8), .os_version = row.text(9)};
  image.labels = TRY(read_labels(row.text(10)));
  return image;
}

Result<> put_image(db::Database& database, const ImageRow& image) {
  auto put = TRY(database.prepare("INSERT INTO image (id, layers, manifest, bytes, created, added, os, architecture, variant, os_version, labels) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                                  " ON CONFLICT (id) DO UPDATE SET layers = excluded.layers, bytes = excluded.bytes, created = excluded.created,"
                                  " manifest = iif(excluded.manifest = '', manifest, excluded.manifest), os = excluded.os,"
                                  " architecture = excluded.architecture, variant = excluded.variant, os_version = excluded.os_version,"
                                  " labels = excluded.labels"));
  put.bind(image.id.digest.hex()).bind(join(image.layers, " ")).bind(image.manifest.hex()).bind(image.bytes).bind(image.created.ns).bind(image.added.ns);
  put.bind(image.platform.os).bind(image.platform.architecture).bind(image.platform.variant).bind(image.platform.os_version);
  return put.bind(write_labels(image.labels)).run();
}

Result<> put_name(db::Database& database, const oci::ImageId& id, const oci::Reference& name) {
  auto put = TRY(database.prepare("INSERT INTO name (registry, path, tag, image, tagged) VALUES (?, ?, ?, ?, ?)"
                                  " ON CONFLICT (registry, path, tag) DO UPDATE SET image = excluded.image, tagged = excluded.tagged"));
  return put.bind(name.registry).bind(name.path).bind(name.tag).bind(id.digest.hex()).bind(now().ns).run();
}

Result<> put_digest(db::Database& database, const oci::ImageId& id, const oci::Reference& name, const oci::Digest& manifest) {
  auto put = TRY(database.prepare("INSERT INTO known_digest (registry, path, manifest, image, known) VALUES (?, ?, ?, ?, ?)"
                                  " ON CONFLICT (registry, path, manifest, image) DO UPDATE SET known = excluded.known"));
  return put.bind(name.registry).bind(name.path).bind(manifest.hex()).bind(id.digest.hex()).bind(now().ns).run();
}

Result<std::optional<oci::ImageId>> image_named(db::Database& database, const oci::Reference& name) {
  auto row = TRY(database.prepare("SELECT image FROM name WHERE registry = ? AND path = ? AND tag = ?"));
  const bool found = TRY(row.bind(name.registry).bind(name.path).bind(name.tag).step());
  if (!found) return std::optional<oci::ImageId>();
  auto digest = TRY(digest_of(row.text(0)));
  return std::optional(oci::ImageId{std::move(digest)});
}

Result<bool> has_row(db::Database& database, std::string_view sql, const oci::ImageId& id) {
  auto row = TRY(database.prepare(sql));
  return row.bind(id.digest.hex()).step();
}

/// One name and what is known by it. `manifest` is the image's.
Result<> enter_name(db::Database& database, const oci::ImageId& id, const oci::Reference& name, const oci::Digest& manifest) {
  if (!name.tag.empty()) TRY(put_name(database, id, name));
  const oci::Digest& digest = name.digest.empty() ? manifest : name.digest;
  if (!digest.empty()) TRY(put_digest(database, id, name, digest));
  return {};
}

}  // namespace

ImageTable::ImageTable(Guarded<db::Database>& database) : database_(database) {}

Result<std::vector<oci::ImageId>> ImageTable::put(const ImageRow& image, const std::vector<oci::Reference>& names) {
  auto database = database_.lock();
  auto transaction = TRY(database->begin());
  TRY(put_image(*database, image));
  std::vector<oci::ImageId> moved_from, nameless;
  for (const auto& name : names) {
    if (!name.tag.empty()) {
      auto before = TRY(image_named(*database, name));
      if (before && *before != image.id && std::ranges::find(moved_from, *before) == moved_from.end()) moved_from.push_back(std::move(*before));
    }
    TRY(enter_name(*database, image.id, name, image.manifest));
  }
  for (auto& id : moved_from) {
    const bool named = TRY(has_row(*database, "SELECT 1 FROM name WHERE image = ? LIMIT 1", id));
    if (!named) nameless.push_back(std::move(id));
  }
  TRY(sys::fault_point("image rows written"));
  TRY(std::move(transaction).commit());
  sys::crash_point("image committed");
  return nameless;
}

Result<> ImageTable::tag(const oci::ImageId& id, const oci::Reference& name) {
  const auto image = TRY(find(id));
  auto database = database_.lock();
  auto transaction = TRY(database->begin());
  // Looked up again: it may have been removed before the transaction began.
  const bool exists = TRY(has_row(*database, "SELECT 1 FROM image WHERE id = ?", id));
  if (!image || !exists) return failf(Errc::not_found, "No such image: {}", id.digest.str());
  TRY(enter_name(*database, id, name, image->manifest));
  return std::move(transaction).commit();
}

Result<std::optional<ImageRow>> ImageTable::find(const oci::ImageId& id) {
  auto database = database_.lock();
  auto row = TRY(database->prepare("SELECT " MICA_IMAGE_COLUMNS " FROM image WHERE id = ?"));
  const bool found = TRY(row.bind(id.digest.hex()).step());
  if (!found) return std::optional<ImageRow>();
  return TRY(image_from(row));
}

Result<std::optional<NameRow>> ImageTable::find_name(const oci::Reference& name) {
  auto database = database_.lock();
  const bool by_digest = !name.digest.empty();
  auto row = TRY(database->prepare(by_digest ? "SELECT image, known FROM known_digest WHERE registry = ? AND path = ? AND manifest = ? ORDER BY known DESC LIMIT 1"
                                             : "SELECT image, tagged FROM name WHERE registry = ? AND path = ? AND tag = ?"));
  const bool found = TRY(row.bind(name.registry).bind(name.path).bind(by_digest ? name.digest.hex() : name.tag).step());
  if (!found) return std::optional<NameRow>();
  NameRow result{.reference = name};
  result.id.digest = TRY(digest_of(row.text(0)));
  result.tagged.ns = row.integer(1);
  return std::optional(std::move(result));
}

Result<std::vector<ImageRow>> ImageTable::with_digest(const oci::Reference& name) {
  auto database = database_.lock();
  auto rows = TRY(database->prepare("SELECT " MICA_IMAGE_COLUMNS " FROM image JOIN known_digest ON image = id WHERE registry = ? AND path = ? AND known_digest.manifest = ?"
                                    " ORDER BY known DESC"));
  rows.bind(name.registry).bind(name.path).bind(name.digest.hex());
  std::vector<ImageRow> images;
  while (TRY(rows.step())) {
    auto image = TRY(image_from(rows));
    images.push_back(std::move(image));
  }
  return images;
}

Result<std::vector<ImageRow>> ImageTable::list() {
  auto database = database_.lock();
  auto rows = TRY(database->prepare("SELECT " MICA_IMAGE_COLUMNS " FROM image ORDER BY created DESC, added DESC, id"));
  std::vector<ImageRow> images;
  while (TRY(rows.step())) {
    auto image = TRY(image_from(rows));
    images.push_back(std::move(image));
  }
  return images;
}

Result<std::vector<NameRow>> ImageTable::names() {
  auto database = database_.lock();
  auto rows = TRY(database->prepare("SELECT registry, path, tag, image, tagged FROM name ORDER BY registry, path, tag"));
  std::vector<NameRow> names;
  while (TRY(rows.step())) {
    NameRow& name = names.emplace_back();
    name.reference = {.registry = rows.text(0), .path = rows.text(1), .tag = rows.text(2)};
    name.id.digest = TRY(digest_of(rows.text(3)));
    name.tagged.ns = rows.integer(4);
  }
  return names;
}

Result<std::vector<oci::Reference>> ImageTable::names_of(const oci::ImageId& id) {
  auto database = database_.lock();
  auto rows = TRY(database->prepare("SELECT registry, path, tag FROM name WHERE image = ? ORDER BY registry, path, tag"));
  rows.bind(id.digest.hex());
  std::vector<oci::Reference> names;
  while (TRY(rows.step())) names.push_back({.registry = rows.text(0), .path = rows.text(1), .tag = rows.text(2)});
  return names;
}

Result<std::vector<std::string>> ImageTable::repositories_with(const oci::ImageId& id, const std::string& registry) {
  std::vector<std::string> paths;
  auto database = database_.lock();
  auto rows = TRY(database->prepare("SELECT DISTINCT path FROM known_digest WHERE image = ? AND registry = ? ORDER BY path"));
  rows.bind(id.digest.hex()).bind(registry);
  while (TRY(rows.step())) paths.push_back(rows.text(0));
  return paths;
}

Result<bool> ImageTable::remove_name(const oci::Reference& name) {
  auto database = database_.lock();
  auto transaction = TRY(database->begin());
  if (!name.digest.empty()) {
    auto drop = TRY(database->prepare("DELETE FROM known_digest WHERE registry = ? AND path = ? AND manifest = ?"));
    TRY(drop.bind(name.registry).bind(name.path).bind(name.digest.hex()).run());
    const bool removed = database->changes() > 0;
    TRY(std::move(transaction).commit());
    return removed;
  }
  const auto image = TRY(image_named(*database, name));
  if (!image) return false;
  auto drop = TRY(database->prepare("DELETE FROM name WHERE registry = ? AND path = ? AND tag = ?"));
  TRY(drop.bind(name.registry).bind(name.path).bind(name.tag).run());
  auto digests = TRY(database->prepare("DELETE FROM known_digest WHERE image = ?1 AND registry = ?2 AND path = ?3"
                                       " AND NOT EXISTS (SELECT 1 FROM name WHERE image = ?1 AND registry = ?2 AND path = ?3)"));
  TRY(digests.bind(image->digest.hex()).bind(name.registry).bind(name.path).run());
  TRY(std::move(transaction).commit());
  return true;
}

Result<> ImageTable::remove(const oci::ImageId& id) {
  auto database = database_.lock();
  auto drop = TRY(database->prepare("DELETE FROM image WHERE id = ?"));
  return drop.bind(id.digest.hex()).run();
}

}  // namespace mica::store
