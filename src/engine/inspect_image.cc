#include "engine/inspect_image.h"

#include <algorithm>

#include "engine/images.h"

namespace mica::engine {
namespace {

json::Value strings_or_null(const std::vector<std::string>& strings) { return strings.empty() ? json::Value() : json::from(strings); }
json::Value strings_or_null(const std::optional<std::vector<std::string>>& strings) { return strings ? json::from(*strings) : json::Value(); }

json::Value set_of(const std::vector<std::string>& names) {
  json::Value set = json::Value::object();
  for (const auto& name : names) set.set(name, json::Value::object());
  return set;
}

json::Value healthcheck(const oci::Healthcheck& check) {
  json::Value value = json::Value::object();
  if (!check.test.empty()) value.set("Test", json::from(check.test));
  if (check.interval) value.set("Interval", check.interval);
  if (check.timeout) value.set("Timeout", check.timeout);
  if (check.start_period) value.set("StartPeriod", check.start_period);
  if (check.start_interval) value.set("StartInterval", check.start_interval);
  if (check.retries) value.set("Retries", check.retries);
  return value;
}

/// The "Config" member, sorted by name as Docker 28 writes it.
json::Value config_json(const oci::ImageConfig& config) {
  json::Value value = json::Value::object();
  if (config.args_escaped) value.set("ArgsEscaped", true);
  value.set("Cmd", strings_or_null(config.cmd));
  value.set("Entrypoint", strings_or_null(config.entrypoint));
  value.set("Env", strings_or_null(config.env));
  if (!config.exposed_ports.empty()) value.set("ExposedPorts", set_of(config.exposed_ports));
  if (config.healthcheck) value.set("Healthcheck", healthcheck(*config.healthcheck));
  json::Value labels;
  auto sorted = config.labels;
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [key, text] : sorted) labels.set(key, text);
  value.set("Labels", std::move(labels));
  value.set("OnBuild", strings_or_null(config.on_build));
  if (!config.shell.empty()) value.set("Shell", json::from(config.shell));
  if (!config.stop_signal.empty()) value.set("StopSignal", config.stop_signal);
  value.set("User", config.user);
  value.set("Volumes", config.volumes.empty() ? json::Value() : set_of(config.volumes));
  value.set("WorkingDir", config.working_dir);
  return value;
}

json::Value graph_driver(Engine& engine, const store::ImageRow& image) {
  json::Value data = json::Value::object();
  if (!image.layers.empty()) {
    std::string lower;
    for (auto i = image.layers.rbegin() + 1; i != image.layers.rend(); ++i) lower += (lower.empty() ? "" : ":") + engine.layers().directory(*i);
    if (!lower.empty()) data.set("LowerDir", lower);
    data.set("UpperDir", engine.layers().directory(image.layers.back()));
  }
  json::Value value = json::Value::object();
  value.set("Data", std::move(data));
  value.set("Name", "overlay2");
  return value;
}

}  // namespace

Result<json::Value> inspect_image(Engine& engine, const std::string& name) {
  const auto image = TRY(engine.images().resolve(name));
  const auto config = TRY(read_config(engine, image.id));
  const auto names = TRY(engine.images().names());
  std::vector<std::string> tags, digests;
  Timestamp tagged;
  for (const auto& row : names) {
    if (row.id != image.id) continue;
    tags.push_back(row.reference.familiar());
    if (!image.manifest.empty()) digests.push_back(row.reference.familiar_name() + "@" + image.manifest.str());
    tagged = std::max(tagged, row.tagged);
  }
  std::sort(tags.begin(), tags.end());
  std::sort(digests.begin(), digests.end());
  digests.erase(std::unique(digests.begin(), digests.end()), digests.end());

  json::Value value = json::Value::object();
  value.set("Id", image.id.digest.str());
  value.set("RepoTags", json::from(tags));
  value.set("RepoDigests", json::from(digests));
  value.set("Parent", "");
  value.set("Comment", config.history.empty() ? "" : config.history.back().comment);
  if (config.created) value.set("Created", rfc3339(*config.created));
  value.set("DockerVersion", config.extra.is_object() ? config.extra.string_or("docker_version") : "");
  value.set("Author", config.author);
  value.set("Architecture", config.platform.architecture);
  if (!config.platform.variant.empty()) value.set("Variant", config.platform.variant);
  value.set("Os", config.platform.os);
  if (!config.platform.os_version.empty()) value.set("OsVersion", config.platform.os_version);
  value.set("Size", image.bytes);
  value.set("GraphDriver", graph_driver(engine, image));
  json::Value root = json::Value::object();
  root.set("Type", "layers");
  json::Value layers = json::Value::array();
  for (const auto& id : config.diff_ids) layers.push(id.digest.str());
  if (!config.diff_ids.empty()) root.set("Layers", std::move(layers));
  value.set("RootFS", std::move(root));
  json::Value metadata = json::Value::object();
  metadata.set("LastTagTime", tagged.ns == 0 ? "0001-01-01T00:00:00Z" : rfc3339(tagged));
  value.set("Metadata", std::move(metadata));
  value.set("Config", config_json(config));
  return value;
}

}  // namespace mica::engine
