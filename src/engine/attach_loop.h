/// The user's side of an attached container: standard streams or a terminal, and the monitor's socket.
#pragma once
#include "container/monitor_protocol.h"
#include "engine/containers.h"

namespace mica::engine {

/// Carries on until the container ends, the user types the detach keys, or the monitor is gone (then Ended::monitor_gone). `started` is
/// called at the frame that says that the first process runs; an 'f' frame is an error.
struct AttachEnd {
  Ended ended;
  bool monitor_gone = false;
};
Result<AttachEnd> attach_loop(container::MonitorConnection& connection, const Attachment& attachment, const task::Cancel& cancel);

/// Finds the detach keys in what the user types. "ctrl-p,ctrl-q", "ctrl-@", "a". Errors: invalid_argument.
class DetachKeys {
 public:
  static Result<DetachKeys> parse(std::string_view text);
  /// What of `typed` goes on to the container; `detached` when the keys are complete. A beginning of the keys is held back until it is clear.
  std::string filter(std::string_view typed, bool& detached);

 private:
  std::string keys_;
  std::size_t seen_ = 0;
};

}  // namespace mica::engine
