#include "cli/inspect_format.h"

#include <span>

namespace mica::cli {
namespace {

/// How Docker's typed object differs from its JSON: names of absent and null fields (image.InspectResponse).
constexpr std::pair<std::string_view, Hint> kImageFields[] = {
    {"Author", Hint::text},       {"BaseLayer", Hint::none},   {"Comment", Hint::text},           {"Config", Hint::structure},
    {"Container", Hint::none},    {"Created", Hint::text},     {"Descriptor", Hint::pointer},     {"DockerVersion", Hint::text},
    {"GraphDriver", Hint::structure}, {"Healthcheck", Hint::pointer}, {"Labels", Hint::string_map}, {"Cmd", Hint::list},
    {"Entrypoint", Hint::list},   {"Env", Hint::list},         {"ExposedPorts", Hint::string_map}, {"Manifests", Hint::list},
    {"Metadata", Hint::structure}, {"OnBuild", Hint::list},    {"OsVersion", Hint::text},         {"Parent", Hint::text},
    {"RepoDigests", Hint::list},  {"RepoTags", Hint::list},    {"RootFS", Hint::structure},       {"Shell", Hint::list},
    {"StopSignal", Hint::text},   {"Variant", Hint::text},     {"Volumes", Hint::string_map},     {"ID", Hint::text},
    {"Layers", Hint::list},       {"ArgsEscaped", Hint::none}, {"Data", Hint::string_map},
};


/// container.InspectResponse.
constexpr std::pair<std::string_view, Hint> kContainerFields[] = {
    {"Args", Hint::list},          {"Binds", Hint::list},       {"CapAdd", Hint::list},        {"CapDrop", Hint::list},   {"Cmd", Hint::list},          {"Entrypoint", Hint::list},
    {"Env", Hint::list},           {"ExecIDs", Hint::list},     {"ExposedPorts", Hint::string_map}, {"ExtraHosts", Hint::list}, {"GroupAdd", Hint::list}, {"Health", Hint::pointer},
    {"Healthcheck", Hint::pointer}, {"Labels", Hint::string_map}, {"Links", Hint::list},       {"Mounts", Hint::list},    {"OnBuild", Hint::list},      {"SecurityOpt", Hint::list},
    {"SizeRootFs", Hint::pointer}, {"SizeRw", Hint::pointer},   {"Volumes", Hint::string_map}, {"VolumesFrom", Hint::list}, {"MemorySwappiness", Hint::pointer}, {"PidsLimit", Hint::pointer},
    {"IPAMConfig", Hint::pointer}, {"Aliases", Hint::list},     {"DNSNames", Hint::list},      {"DriverOpts", Hint::string_map}, {"Tmpfs", Hint::string_map}, {"Sysctls", Hint::string_map},
    {"Init", Hint::pointer},       {"Shell", Hint::list},       {"StopTimeout", Hint::pointer}, {"StopSignal", Hint::text}, {"ID", Hint::text},
};
constexpr std::pair<std::string_view, Hint> kNetworkFields[] = {{"Labels", Hint::string_map}, {"Options", Hint::string_map}, {"Containers", Hint::string_map}};
constexpr std::pair<std::string_view, Hint> kVolumeFields[] = {{"Labels", Hint::string_map}, {"Options", Hint::string_map}, {"Status", Hint::string_map}};

struct Kind {
  std::string_view type;
  std::span<const std::pair<std::string_view, Hint>> fields;
};
Kind kind_of(Inspected kind) {
  switch (kind) {
    case Inspected::container: return {"container.InspectResponse", kContainerFields};
    case Inspected::network: return {"network.Inspect", kNetworkFields};
    case Inspected::volume: return {"volume.Volume", kVolumeFields};
    case Inspected::image: break;
  }
  return {"image.InspectResponse", kImageFields};
}

}  // namespace

Result<std::string> inspect_line(const Template& parsed, const json::Value& value, Inspected kind) {
  const auto [type, fields] = kind_of(kind);
  Typing typed{.missing = Typing::Missing::typed, .type_name = std::string(type)};
  typed.fields.assign(fields.begin(), fields.end());
  json::Value object = value;
  for (auto& [name, member] : object.as_object())
    if (name == "Id") name = "ID";
  std::string out;
  if (parsed.execute(object, typed, out)) return out;
  out.clear();
  Typing raw{.missing = Typing::Missing::error};
  auto shown = parsed.execute(value, raw, out);
  if (!shown) return fail(Errc::invalid_argument, "template parsing error: " + shown.error().message());
  return out;
}

}  // namespace mica::cli
