/// What happens during a build, as values: `cli` draws them, tests compare them, an API streams them.
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "build/key.h"
#include "dockerfile/tree.h"
#include "oci/digest.h"

namespace mica::build {

/// Steps are numbered from 1 in the order in which they are announced; internal ones ("[internal] load build context",
/// "exporting to image") are announced like the rest.
using StepNumber = int;

struct StepAnnounced { StepNumber step = 0; std::string title; };
struct StepStarted { StepNumber step = 0; Timestamp when; };
/// Bytes of the step's standard output (1) or error (2), as they came. `replayed`: from the log of an earlier execution.
struct StepOutput { StepNumber step = 0; int stream = 1; std::string bytes; bool replayed = false; };
/// Something being moved: "transferring context", "sha256:1f0c… 3.2MB". total 0: unknown.
struct StepProgress { StepNumber step = 0; std::string what; std::int64_t done = 0, total = 0; bool finished = false; };
/// Why the step hit or ran; only with --explain (and always in the build report).
struct StepExplained { StepNumber step = 0; bool hit = false; std::vector<std::string> reasons; };
/// The terminal is used by a debug shell meanwhile: nothing may be drawn.
struct ShellOpened { StepNumber step = 0; bool open = true; };
enum class Outcome { done, cached, failed, cancelled };
struct StepFinished { StepNumber step = 0; Outcome outcome = Outcome::done; std::int64_t duration_ns = 0; std::string error; };
struct Warned { dockerfile::Diagnostic diagnostic; std::string file, excerpt; };

using Event = std::variant<StepAnnounced, StepStarted, StepOutput, StepProgress, StepExplained, StepFinished, ShellOpened, Warned>;

/// Receives events; called from many threads, one call at a time.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void on(const Event& event) = 0;
};

}  // namespace mica::build
