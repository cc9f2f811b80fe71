/// `push`: images of the store to their registries.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/push_layers.h"

namespace mica::engine {

struct PushImage {
  std::string name;                      ///< NAME[:TAG]
  bool all_tags = false;
  std::string platform;                  ///< not empty: the image must be one for it
  LayerForm form;
};
struct Pushed {
  oci::Reference reference;
  oci::Digest digest;                    ///< of the manifest
  std::int64_t size = 0;                 ///< its bytes
};
/// `begin` (may be empty) is called once, with the repository, before anything is sent.
/// Errors: not_found (no such image here: the hint names near ones), and those of push_manifest.
Result<std::vector<Pushed>> push_images(Engine& engine, const PushImage& request, const std::function<void(const oci::Reference&)>& begin,
                                        const TransferEvents& events, task::Cancel cancel);

/// One image under one name; the repository is remembered as one that has it.
Result<Pushed> push_one(Engine& engine, const store::ImageRow& image, const oci::Reference& name, const LayerForm& form, const oci::Annotations& annotations,
                        const TransferEvents& events, task::Cancel cancel);

}  // namespace mica::engine
