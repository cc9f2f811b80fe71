/// What of a service decides whether its containers are made anew, and names that follow from the model.
#pragma once
#include <string>
#include <vector>

#include "compose/project.h"

namespace mica::compose {

/// 64 hex digits over the canonical service, without what changes no container: build, pull_policy, scale, profiles, depends_on.
std::string service_hash(const json::Value& service);
/// The image that its containers are made from: as named, or "<project>-<service>" of what is built.
std::string image_name(const Project& project, std::string_view name, const json::Value& service);
/// One of `services`, or needed by one.
bool is_wanted(const Project& project, const std::vector<std::string>& services, const std::string& name);
/// Networks, volumes, secrets and configs that no service has any more go.
void drop_unused(Project& project);

}  // namespace mica::compose
