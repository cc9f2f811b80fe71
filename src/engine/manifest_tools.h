/// `manifest create`, `annotate`, `inspect`, `push` and `rm`: Docker's way to an index, by lists that are kept here until they are pushed.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/copy_session.h"
#include "engine/manifest_lists.h"

namespace mica::engine {

struct CreateManifestList {
  std::string list;
  std::vector<std::string> manifests;
  bool amend = false, insecure = false;
};
/// Reads the manifests at their registries and keeps them under the list's name, which is returned in full. With `amend` they join the ones of a list that
/// is there. Errors: conflict (there is one), invalid_argument ("X is a manifest list"), not_found, those of registry::Repository.
Result<oci::Reference> create_manifest_list(CopySession& session, const ManifestLists& lists, const CreateManifestList& request, task::Cancel cancel);

struct AnnotateManifest {
  std::string list, manifest;
  std::string os, architecture, variant, os_version;   ///< empty: as it is
  std::vector<std::string> os_features;
};
/// Errors: not_found; invalid_argument ("unsupported os/arch combination").
Result<> annotate_manifest(const ManifestLists& lists, const AnnotateManifest& request);

struct InspectManifest {
  std::string list;                      ///< not empty: `manifest` is one of this local list
  std::string manifest;                  ///< a local list, else what a registry has
  bool verbose = false, insecure = false;
};
/// The JSON text that docker prints. Errors: not_found ("no such manifest: X"), those of registry::Repository.
Result<std::string> inspect_manifest(CopySession& session, const ManifestLists& lists, const InspectManifest& request, task::Cancel cancel);

struct PushManifestList {
  std::string list;
  bool purge = false, insecure = false;
};
/// Copies what the list names into the list's repository, then puts the list there, as an OCI index unless all in it is Docker's. `pushed` is told
/// of each manifest that comes from another repository: "X with digest: sha256:...". Returns the list's digest.
/// Errors: not_found ("No such manifest: X"), those of registry::Repository.
Result<oci::Digest> push_manifest_list(CopySession& session, const ManifestLists& lists, const PushManifestList& request,
                                       const std::function<void(std::string)>& pushed, task::Cancel cancel);

/// Errors: not_found ("No such manifest: X").
Result<> remove_manifest_list(const ManifestLists& lists, const std::string& name);

}  // namespace mica::engine
