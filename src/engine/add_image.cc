#include "engine/add_image.h"

#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "engine/image_trend.h"
#include "snapshot/layer_tar.h"
#include "stream/compression.h"

namespace mica::engine {

Result<oci::DiffId> add_layer(Engine& engine, snapshot::Chain& chain, stream::Source& from, const oci::DiffId& expected, task::Cancel cancel) {
  stream::PeekSource peeked(from);
  const std::string_view magic = TRY(peeked.peek(6));
  const auto kind = stream::detect(magic);
  std::unique_ptr<stream::Source> plain;
  if (kind != stream::Compression::none) plain = TRY(stream::decompress(peeked, kind));
  stream::Source& tar = plain ? *plain : peeked;
  const auto which = expected.digest.empty() ? snapshot::DiffIdOf::canonical : snapshot::DiffIdOf::tar;
  auto applied = TRY(snapshot::apply_layer_tar(tar, engine.layers(), chain, engine.pool(), cancel, which));
  if (!expected.digest.empty() && applied.diff_id != expected)
    return failf(Errc::corrupt, "the layer's content does not match the image config\n  expected: {}\n  actual:   {}", expected.digest.str(),
                 applied.diff_id.digest.str());
  chain.push_back(applied.layer.id);
  TRY(engine.workspace().lease(engine.database(), {applied.layer.id}));
  return applied.diff_id;
}

Result<oci::ImageId> add_image(Engine& engine, const snapshot::Chain& chain, const oci::ImageConfig& config, const std::string& config_bytes,
                               const std::vector<oci::Reference>& names, const oci::Digest& manifest) {
  store::ImageRow row{.id = {oci::Digest::of(config_bytes)}, .layers = chain, .manifest = manifest};
  if (!chain.empty()) TRY(engine.workspace().lease(engine.database(), chain));
  for (const auto& layer : chain) {
    const auto info = TRY(engine.layers().info(layer));
    row.bytes += info.bytes;
  }
  row.created = config.created.value_or(Timestamp{});
  row.added = now();
  row.platform = config.platform;
  row.labels = config.labels;
  TRY_DOING(engine.blobs().put(config_bytes), "storing the image config");
  TRY(engine.layers().make_durable());
  TRY(engine.images().put(row, names));
  remember_names(engine, row, names);
  return row.id;
}

Result<std::optional<Timestamp>> source_date_epoch() {
  const char* text = std::getenv("SOURCE_DATE_EPOCH");
  if (!text || !*text) return std::optional<Timestamp>();
  const auto seconds = parse_int(text);
  if (!seconds || *seconds < 0) return failf(Errc::invalid_argument, "SOURCE_DATE_EPOCH={} is not a number of seconds", quoted(text));
  return std::optional(Timestamp::from_seconds(*seconds));
}

}  // namespace mica::engine
