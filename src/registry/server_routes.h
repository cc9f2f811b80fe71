/// Which endpoint of the OCI Distribution Spec (v1.1, "Endpoints") a path names.
#pragma once
#include <string>
#include <string_view>

namespace mica::registry {

struct Route {
  enum class Kind {
    none,         ///< not of this API
    base,         ///< /v2/
    catalog,      ///< /v2/_catalog
    document,     ///< /v2/NAME/manifests/REFERENCE
    blob,         ///< /v2/NAME/blobs/DIGEST
    uploads,      ///< /v2/NAME/blobs/uploads/
    upload,       ///< /v2/NAME/blobs/uploads/ID
    tags,         ///< /v2/NAME/tags/list
    referrers,    ///< /v2/NAME/referrers/DIGEST
  };
  Kind kind = Kind::none;
  std::string repository;      ///< NAME, not checked
  std::string reference;       ///< the last part, not checked
};

/// `path` is decoded. A NAME may have parts such as "manifests" itself: what stands last decides.
Route route_of(std::string_view path);

/// The methods of a kind, as the Allow header lists them.
std::string_view methods_of(Route::Kind kind);

/// Grammar of names (at most 255 bytes) and tags in the spec, "Pulling manifests".
bool is_repository_name(std::string_view text);
bool is_tag(std::string_view text);

}  // namespace mica::registry
