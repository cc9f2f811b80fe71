#include "cli/inspect_format.h"

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

}  // namespace

Result<std::string> inspect_line(const Template& parsed, const json::Value& value) {
  Typing typed{.missing = Typing::Missing::typed, .type_name = "image.InspectResponse"};
  typed.fields.assign(std::begin(kImageFields), std::end(kImageFields));
  json::Value object = value;
  object.as_object().front().first = "ID";
  std::string out;
  if (parsed.execute(object, typed, out)) return out;
  out.clear();
  Typing raw{.missing = Typing::Missing::error};
  auto shown = parsed.execute(value, raw, out);
  if (!shown) return fail(Errc::invalid_argument, "template parsing error: " + shown.error().message());
  return out;
}

}  // namespace mica::cli
