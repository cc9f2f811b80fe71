#include "engine/asked_bases.h"

#include "base/format.h"
#include "engine/document_parts.h"

namespace mica::engine {
Result<oci::ImageConfig> read_remote_image_config(const RemoteDocument& found, const oci::Platform& platform, task::Cancel cancel) {
  registry::Document manifest = found.document;
  if (is_index(manifest.media_type)) {
    const auto index = TRY(oci::Index::parse(manifest.bytes));
    const auto entry = TRY(choose_entry(index, platform));
    manifest = TRY(found.repository.document({.registry = found.reference.registry, .path = found.reference.path, .digest = entry.digest}, cancel));
  }
  const auto value = TRY(read_remote_config(found.repository, manifest, cancel));
  if (value.is_null()) return fail(Errc::unsupported, "this is an artifact, not an image");
  return oci::ImageConfig::parse(json::write(value));
}

Result<LockedImage> resolve_at_registry(CopySession& session, const std::string& name, const oci::Platform& platform, task::Cancel cancel) {
  const auto candidates = TRY(session.registry.hosts().candidates(name));
  std::optional<Error> first;
  for (const auto& candidate : candidates) {
    auto found = read_remote_document(session, candidate, false, cancel);
    if (!found) {
      if (found.error().code() == Errc::cancelled) return fail(std::move(found).error());
      if (!first) first = std::move(found).error();
      continue;
    }
    auto config = TRY_DOING(read_remote_image_config(*found, platform, cancel), candidate.familiar());
    return LockedImage{.reference = candidate, .digest = found->document.digest, .media_type = found->document.media_type, .created = config.created,
                       .resolved = Timestamp::from_seconds(now().seconds()), .on_build = std::move(config.on_build)};
  }
  return fail(std::move(*first));
}

Result<build::BaseImage> AskedBases::resolve(const std::string& name, const oci::Platform& platform, task::Cancel cancel) {
  build::BaseImage image{.name = name, .id = {oci::Digest::of(name)}};
  image.config.platform = platform;
  if (name.find("://") != name.npos) return image;
  const auto reference = TRY(oci::Reference::parse(name));
  image.name = reference.str();
  image.id = {oci::Digest::of(image.name)};
  if (!reference.digest.empty()) return image;
  const std::string key = LockFile::key(reference);
  std::optional<LockedImage> locked = find(key);
  if (!locked && session_) locked = TRY(resolve_at_registry(*session_, name, platform, cancel));
  auto asked = asked_.lock();
  const auto [place, is_new] = asked->emplace(key, locked);   // whoever was first counts: the tag may be moving at this moment
  if (place->second) image.config.on_build = place->second->on_build;
  return image;
}

Result<snapshot::Chain> AskedBases::layers(const build::BaseImage& image, task::Cancel) { return failf(Errc::internal, "{} is planned only", image.name); }

std::optional<LockedImage> AskedBases::find(const std::string& key) {
  auto asked = asked_.lock();
  if (const auto found = asked->find(key); found != asked->end()) return found->second;
  if (const auto found = known_.find(key); found != known_.end()) return found->second;
  return std::nullopt;
}

}  // namespace mica::engine
