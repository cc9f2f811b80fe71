/// Where this user's files are, by the variables that Docker, podman and the XDG base directory specification give.
///
/// $HOME goes before the passwd entry: an ordinary user's mica is root of a user namespace by the time these are asked for.
#pragma once
#include <string>

namespace mica::registry {

/// A variable of the environment; empty when it is not set.
std::string variable(const char* name);
std::string home_folder();
/// $XDG_CONFIG_HOME, or ~/.config.
std::string config_home();
/// $DOCKER_CONFIG, or ~/.docker.
std::string docker_folder();
/// $XDG_RUNTIME_DIR, or podman's /run/containers/UID with the id outside the user namespace.
std::string containers_runtime_folder();

}  // namespace mica::registry
