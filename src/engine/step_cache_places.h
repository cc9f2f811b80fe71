/// Where step caches are: blobs by digest, and one root document.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/build_image.h"
#include "engine/engine.h"
#include "oci/image.h"
#include "registry/client.h"
#include "stream/stream.h"

namespace mica::engine {

/// Thread-safe. Errors of all: those of the registry or the disk, cancelled.
class CachePlace {
 public:
  virtual ~CachePlace() = default;
  virtual std::string name() const = 0;                       ///< for people
  /// The root document, byte for byte; nothing: there is none yet.
  virtual Result<std::optional<std::string>> root(task::Cancel cancel) = 0;
  virtual Result<> set_root(std::string_view bytes, task::Cancel cancel) = 0;
  virtual Result<bool> has(const oci::Digest& blob, task::Cancel cancel) = 0;
  /// A small blob, verified. Errors: corrupt, not_found, resource_exhausted.
  virtual Result<std::string> read(const oci::Descriptor& blob, std::size_t limit, task::Cancel cancel) = 0;
  /// A large one, not verified, read while it comes. The place must outlive the source. Errors (some of them only when it is read): not_found.
  virtual Result<std::unique_ptr<stream::Source>> open(const oci::Descriptor& blob, task::Cancel cancel) = 0;
  /// Takes a blob unless it is there. `known`: its digest when that is known before. Returns digest and size.
  virtual Result<oci::Descriptor> put(const oci::Digest& known, registry::Replayable& body, task::Cancel cancel) = 0;
  /// Blobs that the root named before and names no longer.
  virtual Result<> forget(const std::vector<oci::Digest>& blobs) = 0;
};

/// The repository of `store.reference`, whose tag names the root. Blobs that nothing names are the registry's to remove.
/// Errors: those of registry::Hosts.
Result<std::unique_ptr<CachePlace>> open_registry_cache(Engine& engine, const CacheStore& store, bool to);
/// An OCI image layout in `store.path`. It is made when it is written to. Errors: conflict (the folder holds other things).
Result<std::unique_ptr<CachePlace>> open_layout_cache(Engine& engine, const CacheStore& store, bool to);
Result<std::unique_ptr<CachePlace>> open_cache_place(Engine& engine, const CacheStore& store, bool to);

}  // namespace mica::engine
