/// A compose project: its files found, read, merged and checked, as one canonical model.
///
/// The model is the JSON of compose's own canonical form: {"name", "services": {NAME: {...}}, "networks", "volumes", "secrets", "configs", "x-..."}, all in
/// long forms. Services of profiles that are not active are apart.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "compose/schema.h"
#include "json/json.h"

namespace mica::compose {

struct ProjectRequest {
  std::vector<std::string> files;                        ///< -f; "-": standard input; empty: COMPOSE_FILE, else found from the working folder upwards
  std::string folder;                                    ///< --project-directory
  std::string name;                                      ///< -p
  std::vector<std::string> env_files;                    ///< --env-file; empty: .env in the project's folder
  std::vector<std::string> profiles;                     ///< --profile; "*": all
  std::vector<std::string> services;                     ///< named on the command line: active whatever their profiles, with what they need
  bool interpolate = true, normalize = true, resolve_paths = true, resolve_environment = true;
  bool without_dependencies = false;                     ///< named services alone (--no-deps)
};

struct Project {
  std::string name;
  std::string folder;                                    ///< absolute
  std::vector<std::string> files;                        ///< absolute, in the order of merging
  json::Value model;
  json::Value disabled = json::Value::object();          ///< services that no active profile has
  std::vector<std::string> profiles;                     ///< active ones
  std::map<std::string, std::string> environment;        ///< what interpolation saw, of those in .env files
  std::vector<std::string> warnings;                     ///< for standard error

  const json::Value& services() const;
  const json::Value* service(std::string_view name) const;   ///< nullptr: none that is active
  /// Names of active services, each after those it depends on.
  std::vector<std::string> in_order() const;
};

/// Errors: not_found ("no configuration file provided: not found"), invalid_argument with all problems, one a line, each with file, line and a suggestion.
Result<Project> load_project(const ProjectRequest& request);

/// "My_Project.v1" → "my_projectv1".
std::string normal_name(std::string_view name);
/// Problems as the lines of one error.
Error problems_error(const std::vector<Problem>& problems);

}  // namespace mica::compose
