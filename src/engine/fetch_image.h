/// An image at a registry: found first (manifest and config), its layers fetched when they are needed.
#pragma once
#include <memory>
#include <string>

#include "engine/engine.h"
#include "engine/transfer.h"
#include "oci/image.h"
#include "registry/client.h"

namespace mica::engine {

/// One platform's image, its config here already.
struct RemoteImage {
  oci::Reference reference;              ///< as asked for
  registry::Document top;                ///< what the reference names: a manifest or an index
  registry::Document manifest;           ///< the image's; equal to `top` when that is no index
  oci::Manifest parsed;
  oci::ImageConfig config;
  std::string config_bytes;
  registry::Repository repository;
};

/// The platform's manifest below `top` (nested indexes to a small depth; the best match; attestations are passed over).
/// Errors: not_found ("no matching manifest for linux/arm64/v8 in the manifest list entries": the hint lists what there is), unsupported, corrupt.
Result<registry::Document> choose_manifest(const registry::Repository& repository, const registry::Document& top, const oci::Platform& platform,
                                           task::Cancel cancel);

/// What the reference names. Errors: those of registry::Repository.
struct FoundRemote {
  registry::Repository repository;
  registry::Document top;
};
Result<FoundRemote> find_remote(Engine& engine, const oci::Reference& reference, task::Cancel cancel);

/// Fetches manifest and config of the wanted platform. Errors: as choose_manifest; unsupported (an artifact, or a layer type that is no
/// file system); corrupt (config and manifest do not fit).
Result<RemoteImage> open_remote(FoundRemote found, const oci::Reference& reference, const oci::Platform& platform, task::Cancel cancel);

/// Brings the layers into the store: several at once, each downloaded, verified and unpacked in one pass; those that are here are not fetched. A download
/// that breaks off leaves what it has, and the next one goes on from there. Returns the chain, leased. The caller holds off collection.
/// Errors: those of registry::Repository; corrupt (digest, DiffID, tar), resource_exhausted, cancelled.
Result<snapshot::Chain> fetch_layers(Engine& engine, const RemoteImage& image, const TransferEvents& events, task::Cancel cancel);

/// Enters image, names, manifest and index into the store. `name` (may be empty) is the tag that it gets.
Result<oci::ImageId> enter_remote(Engine& engine, const RemoteImage& image, const snapshot::Chain& chain, const oci::Reference& name);

/// The image of `top` (its digest in `repository`) for the platform, when it is here whole.
Result<std::optional<store::ImageRow>> known_remote(Engine& engine, const oci::Reference& reference, const oci::Digest& top, const oci::Platform& platform);

}  // namespace mica::engine
