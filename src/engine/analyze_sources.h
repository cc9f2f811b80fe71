/// Where the layers of an analysed image come from. Internal to analyze_image.cc.
#pragma once
#include "engine/analyze_image.h"
#include "engine/image_places.h"

namespace mica::engine {

/// From the store's listings. Fills all but the base.
Result<LayeredImage> read_stored_image(Engine& engine, const store::ImageRow& row, const ReadImage& request, task::Cancel cancel);
/// From an archive or a layout. `any_kind`: what it holds is found out.
Result<LayeredImage> read_image_files(Engine& engine, const ImagePlace& place, bool any_kind, const ReadImage& request, task::Cancel cancel);
/// From a registry.
Result<LayeredImage> read_remote_image(Engine& engine, const ImagePlace& place, const ReadImage& request, task::Cancel cancel);

/// A layer of the store.
Result<analyze::Layer> read_stored_layer(Engine& engine, const snapshot::LayerId& id, const ReadImage& request);
/// A layer's tar, compressed or not. Errors: corrupt (also: it is another than `diff_id` says).
Result<> read_layer_stream(stream::Source& bytes, const oci::DiffId& diff_id, analyze::Layer& layer, const ReadImage& request, task::Cancel cancel);

/// Layers without entries yet: DiffIDs and what the history tells. Errors: resource_exhausted.
Result<LayeredImage> outline(oci::ImageConfig config, std::string name);

/// Which layers are the base's, unless request.base says it. In this order:
///   build       the record of the build that made the image: what no step of it made
///   annotation  org.opencontainers.image.base.digest and .name of the manifest, an image of the store
///   store       the image of the store, of another repository, with the most layers of which all are the lowest ones here
///   history     the layers before the first one that a Dockerfile build made (a lower bound)
/// Errors: invalid_argument and not_found, of request.base only.
Result<> find_base(Engine& engine, const ReadImage& request, LayeredImage& image);

}  // namespace mica::engine
