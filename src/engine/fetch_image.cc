#include "engine/fetch_image.h"

#include <set>

#include "base/format.h"
#include "base/text.h"
#include "engine/add_image.h"
#include "engine/document_parts.h"

namespace mica::engine {
namespace {

constexpr int kMaxIndexDepth = 3;
constexpr std::size_t kMaxConfigBytes = 8 << 20;

oci::Reference with_digest(oci::Reference reference, const oci::Digest& digest) {
  reference.tag.clear();
  reference.digest = digest;
  return reference;
}

Result<> check_layer_types(const oci::Manifest& manifest) {
  for (const auto& layer : manifest.layers) {
    const std::string_view type = layer.media_type;
    const bool known = type == oci::kOciLayer || type == oci::kOciLayerGzip || type == oci::kOciLayerZstd || type == oci::kDockerLayer ||
                       type == oci::kDockerLayerPlain || type == oci::kDockerLayerZstd || type.starts_with(oci::kOciForeign) || type.starts_with(oci::kDockerForeign);
    if (!known)
      return fail(Error(Errc::unsupported, format("a layer of type {} is no file system", quoted(type.substr(0, 200))))
                      .with_hint("this is an artifact, not an image: 'mica copy' moves it as it is"));
  }
  return {};
}

}  // namespace

Result<registry::Document> choose_manifest(const registry::Repository& repository, const registry::Document& top, const oci::Platform& platform,
                                           task::Cancel cancel) {
  registry::Document document = top;
  for (int depth = 0; is_index(document.media_type); ++depth) {
    if (depth == kMaxIndexDepth) return fail(Errc::unsupported, "indexes nested too deep");
    const auto index = TRY(oci::Index::parse(document.bytes));
    const auto entry = TRY(choose_entry(index, platform));
    document = TRY(repository.document({.digest = entry.digest}, cancel));
  }
  return document;
}

Result<FoundRemote> find_remote(Engine& engine, const oci::Reference& reference, task::Cancel cancel) {
  auto repository = TRY(engine.registry().open(reference, registry::Access::pull));
  auto top = TRY(repository.document(reference, cancel));
  return FoundRemote{std::move(repository), std::move(top)};
}

Result<RemoteImage> open_remote(FoundRemote found, const oci::Reference& reference, const oci::Platform& platform, task::Cancel cancel) {
  auto chosen = TRY_DOING(choose_manifest(found.repository, found.top, platform, cancel), reference.familiar());
  RemoteImage image{.reference = reference, .top = std::move(found.top), .manifest = std::move(chosen), .repository = std::move(found.repository)};
  image.parsed = TRY_DOING(oci::Manifest::parse(image.manifest.bytes), format("reading the manifest of {}", reference.familiar()));
  if (image.parsed.config.media_type != oci::kOciConfig && image.parsed.config.media_type != oci::kDockerConfig)
    return fail(Error(Errc::unsupported, format("{} is no image: its config is of type {}", reference.familiar(), quoted(image.parsed.config.media_type.substr(0, 200))))
                    .with_hint("'mica copy' moves artifacts of any type"));
  TRY_DOING(check_layer_types(image.parsed), reference.familiar());
  image.config_bytes = TRY_DOING(image.repository.read_small(image.parsed.config, kMaxConfigBytes, cancel), format("reading the config of {}", reference.familiar()));
  image.config = TRY_DOING(oci::ImageConfig::parse(image.config_bytes), format("reading the config of {}", reference.familiar()));
  if (image.config.diff_ids.size() != image.parsed.layers.size())
    return failf(Errc::corrupt, "{}: the manifest lists {} layers, the image config {}", reference.familiar(), image.parsed.layers.size(), image.config.diff_ids.size());
  if (!image.config.platform.architecture.empty() && !oci::matches(platform, image.config.platform))
    return fail(Error(Errc::not_found, format("no matching manifest for {}: {} is an image for {}", platform.str(), reference.familiar(), image.config.platform.str()))
                    .with_hint(format("--platform {} takes it", image.config.platform.str())));
  return image;
}

Result<oci::ImageId> enter_remote(Engine& engine, const RemoteImage& image, const snapshot::Chain& chain, const oci::Reference& name) {
  std::vector<oci::Reference> names = {with_digest(image.reference, image.top.digest)};
  if (image.manifest.digest != image.top.digest) names.push_back(with_digest(image.reference, image.manifest.digest));
  if (!name.tag.empty()) names.push_back(name);
  TRY_DOING(engine.blobs().put(image.manifest.bytes, store::Sync::later), "storing the manifest");
  return add_image(engine, chain, image.config, image.config_bytes, names, image.manifest.digest);
}

Result<std::optional<store::ImageRow>> known_remote(Engine& engine, const oci::Reference& reference, const oci::Digest& top, const oci::Platform& platform) {
  auto rows = TRY(engine.images().with_digest(with_digest(reference, top)));
  for (auto& row : rows)
    if (oci::matches(platform, row.platform)) return std::optional(std::move(row));
  return std::optional<store::ImageRow>();
}

}  // namespace mica::engine
