// Layers of the store: their listings have all that is asked for.
#include <fcntl.h>

#include "analyze/tar_layer.h"
#include "base/format.h"
#include "base/text.h"
#include "build/report.h"
#include "engine/analyze_sources.h"
#include "engine/images.h"
#include "store/layer_blobs.h"
#include "sys/fd.h"

namespace mica::engine {
namespace {

analyze::Kind kind_of(snapshot::Type type) {
  switch (type) {
    case snapshot::Type::file: return analyze::Kind::file;
    case snapshot::Type::directory: return analyze::Kind::directory;
    case snapshot::Type::symlink: return analyze::Kind::symlink;
    default: return analyze::Kind::device;
  }
}

std::string packed(std::string_view xattrs) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (auto& one : snapshot::unpack_xattrs(xattrs)) pairs.emplace_back(std::move(one.name), std::move(one.value));
  return analyze::pack_xattrs(std::move(pairs));
}

analyze::Entry entry_of(const snapshot::EntryView& view) {
  analyze::Entry entry{.path = std::string(view.path), .kind = kind_of(view.type), .opaque = view.opaque, .mode = view.mode, .uid = view.uid, .gid = view.gid,
                       .mtime_ns = view.mtime_ns, .link = std::string(view.link)};
  if (view.type == snapshot::Type::file) {
    entry.digest = view.digest;
    entry.hard_link = view.hard_link;
    if (entry.hard_link.empty()) entry.size = entry.archived_size = view.size;
  }
  if (!view.xattrs.empty()) entry.xattrs = packed(view.xattrs);
  return entry;
}

/// Of the blob that the layer came or was sent as, if it is compressed.
Result<> add_blob(Engine& engine, const oci::DiffId& diff_id, analyze::Layer& layer) {
  const auto blobs = TRY(store::LayerBlobs(engine.database()).find(diff_id));
  for (const auto& blob : blobs) {
    if (!blob.media_type.ends_with("gzip") && !blob.media_type.ends_with("zstd")) continue;
    layer.digest = blob.digest.str();
    layer.media_type = blob.media_type;
    layer.compressed_bytes = blob.size;
    break;
  }
  return {};
}

/// Lines and times of the steps, from the record of the build.
Result<> add_steps(Engine& engine, const store::ImageRow& row, analyze::Image& image) {
  const auto report = TRY(build::Reports(engine.database()).of_image(row.id.digest.hex()));
  if (!report) return {};
  for (std::size_t i = 0; i < row.layers.size(); ++i)
    for (const auto& step : report->steps) {
      if (step.record.empty() || step.layer != row.layers[i]) continue;
      image.layers[i].line = step.line;
      image.layers[i].instruction = step.text;
      if (step.outcome == build::Outcome::done) image.layers[i].duration_ns = step.duration_ns;
    }
  return {};
}

}  // namespace

Result<analyze::Layer> read_stored_layer(Engine& engine, const snapshot::LayerId& id, const ReadImage& request) {
  const auto listing = TRY_DOING(engine.layers().listing(id), format("reading layer {}", id));
  analyze::Layer layer;
  layer.entries.reserve(listing.size());
  std::optional<sys::Fd> root;
  for (std::size_t i = 0; i < listing.size(); ++i) {
    const auto view = listing[i];
    if (view.path.empty())
      return fail(Error(Errc::corrupt, format("the listing of layer {} is damaged", id)).with_hint("'mica fsck' tells what is damaged"));
    if (view.type == snapshot::Type::whiteout) {
      layer.whiteouts.emplace_back(view.path);
      continue;
    }
    layer.entries.push_back(entry_of(view));
    if (!request.wanted || view.type != snapshot::Type::file || view.size > analyze::kMaxKeptBytes || !request.wanted(view.path)) continue;
    if (!root) root = TRY(sys::open(engine.layers().directory(id), O_DIRECTORY | O_RDONLY));
    const auto file = TRY(sys::open_strict(*root, std::string(view.path), O_RDONLY));
    layer.contents[std::string(view.path)] = TRY(sys::read_fd(file, analyze::kMaxKeptBytes));
  }
  return layer;
}

Result<LayeredImage> read_stored_image(Engine& engine, const store::ImageRow& row, const ReadImage& request, task::Cancel cancel) {
  auto config = TRY(read_config(engine, row.id));
  LayeredImage out = TRY(outline(std::move(config), request.what));
  out.image.id = row.id.digest.str();
  out.image.digest = row.manifest.str();
  if (row.layers.size() != out.image.layers.size())
    return failf(Errc::corrupt, "image {} has {} layers, its config {}", row.id.digest.short_hex(), row.layers.size(), out.image.layers.size());
  for (std::size_t i = 0; i < row.layers.size(); ++i) {
    TRY(cancel.check());
    auto layer = TRY(read_stored_layer(engine, row.layers[i], request));
    analyze::Layer& told = out.image.layers[i];
    told.entries = std::move(layer.entries);
    told.whiteouts = std::move(layer.whiteouts);
    told.contents = std::move(layer.contents);
    TRY(add_blob(engine, out.config.diff_ids[i], told));
  }
  TRY(add_steps(engine, row, out.image));
  if (!row.manifest.empty() && engine.blobs().has(row.manifest)) {
    const std::string bytes = TRY(engine.blobs().read(row.manifest));
    if (auto manifest = oci::Manifest::parse(bytes)) out.annotations = std::move(manifest->annotations);
  }
  return out;
}

}  // namespace mica::engine
