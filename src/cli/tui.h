/// `analyze --tui`: the browser of tui_browser.h at the terminal that standard input and output are.
#pragma once
#include <functional>
#include <string>

#include "analyze/analysis.h"
#include "base/error.h"
#include "cli/tui_browser.h"
#include "engine/interrupt.h"

namespace mica::cli {

/// Writes a file of a layer somewhere and says so in a line for the user.
using WriteFile = std::function<Result<std::string>(const WantedFile& file)>;

/// Until the user quits. Errors: invalid_argument (no terminal), cancelled (a signal).
Result<> browse(const analyze::Image& image, const analyze::Analysis& analysis, const WriteFile& write, const task::Cancel& cancel);

}  // namespace mica::cli
