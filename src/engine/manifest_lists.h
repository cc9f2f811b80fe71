/// Manifest lists under construction: what `manifest create` makes and `manifest push` sends. Format: docs/formats/manifest-lists.md.
///
/// One file a list, in the folder `manifests` of the state folder, replaced as a whole; a lock file beside them orders those who change lists. The store
/// itself is not needed, so nothing here wants root or a user namespace.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "json/json.h"
#include "oci/reference.h"
#include "sys/lock.h"

namespace mica::engine {

struct ListedManifest {
  oci::Reference reference;
  json::Value descriptor;                ///< in OCI's order, with its platform
  std::string raw;                       ///< the manifest's bytes
};
struct ManifestList {
  oci::Reference name;
  std::vector<ListedManifest> manifests;
  ListedManifest* find(const oci::Reference& reference);
  /// Replaces the one of the same reference. The order is that of docker, by file names of its store, so that equal lists get equal digests.
  void put(ListedManifest manifest);
};

class ManifestLists {
 public:
  /// `root` is the state folder, which need not be there.
  explicit ManifestLists(std::string root) : folder_(std::move(root) + "/manifests") {}
  /// Held while a list is read and changed.
  Result<sys::FileLock> lock() const;
  /// Errors: corrupt (names the file), permission_denied.
  Result<std::optional<ManifestList>> read(const oci::Reference& name) const;
  Result<> write(const ManifestList& list) const;
  /// False: there was none.
  Result<bool> remove(const oci::Reference& name) const;

 private:
  std::string path_of(const oci::Reference& name) const;
  std::string folder_;
};

}  // namespace mica::engine
