/// `lint --fix --verify`: builds a Dockerfile before and after its fixes, and compares what came out.
#pragma once
#include <string>
#include <vector>

#include "build/events.h"
#include "engine/diff_images.h"
#include "engine/engine.h"

namespace mica::engine {

struct VerifyRequest {
  std::string file;                  ///< for messages
  std::string before, after;         ///< texts
  std::string context;               ///< folder
  std::vector<std::string> build_args;
};
struct FixesVerified {
  ImageDifference difference;        ///< before against after
  std::vector<analyze::PathChange> lost;      ///< what a fix is not meant to change: nobody may miss it
  std::vector<analyze::PathChange> cleaned;   ///< package lists and caches that are gone, as they should
  std::vector<analyze::PathChange> unstable;  ///< logs and the like, which differ from build to build
  std::int64_t bytes_saved = 0;      ///< of all layers; negative: it became larger
  double seconds_before = 0, seconds_after = 0;   ///< of the two builds; steps that were cached cost nothing
  bool same() const { return lost.empty(); }   ///< the configuration is what some fixes are about: it is told, not judged
};
/// The builds use the cache and name nothing; their images go with the next collection.
/// Errors: those of build_image, "before:" or "after:" in front; those of diff_images.
Result<FixesVerified> verify_fixes(Engine& engine, const VerifyRequest& request, build::EventSink* events, task::Cancel cancel);

}  // namespace mica::engine
