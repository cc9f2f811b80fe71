/// Drawing of a build's events on stderr.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/build_events.h"

namespace mica::cli {

/// `kind`: auto (tty on a terminal, else plain), plain, tty, rawjson, quiet, none. Ends its drawing when it dies.
/// Errors: invalid_argument with Docker's text.
Result<std::unique_ptr<build::EventSink>> make_progress(std::string_view kind);

/// "0.0s", "12.3s".
std::string shown_seconds(std::int64_t ns);

}  // namespace mica::cli
