/// What of a project is there: its containers, found by their labels.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compose/project.h"
#include "engine/containers.h"

namespace mica::compose {

struct ProjectContainer {
  container::Row row;                                    ///< with its definition
  std::string service;
  int number = 1;
  bool one_off = false;
  std::string hash, image;                               ///< as its labels say
};
std::string label(const container::Row& row, std::string_view key);
/// By service and number.
Result<std::vector<ProjectContainer>> project_containers(engine::Engine& engine, const std::string& project);
/// A project that is known by its containers only: services with their dependencies, no networks or volumes.
Result<Project> project_from_containers(engine::Engine& engine, const std::string& name);
/// What `ls` shows.
struct RunningProject {
  std::string name, status, files;                       ///< "running(2), exited(1)"
};
Result<std::vector<RunningProject>> list_projects(engine::Engine& engine, bool all);
/// "p-web-1" as "web-1": how logs name it.
std::string short_name(const ProjectContainer& container, const std::string& project);

}  // namespace mica::compose
