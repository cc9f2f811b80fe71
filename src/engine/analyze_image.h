/// `analyze`: what the layers of an image are made of, and what of that is wasted (analyze/analysis.h), wherever the image is.
///
/// WHAT is resolved in this order:
///   docker://REF, oci:PATH.., oci-archive:PATH.., docker-archive:PATH..   that place (image_places.h)
///   "-", or what begins with "/", "./" or "../"                           an archive or a layout
///   a name or id of the store                                             the listings of its layers: no file is read
///   a path that is there                                                  an archive or a layout
///   a reference                                                           a registry, if `remote`
///
/// Nothing is put into the store. A layer of a registry's image that the store has is not fetched.
#pragma once
#include <functional>
#include <string>

#include "analyze/analysis.h"
#include "engine/engine.h"
#include "oci/image.h"
#include "task/task.h"

namespace mica::engine {

struct ReadImage {
  std::string what;
  bool remote = false;               ///< a reference that is not in the store is looked for at its registry
  std::string platform;              ///< of an index; empty: the host's
  /// Which low layers are the base's: a number of layers, an image of the store, "none"; empty: found out (analyze_base.cc says how).
  std::string base;
  /// Files whose contents are wanted (analyze::Layer::contents). May be empty.
  std::function<bool(std::string_view path)> wanted;
  std::function<void(std::string)> remark;   ///< of a registry's client. May be empty
};
/// An image's layers as an analysis wants them, and its config.
struct LayeredImage {
  analyze::Image image;
  oci::ImageConfig config;
  oci::Annotations annotations;      ///< of its manifest
};
/// Errors: not_found, invalid_argument, corrupt, unsupported, those of registries, cancelled.
Result<LayeredImage> read_image(Engine& engine, const ReadImage& request, task::Cancel cancel);

struct AnalyzedImage {
  LayeredImage source;
  analyze::Analysis analysis;
};
Result<AnalyzedImage> analyze_image(Engine& engine, const ReadImage& request, const analyze::Options& options, task::Cancel cancel);

}  // namespace mica::engine
