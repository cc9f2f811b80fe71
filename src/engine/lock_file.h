/// mica.lock: which digest each base image name of the Dockerfiles beside it stands for. Format: docs/formats/lock.md.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "oci/digest.h"
#include "oci/reference.h"

namespace mica::engine {

inline constexpr std::string_view kLockFileName = "mica.lock";

struct LockedImage {
  oci::Reference reference;              ///< in full, with tag: where the digest was found
  oci::Digest digest;                    ///< of the index, or of the manifest of an image for one platform
  std::string media_type;
  std::optional<Timestamp> created;      ///< of the image config
  Timestamp resolved;
  std::vector<std::string> on_build;     ///< the image's triggers, which may need images in turn
  bool operator==(const LockedImage&) const = default;
};

struct LockFile {
  std::map<std::string, LockedImage> images;                 ///< by key
  std::map<std::string, std::vector<std::string>> files;     ///< Dockerfile (its name in the folder) to the keys that it needs, sorted

  /// How an image is called here, whatever way it was written: Docker's short form with tag, "alpine:3.20".
  static std::string key(const oci::Reference& name) { return name.familiar(); }
  /// Errors: corrupt (names `path` and what is wrong), unsupported (a later version).
  static Result<LockFile> parse(const std::string& path, std::string_view text);
  /// Nothing when there is no such file. Errors: as parse; permission_denied.
  static Result<std::optional<LockFile>> read(const std::string& path);
  /// Sorted, a member a line: meant for version control.
  std::string text() const;
  /// Drops images that no file needs.
  void tidy();
  bool operator==(const LockFile&) const = default;
};

/// The lock that goes with a Dockerfile: in its folder.
std::string lock_path_for(const std::string& dockerfile);

}  // namespace mica::engine
