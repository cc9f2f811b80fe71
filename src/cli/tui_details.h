/// What the terminal browser says in words: about a layer, about the image, about its keys.
#pragma once
#include <vector>

#include "analyze/analysis.h"
#include "cli/tui_frame.h"

namespace mica::cli {

/// The layer, then the image, then its largest waste; at most `height` lines.
std::vector<Line> detail_lines(const analyze::Analysis& analysis, std::size_t layer, int width, int height, const Glyphs& glyphs);
std::vector<Line> help_lines();

}  // namespace mica::cli
