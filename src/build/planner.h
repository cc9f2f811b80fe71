/// Dockerfile tree + arguments + platform → graph. No I/O of its own: base images are asked for through BaseImages.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "build/base_images.h"
#include "build/graph.h"
#include "dockerfile/tree.h"

namespace mica::build {

struct PlanRequest {
  std::string target;  ///< stage name; empty: the last
  std::vector<std::pair<std::string, std::optional<std::string>>>
      build_args;                                  ///< nullopt never reaches here: the caller looks up its environment
  oci::Platform platform = oci::Platform::host();  ///< of the result
  oci::Platform build_platform = oci::Platform::host();
  std::vector<std::pair<std::string, std::string>> labels;  ///< --label
  std::vector<NamedContext> named_contexts;                 ///< --build-context
  std::string network = "default";                          ///< --network for RUN steps without their own
  std::set<std::string> entitlements;                       ///< --allow: "network.host", "security.insecure"
  bool no_cache = false;
  std::vector<std::string> no_cache_filter;  ///< stage names
  std::vector<std::string> ignore_patterns;  ///< cleaned, of the main context: for the check CopyIgnoredFile
  bool all_stages = false;                   ///< plan and check what the target does not need, too
  task::Pool* pool = nullptr;                ///< given: several bases are resolved at once, from threads of it
};

/// Errors: all that the Dockerfile is to blame for, at once where that is possible, with line and excerpt (invalid_argument);
/// those of `bases`, with the FROM line; cancelled. With `# check=error=true` warnings are an error that lists them.
Result<Graph> plan_build(dockerfile::File file, const PlanRequest& request, BaseImages& bases, task::Cancel cancel);

/// The predefined proxy arguments among `build_args`, upper and lower case forms, as names and values: environment of RUN steps that is
/// in no key.
std::vector<std::pair<std::string, std::string>> proxy_environment(const std::vector<std::pair<std::string, std::optional<std::string>>>& build_args);

/// Applies instructions without files (CMD ENV EXPOSE LABEL USER ...) to a config: `import --change`, `commit --change`.
Result<> apply_to_config(oci::ImageConfig& config, const dockerfile::Instruction& instruction);

}  // namespace mica::build
