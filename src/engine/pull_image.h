/// `pull`: an image from a registry into the store.
#pragma once
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/transfer.h"

namespace mica::engine {

struct PullImage {
  std::string name;                      ///< NAME[:TAG][@DIGEST]
  std::string platform;                  ///< empty: the host's
  bool all_tags = false;
};
struct Pulled {
  oci::Reference reference;
  oci::Digest digest;                    ///< what the reference names there: an index's when it is one
  oci::ImageId id;
  bool is_new = false;                   ///< false: it was here and up to date
};
/// `begin` (may be empty) is called once for each reference, before its first layer is looked at.
/// Errors: invalid_argument, not_found, unauthorized, permission_denied, unavailable, corrupt, unsupported, resource_exhausted, cancelled.
/// After an error nothing of the image is visible.
Result<std::vector<Pulled>> pull_images(Engine& engine, const PullImage& request, const std::function<void(const oci::Reference&)>& begin,
                                        const TransferEvents& events, task::Cancel cancel);

}  // namespace mica::engine
