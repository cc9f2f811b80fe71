/// `--change` of import and commit: a Dockerfile instruction applied to an image config.
#pragma once
#include <string>

#include "base/error.h"
#include "oci/image.h"

namespace mica::engine {

/// CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD SHELL STOPSIGNAL USER VOLUME WORKDIR. Errors: invalid_argument.
Result<> apply_change(oci::ImageConfig& config, const std::string& instruction);

}  // namespace mica::engine
