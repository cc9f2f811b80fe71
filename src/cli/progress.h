/// Drawing of a build's events on stderr.
#pragma once
#include <memory>
#include <string_view>

#include "base/error.h"
#include "engine/build_events.h"

namespace mica::cli {

/// A sink that draws. Events may come from any thread, one at a time; some forms also draw from a thread of their own meanwhile.
class BuildProgress : public build::EventSink {
 public:
  /// The last drawing, with reports of the failed steps. Nothing is drawn afterwards, whatever comes. Once; the destructor does it
  /// when nobody did.
  virtual void finish() = 0;
};

/// `kind`: auto (tty on a terminal, else plain), plain, tty (plain where stderr is no terminal), rawjson, quiet (only reports of failed
/// steps), none. Errors: invalid_argument.
Result<std::unique_ptr<BuildProgress>> make_progress(std::string_view kind);

/// Whether stderr should have colours: a terminal, and no NO_COLOR.
bool use_colour();

}  // namespace mica::cli
