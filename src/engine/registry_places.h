/// Images at registries as places of copying. Internal to image_places.cc.
#pragma once
#include "engine/image_places.h"

namespace mica::engine {

Result<std::unique_ptr<ImageSource>> registry_source(CopySession& session, const ImagePlace& place);
Result<std::unique_ptr<ImageTarget>> registry_target(CopySession& session, const ImagePlace& place);

}  // namespace mica::engine
