/// Images of a project's services: built or pulled when they are missing, or as told.
#pragma once
#include <string>
#include <vector>

#include "compose/project.h"
#include "engine/build_image.h"
#include "engine/engine.h"
#include "task/task.h"

namespace mica::cli {

struct ImageNeeds {
  bool build = false, no_build = false;                  ///< build what can be built, or nothing
  std::string pull;                                      ///< "", always, missing, never: over the services' own pull_policy
  bool quiet_pull = false, quiet_build = false;
  std::string progress = "auto";
};
/// Errors: not_found (an image that may not be pulled), those of builds and pulls, with the service's name.
Result<> ensure_images(engine::Engine& engine, const compose::Project& project, const std::vector<std::string>& services, const ImageNeeds& needs, const task::Cancel& cancel);

struct BuildServices {
  std::vector<std::string> args;                         ///< --build-arg
  bool no_cache = false, pull = false, push = false, quiet = false;
  std::vector<std::string> ssh;
  std::string progress = "auto";
};
/// Those of `services` that have a build section.
Result<> build_services(engine::Engine& engine, const compose::Project& project, const std::vector<std::string>& services, const BuildServices& how, const task::Cancel& cancel);

}  // namespace mica::cli
