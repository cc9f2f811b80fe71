/// Stands in for the images while a Dockerfile is planned, to see what it asks for.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/guarded.h"
#include "build/base_images.h"
#include "engine/copy_session.h"
#include "engine/lock_file.h"
#include "engine/remote_documents.h"

namespace mica::engine {

/// Creation time, triggers and the like; of the image for `platform` where the document is an index.
/// Errors: not_found (the index has none for it), unsupported (an artifact), those of registry::Repository.
Result<oci::ImageConfig> read_remote_image_config(const RemoteDocument& found, const oci::Platform& platform, task::Cancel cancel);

/// What `name` stands for now, at the first of its registries that has it. Errors: those of registry::Repository.
Result<LockedImage> resolve_at_registry(CopySession& session, const std::string& name, const oci::Platform& platform, task::Cancel cancel);

/// Layers are never asked for. Thread-safe.
class AskedBases : public build::BaseImages {
 public:
  /// What is not `known` is looked up at its registry; without `session` it stays without a value.
  AskedBases(CopySession* session, std::map<std::string, LockedImage> known) : session_(session), known_(std::move(known)) {}

  /// Names with a digest and those of other kinds (docker-image://) are not noted. Errors: those of registry::Repository.
  Result<build::BaseImage> resolve(const std::string& name, const oci::Platform& platform, task::Cancel cancel) override;
  Result<snapshot::Chain> layers(const build::BaseImage& image, task::Cancel cancel) override;

  /// Every name that was asked for; without a value: it is not known.
  std::map<std::string, std::optional<LockedImage>> take() { return std::move(*asked_.lock()); }

 private:
  std::optional<LockedImage> find(const std::string& key);

  CopySession* const session_;
  const std::map<std::string, LockedImage> known_;
  Guarded<std::map<std::string, std::optional<LockedImage>>> asked_;
};

}  // namespace mica::engine
