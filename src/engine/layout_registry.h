/// A registry's storage in an OCI layout folder (OCI Image Spec v1.1, image-layout.md), which skopeo, umoci and mica itself read and write as well.
///
/// - Blobs lie in blobs/sha256 for all repositories at once: what one has, the others have. A blob that some document needs is not removed.
/// - Repositories and tags are entries of index.json, see LayoutIndex. Manifests that an index in a repository names belong to that repository.
/// - index.json is replaced atomically, under an exclusive lock of the file oci-layout, which `mica copy` takes too; whoever reads takes none.
/// - Uploads are files in `.uploads`, each locked while it is written. What a killed server left there has no lock, and goes at the next start.
/// - A blob is synced, renamed into place, and its folder synced, before the push that brought it is answered.
#pragma once
#include <memory>
#include <string>

#include "base/error.h"
#include "registry/storage.h"

namespace mica::engine {

/// Makes the layout if there is none yet, unless `read_only`. Several processes may serve one folder.
/// Errors: conflict (a folder with other things), not_found (read_only), corrupt, permission_denied.
Result<std::unique_ptr<registry::Storage>> layout_registry(const std::string& folder, bool read_only);

}  // namespace mica::engine
