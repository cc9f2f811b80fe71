/// `rmi`.
#pragma once
#include <string>
#include <vector>

#include "engine/engine.h"

namespace mica::engine {

struct Removal {
  bool untagged = false;              ///< else deleted
  std::string what;                   ///< "alpine:3.20" or a digest
};
struct RemoveImage {
  std::string name;                   ///< name, or id (prefix)
  bool force = false;                 ///< an id with several names
  bool prune = true;                  ///< also remove layers that nothing needs any more
};
/// A name takes away that name, and the image with its last one; an id takes all names of one repository, or with `force` of all.
/// Errors: not_found, conflict.
Result<std::vector<Removal>> remove_image(Engine& engine, const RemoveImage& request);

/// ChainIDs (OCI Image Spec, config.md) of the first 1..n DiffIDs.
std::vector<oci::Digest> chain_ids(const std::vector<oci::DiffId>& diff_ids);
/// Which of the images' layers have vanished, top first, as "sha256:<ChainID>" lines.
std::vector<Removal> vanished_layers(Engine& engine, const store::ImageRow& image, const std::vector<oci::DiffId>& diff_ids);

}  // namespace mica::engine
