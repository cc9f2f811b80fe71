/// Names inside the state folder. Constants live here once; format history in docs/formats/store.md.
#pragma once
#include <string>
#include <string_view>

namespace mica::engine {

inline constexpr std::string_view kDatabaseFile = "mica.db";
inline constexpr std::string_view kRuntimeFile = "runtime.json";   ///< which OCI runtime was chosen, see runtime/oci_runtime.h
inline constexpr std::string_view kLayersFolder = "layers";
inline constexpr std::string_view kBlobsFolder = "blobs";
inline constexpr std::string_view kIngestFolder = "ingest";
inline constexpr std::string_view kPartialFolder = "partial";     ///< downloads that broke off, under the blob's hex digits
inline constexpr std::string_view kLocksFolder = "locks";
inline constexpr std::string_view kCacheMountsFolder = "cache-mounts";
inline constexpr std::string_view kVolumesFolder = "volumes";
inline constexpr std::string_view kContainersFolder = "containers";

/// $MICA_ROOT, else /var/lib/mica for root, else $XDG_DATA_HOME/mica or ~/.local/share/mica. `rootless_uid` semantics: inside the
/// user namespace the original user's environment is still there, so the same rule applies with "root" meaning real root.
std::string default_root();

}  // namespace mica::engine
