#include "base/format.h"
#include "base/sha256.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/compose_project.h"
#include "compose/service_hash.h"
#include "json/yaml_write.h"
#include "sys/fd.h"

namespace mica::cli {
namespace {

constexpr Flag kFlags[] = {
    {"environment", 0, "", "Print environment used for interpolation."},
    {"format", 0, "string", "Format the output. Values: [yaml | json] (default \"yaml\")"},
    {"hash", 0, "string", "Print the service config hash, one per line. (\"*\": all)"},
    {"images", 0, "", "Print the image names, one per line."},
    {"lock-image-digests", 0, "", "Produces an override file with image digests", "use mica lock"},
    {"models", 0, "", "Print the model names, one per line.", "mica runs no models"},
    {"networks", 0, "", "Print the network names, one per line."},
    {"no-consistency", 0, "", "Don't check model consistency", "the model is always checked"},
    {"no-env-resolution", 0, "", "Don't resolve service env files"},
    {"no-interpolate", 0, "", "Don't interpolate environment variables"},
    {"no-normalize", 0, "", "Don't normalize compose model"},
    {"no-path-resolution", 0, "", "Don't resolve file paths"},
    {"output", 'o', "string", "Save to file (default to stdout)"},
    {"profiles", 0, "", "Print the profile names, one per line."},
    {"quiet", 'q', "", "Only validate the configuration, don't print anything"},
    {"resolve-image-digests", 0, "", "Pin image tags to digests", "use mica lock"},
    {"services", 0, "", "Print the service names, one per line."},
    {"variables", 0, "", "Print model variables and default values.", "not supported yet"},
    {"volumes", 0, "", "Print the volume names, one per line."},
};

std::string names_of(const json::Value& model, const char* kind) {
  std::string out;
  if (const auto* all = model.find(kind); all && all->is_object())
    for (const auto& [name, value] : all->as_object()) out += name + "\n";
  return out;
}

/// What is printed is a compose file again: dollars are doubled.
void escape(json::Value& value) {
  if (value.is_string()) value = replace_all(value.as_string(), "$", "$$");
  else if (value.is_object())
    for (auto& [name, member] : value.as_object()) escape(member);
  else if (value.is_array())
    for (auto& item : value.as_array()) escape(item);
}

Result<int> run(Context& context) {
  const Args& args = context.args;
  auto request = compose_request(context);
  request.services = args.positionals();
  request.interpolate = !args.flag("no-interpolate");
  request.normalize = !args.flag("no-normalize");
  request.resolve_paths = !args.flag("no-path-resolution");
  request.resolve_environment = !args.flag("no-env-resolution");
  const std::string kind = args.text("format", "yaml");
  if (kind != "yaml" && kind != "json") return failf(Errc::invalid_argument, "unsupported format {}: use yaml or json", quoted(kind));
  auto project = TRY(compose::load_project(request));
  for (const auto& warning : project.warnings) note(format("mica: warning: {}\n", warning));
  if (!request.services.empty()) {
    // Only what was named, with what it needs.
    std::erase_if(project.model.find("services")->as_object(), [&](const auto& one) { return !compose::is_wanted(project, request.services, one.first); });
    compose::drop_unused(project);
  }
  std::string text;
  if (args.flag("quiet")) return 0;
  if (args.flag("services")) text = names_of(project.model, "services");
  else if (args.flag("volumes")) text = names_of(project.model, "volumes");
  else if (args.flag("networks")) text = names_of(project.model, "networks");
  else if (args.flag("profiles")) {
    std::vector<std::string> names;
    for (const auto* services : {&project.services(), static_cast<const json::Value*>(&project.disabled)})
      for (const auto& [name, service] : services->as_object())
        for (const auto& profile : service.strings("profiles")) names.push_back(profile);
    std::ranges::sort(names);
    names.erase(std::ranges::unique(names).begin(), names.end());
    for (const auto& name : names) text += name + "\n";
  } else if (args.flag("images")) {
    for (const auto& [name, service] : project.services().as_object()) text += compose::image_name(project, name, service) + "\n";
  } else if (args.flag("environment")) {
    for (const auto& [name, value] : project.environment) text += format("{}={}\n", name, value);
  } else if (args.has("hash")) {
    const std::string which = args.text("hash");
    for (const auto& [name, service] : project.services().as_object()) {
      const auto names = split(which, ',');
      if (which == "*" || std::ranges::count(names, name)) text += format("{} {}\n", name, compose::service_hash(service));
    }
  } else {
    json::Value model = project.model;
    if (request.interpolate) escape(model);
    text = kind == "json" ? json::write_pretty(model, 2) + "\n" : json::write_yaml(model);
  }
  if (args.has("output")) TRY(sys::write_file(args.text("output"), text));
  else TRY(print(text));
  return 0;
}

}  // namespace

constinit const Command kComposeConfig{.usage = "[OPTIONS] [SERVICE...]",
                                       .summary = "Parse, resolve and render compose file in canonical format",
                                       .aliases = "mica compose config, mica compose convert",
                                       .flags = kFlags,
                                       .least = 0,
                                       .needs = Needs::nothing,
                                       .run = run};

}  // namespace mica::cli
