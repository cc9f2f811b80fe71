/// What a rebuild costs after files of the context changed, predicted from the records of the build that made an image: nothing is run, and the context is not read.
///
/// A step runs when a changed file is among the files of its key, or when the root filesystem below it is that of a step that runs. A step that takes files from a
/// stage of which a step runs *may* run: it does when those files come out differently. So may all above it, and a step that copies a folder which has
/// nothing of that name yet.
#pragma once
#include <string>
#include <vector>

#include "engine/engine.h"
#include "json/json.h"

namespace mica::engine {

struct PredictedStep {
  enum class Outcome { hit, run, maybe } outcome = Outcome::hit;
  std::string title, instruction;
  int line = 0;
  std::int64_t duration_ns = 0;      ///< of the record's run; 0 where there is no record (FROM)
  std::string reason;                ///< of run and maybe: "package.json changed", "runs on COPY package.json ."
};
struct Rebuild {
  std::int64_t build = 0;            ///< number of the build that it was told from
  std::vector<std::string> changed;  ///< clean paths
  std::vector<PredictedStep> steps;  ///< in the order of the build, without FROM
  std::int64_t run_ns = 0, maybe_ns = 0;   ///< sums over steps, as if none ran side by side
  bool known = true;                 ///< some step's record is gone: it counts as may-run
};
/// `changed`: files or folders, relative to the context. Errors: not_found (no such image, no build of it is known), invalid_argument (a path that leads out).
Result<Rebuild> predict_rebuild(Engine& engine, const std::string& image, const std::vector<std::string>& changed);

json::Value to_json(const Rebuild& rebuild);
std::string_view name(PredictedStep::Outcome outcome);   ///< "hit", "run", "maybe"

}  // namespace mica::engine
