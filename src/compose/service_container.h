/// From a service of the model to what a container of it is made from.
#pragma once
#include <map>
#include <string>

#include "compose/project.h"
#include "engine/containers.h"

namespace mica::compose {

inline constexpr const char *kProjectLabel = "com.docker.compose.project", *kServiceLabel = "com.docker.compose.service", *kNumberLabel = "com.docker.compose.container-number",
                            *kOneOffLabel = "com.docker.compose.oneoff", *kHashLabel = "com.docker.compose.config-hash", *kImageLabel = "com.docker.compose.image",
                            *kNetworkLabel = "com.docker.compose.network", *kVolumeLabel = "com.docker.compose.volume", *kFilesLabel = "com.docker.compose.project.config_files",
                            *kFolderLabel = "com.docker.compose.project.working_dir", *kVersionLabel = "com.docker.compose.version", *kDependsLabel = "com.docker.compose.depends_on";
inline constexpr const char* kComposeVersion = "2.40.3";

struct ServiceContainer {
  std::string service;
  int number = 1;
  bool one_off = false;
  std::string name;                                      ///< "": <project>-<service>-<number>, or container_name
  std::string image_id;                                  ///< for its label
  std::map<std::string, std::string> anonymous_volumes;  ///< target and volume: carried over from the container before
};
/// Errors: invalid_argument, naming the member; not_found (a secret's file); conflict (network_mode service:X whose container is not there).
Result<engine::CreateContainer> container_request(engine::Engine& engine, const Project& project, const ServiceContainer& wanted);

std::string container_name(const Project& project, const std::string& service, int number);
/// The name on the machine of a network or volume of the project.
std::string resource_name(const Project& project, const char* kind, const std::string& name);

}  // namespace mica::compose
