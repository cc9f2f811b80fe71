#include "cli/progress.h"

#include <unistd.h>

#include "base/format.h"
#include "cli/command.h"
#include "cli/progress_plain.h"

namespace mica::cli {

std::string shown_seconds(std::int64_t ns) { return format("{:.1f}s", static_cast<double>(ns) / 1e9); }

Result<std::unique_ptr<build::EventSink>> make_progress(std::string_view kind) {
  if (kind == "plain" || kind == "auto" || kind.empty()) return std::unique_ptr<build::EventSink>(std::make_unique<PlainProgress>(note, false));
  if (kind == "quiet" || kind == "none") return std::unique_ptr<build::EventSink>(std::make_unique<PlainProgress>(note, true));
  return failf(Errc::invalid_argument, "invalid progress mode {}: use auto, plain, tty, rawjson, quiet or none", quoted(kind));
}

}  // namespace mica::cli
