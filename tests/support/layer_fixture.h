/// A state folder with a layer store, and ways to make layers and tars in a line or two.
#pragma once
#include <doctest/doctest.h>
#include <fcntl.h>

#include <string>
#include <vector>

#include "archive/tar.h"
#include "base/format.h"
#include "base/text.h"
#include "snapshot/layer_store.h"
#include "snapshot/layer_tar.h"
#include "snapshot/layer_writer.h"
#include "stream/stream.h"

/// Lists of lines in messages of failed checks.
template <>
struct doctest::StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& lines) { return ("\n  " + mica::join(lines, "\n  ") + "\n").c_str(); }
};

namespace mica::testing {

inline db::Database open_layer_database(const std::string& path) {
  static constexpr std::string_view kLease =
      "CREATE TABLE lease (token TEXT, layer TEXT, PRIMARY KEY (token, layer)) STRICT, WITHOUT ROWID;\n";
  const std::string sql = std::string(snapshot::kSchemaSql) + std::string(kLease);
  const std::string_view migrations[] = {sql};
  auto database = db::Database::open(path, {migrations});
  REQUIRE(database.has_value());
  return std::move(*database);
}

/// The value, or the test ends with the error's text.
template <class T>
T must(Result<T> result) {
  REQUIRE_MESSAGE(result.has_value(), result.error().full_text());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

struct LayerFixture {
  explicit LayerFixture(int threads = 2) : pool(threads) {}
  sys::TempDir dir = must(sys::TempDir::create("/tmp", "mica-layers"));
  Guarded<db::Database> database{open_layer_database(dir.path() + "/mica.db")};
  snapshot::LayerStore layers = open();
  task::Pool pool;

  snapshot::LayerStore open() {
    must(sys::make_directories(dir.path() + "/ingest/1"));
    return snapshot::LayerStore(dir.path(), dir.path() + "/ingest/1", database);
  }
  snapshot::Listing scan(const std::string& fs) {
    const auto root = must(sys::open(fs, O_RDONLY | O_DIRECTORY));
    return must(snapshot::scan_layer(root, pool, {}));
  }
  Result<snapshot::Applied> apply(std::string tar, const snapshot::Chain& below = {}) {
    stream::MemorySource source(std::move(tar));
    return snapshot::apply_layer_tar(source, layers, below, pool, {});
  }
  std::string tar_of(const snapshot::LayerId& id) {
    stream::MemorySink sink;
    must(snapshot::write_layer_tar(must(layers.listing(id)), layers.directory(id), sink, {}));
    return sink.take();
  }
  std::string tree_tar_of(const snapshot::Chain& chain) {
    stream::MemorySink sink;
    must(snapshot::write_tree_tar(must(layers.view(chain)), sink, {}));
    return sink.take();
  }
};

/// One line an entry: type, path, octal mode, owner, size, target, marks. For comparing at a glance.
inline std::string line_of(const snapshot::EntryView& entry) {
  std::string line = format("{} {}", "fdlcbpw"[static_cast<int>(entry.type)], entry.path);
  if (entry.type == snapshot::Type::whiteout) return line;
  if (entry.type != snapshot::Type::symlink) line += format(" {:o}", entry.mode);
  if (entry.uid || entry.gid) line += format(" {}:{}", entry.uid, entry.gid);
  if (entry.type == snapshot::Type::file) line += format(" {}", entry.size);
  if (!entry.link.empty()) line += format(" -> {}", entry.link);
  if (!entry.hard_link.empty()) line += format(" = {}", entry.hard_link);
  if (entry.device) line += format(" {:x}", entry.device);
  if (entry.opaque) line += " opaque";
  return line;
}
using Lines = std::vector<std::string>;
inline Lines lines_of(const snapshot::Listing& listing) {
  Lines lines;
  for (std::size_t i = 0; i < listing.size(); ++i) lines.push_back(line_of(listing[i]));
  return lines;
}
inline Lines lines_of(const snapshot::TreeView& tree) {
  Lines lines;
  tree.walk("", [&](const snapshot::TreeView::Found& found) {
    lines.push_back(line_of(found.entry));
    return true;
  });
  return lines;
}
/// Every field of every entry.
inline void check_same(const snapshot::Listing& a, const snapshot::Listing& b) {
  CHECK(lines_of(a) == lines_of(b));
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const auto x = a[i], y = b[i];
    CAPTURE(x.path);
    CHECK(x.path == y.path);
    CHECK(x.mtime_ns == y.mtime_ns);
    CHECK(x.hard_link == y.hard_link);
    CHECK(x.xattrs == y.xattrs);
    CHECK(x.identity() == y.identity());
  }
}

struct TarItem {
  archive::Entry entry;
  std::string content;
};
inline std::string tar(const std::vector<TarItem>& items) {
  stream::MemorySink sink;
  archive::TarWriter writer(sink);
  for (TarItem item : items) {
    item.entry.size = item.content.size();
    must(writer.add(item.entry));
    must(writer.write({reinterpret_cast<const unsigned char*>(item.content.data()), item.content.size()}));
  }
  must(writer.finish());
  return sink.take();
}
inline TarItem tar_file(std::string path, std::string content = "", std::uint32_t mode = 0644) {
  return {{.path = std::move(path), .mode = mode}, std::move(content)};
}
inline TarItem tar_folder(std::string path, std::uint32_t mode = 0755) {
  return {{.type = archive::EntryType::directory, .path = std::move(path), .mode = mode}, ""};
}
inline TarItem tar_symlink(std::string path, std::string target) {
  return {{.type = archive::EntryType::symlink, .path = std::move(path), .link = std::move(target), .mode = 0777}, ""};
}
inline TarItem tar_link(std::string path, std::string target, std::uint32_t mode = 0644) {
  return {{.type = archive::EntryType::hard_link, .path = std::move(path), .link = std::move(target), .mode = mode}, ""};
}

}  // namespace mica::testing
