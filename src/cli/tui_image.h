/// `analyze --tui` on an image that was analysed: the browser, with files that can be written where the user is.
#pragma once
#include "engine/analyze_image.h"

namespace mica::cli {

/// `request`: what `analyzed` was read by; it is read again for a file's content. Errors: those of browse().
Result<> browse_image(engine::Engine& engine, const engine::ReadImage& request, const engine::AnalyzedImage& analyzed, const task::Cancel& cancel);

}  // namespace mica::cli
