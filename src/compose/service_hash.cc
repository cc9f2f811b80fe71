#include "compose/service_hash.h"

#include <algorithm>
#include <functional>
#include <set>

#include "base/format.h"
#include "base/sha256.h"
#include "compose/normalize.h"

namespace mica::compose {

std::string service_hash(const json::Value& service) {
  json::Value kept = service;
  for (const char* member : {"build", "pull_policy", "scale", "profiles", "depends_on", "develop", "attach"}) kept.erase(member);
  if (auto* deploy = kept.find("deploy"); deploy && deploy->is_object()) deploy->erase("replicas");
  return sha256_hex(json::write(kept));
}

std::string image_name(const Project& project, std::string_view name, const json::Value& service) {
  const std::string image = service.string_or("image");
  return image.empty() ? format("{}-{}", project.name, name) : image;
}

bool is_wanted(const Project& project, const std::vector<std::string>& services, const std::string& name) {
  std::set<std::string> seen;
  std::function<bool(const std::string&)> leads = [&](const std::string& from) {
    if (from == name) return true;
    if (!seen.insert(from).second) return false;
    const auto* service = project.service(from);
    const auto* needs = service ? service->find("depends_on") : nullptr;
    if (!needs || !needs->is_object()) return false;
    return std::ranges::any_of(needs->as_object(), [&](const auto& one) { return leads(one.first); });
  };
  return std::ranges::any_of(services, leads);
}

void drop_unused(Project& project) { normalize(project); }

}  // namespace mica::compose
