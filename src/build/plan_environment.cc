#include "build/plan_environment.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace mica::build {

void Environment::set(std::string_view name, std::string value) {
  std::erase_if(variables_, [&](const auto& v) { return v.first == name; });
  variables_.emplace_back(std::string(name), std::move(value));
}

std::optional<std::string> Environment::get(std::string_view name) const {
  for (const auto& [known, value] : variables_)
    if (known == name) return value;
  return std::nullopt;
}

std::vector<std::string_view> Environment::names() const {
  std::vector<std::string_view> names;
  names.reserve(variables_.size());
  for (const auto& [name, value] : variables_) names.push_back(name);
  return names;
}

std::vector<std::string> Environment::entries() const {
  std::vector<std::string> entries;
  entries.reserve(variables_.size());
  for (const auto& [name, value] : variables_) entries.push_back(name + "=" + value);
  return entries;
}

dockerfile::Lookup Environment::lookup() const {
  return [this](std::string_view name) { return get(name); };
}

std::pair<std::string_view, std::string_view> split_variable(std::string_view entry) {
  return split_once(entry, '=').value_or(std::pair{entry, std::string_view()});
}

BuildArguments::BuildArguments(const PlanRequest& request) {
  for (const auto& [name, value] : request.build_args)
    if (value) values_.insert_or_assign(name, *value);
}

std::optional<std::string> BuildArguments::get(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

std::string BuildArguments::get_or(std::string_view name, std::string_view fallback) const {
  return get(name).value_or(std::string(fallback));
}

Environment predefined_arguments(const PlanRequest& request, std::string_view target, const BuildArguments& given) {
  Environment arguments;
  const auto define = [&](const char* name, std::string value) {
    arguments.set(name, given.get(name).value_or(std::move(value)));
  };
  const oci::Platform& here = request.build_platform;
  const oci::Platform& wanted = request.platform;
  define("BUILDPLATFORM", here.str());
  define("BUILDOS", here.os);
  define("BUILDOSVERSION", here.os_version);
  define("BUILDARCH", here.architecture);
  define("BUILDVARIANT", here.variant);
  define("TARGETPLATFORM", wanted.str());
  define("TARGETOS", wanted.os);
  define("TARGETOSVERSION", wanted.os_version);
  define("TARGETARCH", wanted.architecture);
  define("TARGETVARIANT", wanted.variant);
  define("TARGETSTAGE", target.empty() ? "default" : std::string(target));
  return arguments;
}

bool is_hidden_argument(std::string_view name) {
  return name == "BUILDKIT_SBOM_SCAN_CONTEXT" || name == "BUILDKIT_SBOM_SCAN_STAGE";
}

std::vector<std::pair<std::string, std::string>> proxy_environment(const std::vector<std::pair<std::string, std::optional<std::string>>>& build_args) {
  constexpr std::array<std::string_view, 5> kProxies = {"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"};
  std::map<std::string, std::string> sorted;  // of several spellings of one name the last in byte order counts: lower case
  for (const auto& [name, value] : build_args)
    if (value) sorted.insert_or_assign(name, *value);
  std::vector<std::pair<std::string, std::string>> environment;
  for (const std::string_view proxy : kProxies) {
    std::string chosen;
    for (const auto& [name, value] : sorted)
      if (equals_ignoring_case(name, proxy)) chosen = value;
    if (chosen.empty()) continue;
    environment.emplace_back(proxy, chosen);
    environment.emplace_back(to_lower(proxy), chosen);
  }
  return environment;
}

}  // namespace mica::build
