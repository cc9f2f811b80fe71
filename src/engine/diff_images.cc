#include "engine/diff_images.h"

#include <map>

#include "analyze/packages.h"

namespace mica::engine {
namespace {

using Settings = std::map<std::string, std::string>;

void add_list(Settings& to, const std::string& name, const std::vector<std::string>& list) {
  if (!list.empty()) to[name] = json::write(json::from(list));
}
void add_text(Settings& to, const std::string& name, const std::string& text) {
  if (!text.empty()) to[name] = text;
}

Settings settings_of(const oci::ImageConfig& config) {
  Settings out;
  add_text(out, "Platform", config.platform.str());
  add_text(out, "Author", config.author);
  add_text(out, "User", config.user);
  add_text(out, "WorkingDir", config.working_dir);
  add_text(out, "StopSignal", config.stop_signal);
  if (config.entrypoint) out["Entrypoint"] = json::write(json::from(*config.entrypoint));
  if (config.cmd) out["Cmd"] = json::write(json::from(*config.cmd));
  add_list(out, "ExposedPorts", config.exposed_ports);
  add_list(out, "Volumes", config.volumes);
  add_list(out, "OnBuild", config.on_build);
  add_list(out, "Shell", config.shell);
  for (const auto& one : config.env) {
    const auto equals = one.find('=');
    out["Env " + one.substr(0, equals)] = equals == one.npos ? "" : one.substr(equals + 1);
  }
  for (const auto& [key, value] : config.labels) out["Label " + key] = value;
  if (config.healthcheck) {
    const auto& check = *config.healthcheck;
    json::Value value = json::Value::object();
    value.set("Test", json::from(check.test));
    value.set("Interval", check.interval);
    value.set("Timeout", check.timeout);
    value.set("StartPeriod", check.start_period);
    value.set("StartInterval", check.start_interval);
    value.set("Retries", check.retries);
    out["Healthcheck"] = json::write(value);
  }
  return out;
}

std::vector<ConfigChange> compare_configs(const oci::ImageConfig& before, const oci::ImageConfig& after) {
  std::vector<ConfigChange> out;
  const Settings a = settings_of(before), b = settings_of(after);
  Settings all = a;
  all.insert(b.begin(), b.end());
  for (const auto& [name, value] : all) {
    const auto was = a.find(name), is = b.find(name);
    ConfigChange change{.name = name};
    if (was != a.end()) change.before = was->second;
    if (is != b.end()) change.after = is->second;
    if (change.before != change.after) out.push_back(std::move(change));
  }
  return out;
}

std::int64_t compressed(const analyze::Image& image) {
  std::int64_t sum = 0;
  for (const auto& layer : image.layers) {
    if (layer.compressed_bytes < 0) return -1;
    sum += layer.compressed_bytes;
  }
  return sum;
}

json::Value optional_text(const std::optional<std::string>& text) { return text ? json::Value(*text) : json::Value(); }
json::Value known(std::int64_t number) { return number < 0 ? json::Value() : json::Value(number); }

template <class T>
json::Value pair(const T& before, const T& after) {
  json::Value out = json::Value::object();
  out.set("before", before);
  out.set("after", after);
  return out;
}

json::Value files_of(const std::vector<analyze::PathChange>& paths) {
  json::Value out = json::Value::array();
  for (const auto& one : paths) {
    json::Value value = json::Value::object();
    value.set("change", analyze::name(one.what));
    value.set("path", "/" + one.path);
    value.set("type", analyze::name(one.kind));
    value.set("bytes_before", one.bytes_before);
    value.set("bytes_after", one.bytes_after);
    value.set("changed", json::from(analyze::aspects(one)));
    out.push(std::move(value));
  }
  return out;
}

}  // namespace

bool ImageDifference::any() const {
  if (!config.empty() || !changes.paths.empty() || !changes.packages.empty()) return true;
  for (const auto& layer : changes.layers)
    if (layer.where != analyze::LayerChange::Where::both) return true;
  return false;
}

Result<ImageDifference> diff_images(Engine& engine, ReadImage before, ReadImage after, task::Cancel cancel) {
  before.wanted = after.wanted = analyze::is_package_database;
  before.base = after.base = "none";
  const auto a = TRY(read_image(engine, before, cancel));
  const auto b = TRY(read_image(engine, after, cancel));
  ImageDifference out{.before_name = before.what, .after_name = after.what, .before_id = a.image.id, .after_id = b.image.id};
  out.config = compare_configs(a.config, b.config);
  out.changes = analyze::compare(a.image, b.image);
  out.compressed_before = compressed(a.image);
  out.compressed_after = compressed(b.image);
  return out;
}

json::Value to_json(const ImageDifference& difference) {
  const auto& changes = difference.changes;
  json::Value out = json::Value::object();
  out.set("version", 1);
  out.set("name", pair(difference.before_name, difference.after_name));
  out.set("id", pair(difference.before_id, difference.after_id));
  out.set("total_bytes", pair(changes.total_before, changes.total_after));
  out.set("live_bytes", pair(changes.live_before, changes.live_after));
  out.set("compressed_bytes", pair(known(difference.compressed_before), known(difference.compressed_after)));
  json::Value config = json::Value::array();
  for (const auto& one : difference.config) {
    json::Value value = pair(optional_text(one.before), optional_text(one.after));
    value.set("name", one.name);
    config.push(std::move(value));
  }
  out.set("config", std::move(config));
  json::Value layers = json::Value::array();
  for (const auto& one : changes.layers) {
    json::Value value = json::Value::object();
    value.set("in", analyze::name(one.where));
    value.set("diff_id", one.diff_id);
    value.set("instruction", one.instruction);
    value.set("bytes", one.bytes);
    layers.push(std::move(value));
  }
  out.set("layers", std::move(layers));
  out.set("files", files_of(changes.paths));
  json::Value packages = json::Value::array();
  for (const auto& one : changes.packages) {
    json::Value value = json::Value::object();
    value.set("manager", one.manager);
    value.set("name", one.name);
    value.set("before", one.was ? json::Value(one.before) : json::Value());
    value.set("after", one.is ? json::Value(one.after) : json::Value());
    packages.push(std::move(value));
  }
  out.set("packages", std::move(packages));
  out.set("rpm_not_compared", changes.has_rpm);
  return out;
}

}  // namespace mica::engine
