/// Base images by the digests of a lock file: what `build` asks for goes through here first.
#pragma once
#include <optional>
#include <string>

#include "build/base_images.h"
#include "build/context.h"
#include "engine/lock_file.h"
#include "engine/lock_questions.h"

namespace mica::engine {

/// The lock that counts for this build: the one beside the Dockerfile, when it has an entry for it. None for a Dockerfile that came by standard
/// input or from a URL. Errors: those of LockFile::read.
Result<std::optional<LockFile>> find_lock(const build::ContextRequest& request, const build::Context& context);

/// What --locked asks for: `lock` has every image that the Dockerfile `name` asks for in any stage, and none that it does not ask for; so `mica lock` would
/// change nothing. No lock is needed where no image is. Errors: conflict (names what is missing and what is too much); those of planning.
Result<> require_whole_lock(const dockerfile::File& file, const std::string& name, const std::optional<LockFile>& lock, const DockerfileQuestions& questions,
                            task::Pool& pool, task::Cancel cancel);

/// Turns names into name@digest. A name that has a digest, and images that were given to the build in place of others (docker-image://,
/// oci-layout://), are no business of the lock.
class LockedBases : public build::BaseImages {
 public:
  /// Both must outlive this.
  LockedBases(build::BaseImages& images, const std::optional<LockFile>& lock) : images_(images), lock_(lock) {}
  /// Errors: not_found (the lock does not have it: the hint says how it gets in); those of `images`.
  Result<build::BaseImage> resolve(const std::string& name, const oci::Platform& platform, task::Cancel cancel) override;
  Result<snapshot::Chain> layers(const build::BaseImage& image, task::Cancel cancel) override { return images_.layers(image, std::move(cancel)); }

 private:
  build::BaseImages& images_;
  const std::optional<LockFile>& lock_;
};

}  // namespace mica::engine
