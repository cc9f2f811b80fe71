#include "engine/index_json.h"

#include <algorithm>

#include "base/text.h"
#include "oci/image.h"

namespace mica::engine {
namespace {

bool is_empty(const json::Value& value) {
  return value.is_null() || (value.is_string() && value.as_string().empty()) || (value.is_array() && value.as_array().empty()) ||
         (value.is_object() && value.as_object().empty());
}

/// What Go's omitempty lets pass.
void copy_member(json::Value& to, const json::Value& from, std::string_view key) {
  if (const json::Value* found = from.find(key); found && !is_empty(*found)) to.set(key, *found);
}

void copy_map(json::Value& to, const json::Value& from, std::string_view key) {
  const json::Value* found = from.find(key);
  if (!found || !found->is_object() || is_empty(*found)) return;
  json::Object members = found->as_object();
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  to.set(key, std::move(members));
}

std::string escaped_markup(std::string text) {
  if (text.find_first_of("<>&") == text.npos) return text;
  return replace_all(replace_all(replace_all(std::move(text), "<", "\\u003c"), ">", "\\u003e"), "&", "\\u0026");
}

}  // namespace

json::Value ordered_platform(const json::Value& value) {
  json::Value out = json::Value::object();
  out.set("architecture", value.string_or("architecture"));
  out.set("os", value.string_or("os"));
  for (const std::string_view key : {"os.version", "os.features", "variant"}) copy_member(out, value, key);
  return out;
}

json::Value ordered_descriptor(const json::Value& descriptor, MemberOrder order) {
  const bool docker = order == MemberOrder::docker;
  json::Value out = json::Value::object();
  out.set("mediaType", descriptor.string_or("mediaType"));
  if (docker) out.set("size", descriptor.int_or("size"));
  out.set("digest", descriptor.string_or("digest"));
  if (!docker) out.set("size", descriptor.int_or("size"));
  copy_member(out, descriptor, "urls");
  copy_map(out, descriptor, "annotations");
  copy_member(out, descriptor, "data");
  if (const json::Value* platform = descriptor.find("platform"); platform && platform->is_object()) out.set("platform", ordered_platform(*platform));
  if (!docker) copy_member(out, descriptor, "artifactType");
  return out;
}

json::Value ordered_manifest(const json::Value& manifest) {
  const std::string type = manifest.string_or("mediaType");
  const MemberOrder order = type == oci::kDockerManifest ? MemberOrder::docker : MemberOrder::oci;
  json::Value out = json::Value::object();
  out.set("schemaVersion", manifest.int_or("schemaVersion", 2));
  copy_member(out, manifest, "mediaType");
  copy_member(out, manifest, "artifactType");
  if (const json::Value* config = manifest.find("config")) out.set("config", ordered_descriptor(*config, order));
  json::Value layers = json::Value::array();
  if (const json::Value* given = manifest.find("layers"); given && given->is_array())
    for (const auto& layer : given->as_array()) layers.push(ordered_descriptor(layer, order));
  out.set("layers", std::move(layers));
  if (const json::Value* subject = manifest.find("subject")) out.set("subject", ordered_descriptor(*subject, order));
  copy_map(out, manifest, "annotations");
  return out;
}

Result<json::Value> read_index(const registry::Document& document) {
  TRY(oci::Index::parse(document.bytes));
  const auto parsed = TRY(json::parse(document.bytes));
  json::Value out = json::Value::object();
  out.set("schemaVersion", 2);
  out.set("mediaType", document.media_type);
  json::Value entries = json::Value::array();
  if (const json::Value* list = parsed.find("manifests"); list && list->is_array())
    for (const auto& entry : list->as_array()) entries.push(ordered_descriptor(entry, MemberOrder::oci));
  out.set("manifests", std::move(entries));
  copy_map(out, parsed, "annotations");
  return out;
}

std::string platform_text(const json::Value& platform) {
  const std::string variant = platform.string_or("variant"), plain = platform.string_or("os") + "/" + platform.string_or("architecture");
  const auto parsed = oci::Platform::parse(variant.empty() ? plain : plain + "/" + variant);
  return parsed ? parsed->str() : plain;
}

json::Value normal_platform(const json::Value& config) {
  json::Value out = ordered_platform(config);
  const std::string variant = out.string_or("variant"), plain = out.string_or("os") + "/" + out.string_or("architecture");
  const auto parsed = oci::Platform::parse(variant.empty() ? plain : plain + "/" + variant);
  if (!parsed) return out;
  out.set("architecture", parsed->architecture);
  out.set("os", parsed->os);
  out.erase("variant");
  if (!parsed->variant.empty()) out.set("variant", parsed->variant);
  return out;
}

std::string indented(const json::Value& value, int spaces) { return escaped_markup(json::write_pretty(value, spaces)); }

std::string indented_by_tabs(const json::Value& value) {
  // Strings hold no line breaks: what begins a line is indentation.
  std::string text = indented(value, 1);
  bool at_start = true;
  for (char& c : text) {
    if (at_start && c == ' ') c = '\t';
    else at_start = c == '\n';
  }
  return text;
}

}  // namespace mica::engine
