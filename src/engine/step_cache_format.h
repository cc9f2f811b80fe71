/// What a step cache holds, and its form: docs/formats/step-cache.md.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "oci/image.h"

namespace mica::engine {

/// What any version's config type begins with.
inline constexpr std::string_view kStepCacheTypes = "application/vnd.mica.step-cache.";
inline constexpr std::string_view kStepCacheType = "application/vnd.mica.step-cache.v2+zstd";
inline constexpr std::string_view kKeyPartsType = "application/vnd.mica.key-parts.v1+zstd";
inline constexpr std::string_view kStepLogType = "application/vnd.mica.step-log.v1+zstd";

/// Key parts or a log, neither compressed when it is inline. Neither text nor blob: there is none.
struct CachedText {
  std::string text;
  oci::Descriptor blob;                  ///< zstd-compressed
  bool empty() const { return text.empty() && blob.digest.empty(); }
  bool operator==(const CachedText&) const = default;
};

/// One step's result.
struct CachedStep {
  std::string strong, weak;              ///< build/key.h
  std::string tree_key;                  ///< build::Step::tree_key; may be empty
  std::string instruction;
  std::int64_t duration_ns = 0;
  Timestamp created, used;               ///< of the execution; when a build last wrote or found it here
  oci::DiffId diff_id;
  oci::Descriptor layer;
  std::string layer_data;                ///< the layer's blob, when it is so small that it is kept in the list; empty: it is one of its own
  std::string content_id;                ///< snapshot::LayerInfo
  Timestamp layer_created;
  CachedText parts, log;
  bool operator==(const CachedStep&) const = default;
};
using CachedSteps = std::vector<CachedStep>;

/// The blobs that a step needs beside the list.
std::vector<const oci::Descriptor*> blobs_of(const CachedStep& step);

/// The config blob. Two equal lists give equal bytes.
Result<std::string> write_step_cache_config(const CachedSteps& steps);
/// Errors: corrupt, resource_exhausted.
Result<CachedSteps> read_step_cache_config(std::string_view bytes);
/// The manifest: names all blobs, so that no registry takes them for garbage.
std::string write_step_cache_manifest(const oci::Descriptor& config, const CachedSteps& steps);
/// The descriptor of the config. Errors: conflict (the document is something else: an image, another program's cache), unsupported (a newer or older
/// version), corrupt.
Result<oci::Descriptor> step_cache_config_of(std::string_view manifest);

/// Limits of what others have written, and what a build adds to what is there.
inline constexpr std::size_t kMaxCachedSteps = 1000;
inline constexpr std::int64_t kMaxCachedLayerBytes = std::int64_t{20} << 30;   ///< compressed
inline constexpr std::int64_t kMaxUnusedDays = 30;
/// `mine` and, as far as the limits allow, the others of `known`, last used first. Of a step that both have, `mine` counts. The result is sorted by
/// strong key. `mine` stays whole.
CachedSteps merge_cached_steps(const CachedSteps& known, CachedSteps mine, Timestamp now);

}  // namespace mica::engine
