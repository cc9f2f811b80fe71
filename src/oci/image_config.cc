#include <algorithm>
#include <array>
#include <climits>

#include "base/format.h"
#include "base/text.h"
#include "oci/image.h"
#include "oci/members.h"

namespace mica::oci {
namespace {

using Case = MembersView::Case;

constexpr std::array<std::string_view, 9> kTopMembers = {
    "architecture", "author", "config", "created", "history", "os", "os.version", "rootfs", "variant"};
constexpr std::array<std::string_view, 13> kConfigMembers = {
    "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir",
    "Labels", "StopSignal", "ArgsEscaped", "Healthcheck", "OnBuild", "Shell"};

/// Members of `value` not named in `known`, or null when there are none.
json::Value unknown_members(const json::Value& value, std::span<const std::string_view> known) {
  json::Value extra;
  for (const auto& [name, content] : value.as_object())
    if (std::ranges::none_of(known, [&](std::string_view k) { return equals_ignoring_case(k, name); })) {
      if (extra.is_null()) extra = json::Value::object();
      extra.as_object().emplace_back(name, content);
    }
  return extra;
}

Result<std::optional<Timestamp>> parse_created(const MembersView& members) {
  const std::string text = TRY(members.text("created"));
  if (text.empty()) return std::nullopt;
  auto time = parse_rfc3339(text);
  if (!time) return fail(std::move(time).error().with_code(Errc::corrupt).doing(members.path("created")));
  return *time;
}

Result<Healthcheck> parse_healthcheck(const json::Value& value) {
  const MembersView members = TRY(MembersView::of(value, "config.Healthcheck", Case::ignored));
  Healthcheck check;
  check.test = TRY(members.texts("Test"));
  check.interval = TRY(members.integer("Interval"));
  check.timeout = TRY(members.integer("Timeout"));
  check.start_period = TRY(members.integer("StartPeriod"));
  check.start_interval = TRY(members.integer("StartInterval"));
  const std::int64_t retries = TRY(members.integer("Retries"));
  if (retries < INT_MIN || retries > INT_MAX) return failf(Errc::corrupt, "config.Healthcheck.Retries is {}", retries);
  check.retries = static_cast<int>(retries);
  return check;
}

Result<std::optional<std::vector<std::string>>> parse_command(const MembersView& members, std::string_view key) {
  if (!members.find(key)) return std::nullopt;
  // Very old images hold a plain string.
  if (members.find(key)->is_string()) return std::vector<std::string>{members.find(key)->as_string()};
  return TRY(members.texts(key));
}

Result<> parse_config(const json::Value& value, ImageConfig& image) {
  const MembersView members = TRY(MembersView::of(value, "config", Case::ignored));
  image.user = TRY(members.text("User"));
  image.exposed_ports = TRY(members.names("ExposedPorts"));
  image.env = TRY(members.texts("Env"));
  image.entrypoint = TRY(parse_command(members, "Entrypoint"));
  image.cmd = TRY(parse_command(members, "Cmd"));
  image.volumes = TRY(members.names("Volumes"));
  image.working_dir = TRY(members.text("WorkingDir"));
  image.labels = TRY(members.pairs("Labels"));
  image.stop_signal = TRY(members.text("StopSignal"));
  image.args_escaped = TRY(members.boolean("ArgsEscaped"));
  if (const json::Value* check = members.find("Healthcheck")) image.healthcheck = TRY(parse_healthcheck(*check));
  image.on_build = TRY(members.texts("OnBuild"));
  image.shell = TRY(members.texts("Shell"));
  image.config_extra = unknown_members(value, kConfigMembers);
  return {};
}

Result<std::vector<DiffId>> parse_diff_ids(const json::Value& value) {
  const MembersView members = TRY(MembersView::of(value, "rootfs", Case::ignored));
  const std::string type = TRY(members.text("type"));
  if (!type.empty() && type != "layers") return failf(Errc::corrupt, "rootfs.type is {}, not \"layers\"", quoted(type.substr(0, 100)));
  const std::vector<std::string> texts = TRY(members.texts("diff_ids"));
  std::vector<DiffId> result;
  for (const std::string& text : texts) {
    auto digest = Digest::parse(text);
    if (!digest) return fail(std::move(digest).error().with_code(Errc::corrupt).doing(format("rootfs.diff_ids[{}]", result.size())));
    result.push_back({std::move(*digest)});
  }
  return result;
}

Result<History> parse_history(const json::Value& value, std::size_t index) {
  const MembersView members = TRY(MembersView::of(value, format("history[{}]", index), Case::ignored));
  History entry;
  entry.created = TRY(parse_created(members));
  entry.created_by = TRY(members.text("created_by"));
  entry.author = TRY(members.text("author"));
  entry.comment = TRY(members.text("comment"));
  entry.empty_layer = TRY(members.boolean("empty_layer"));
  return entry;
}

Result<ImageConfig> parse_document(const json::Value& value) {
  const MembersView document = TRY(MembersView::of(value, "", Case::ignored));
  ImageConfig image;
  image.created = TRY(parse_created(document));
  image.author = TRY(document.text("author"));
  image.platform.architecture = TRY(document.text("architecture"));
  image.platform.variant = TRY(document.text("variant"));
  image.platform.os_version = TRY(document.text("os.version"));
  const std::string os = TRY(document.text("os"));
  if (!os.empty()) image.platform.os = os;
  if (const json::Value* config = document.find("config")) TRY(parse_config(*config, image));
  const json::Value* rootfs = document.find("rootfs");
  if (!rootfs) return fail(Errc::corrupt, "not an image config: \"rootfs\" is missing");
  image.diff_ids = TRY(parse_diff_ids(*rootfs));
  const json::Array* entries = TRY(document.array("history"));
  if (entries)
    for (const json::Value& item : *entries) {
      History entry = TRY(parse_history(item, image.history.size()));
      image.history.push_back(std::move(entry));
    }
  const auto filled = std::ranges::count(image.history, false, &History::empty_layer);
  if (static_cast<std::size_t>(filled) > image.diff_ids.size())
    return failf(Errc::corrupt, "history speaks of {} layers, rootfs.diff_ids of {}", filled, image.diff_ids.size());
  image.extra = unknown_members(value, kTopMembers);
  return image;
}

json::Value set_of(std::vector<std::string> names) {
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  json::Object result;
  for (const std::string& name : names) result.emplace_back(name, json::Value::object());
  return result;
}

void set_text(json::Value& to, std::string_view key, const std::string& text) {
  if (!text.empty()) to.set(key, text);
}
void set_texts(json::Value& to, std::string_view key, const std::vector<std::string>& texts) {
  if (!texts.empty()) to.set(key, json::from(texts));
}
void set_number(json::Value& to, std::string_view key, std::int64_t number) {
  if (number != 0) to.set(key, number);
}

json::Value healthcheck_json(const Healthcheck& check) {
  json::Value result = json::Value::object();
  set_texts(result, "Test", check.test);
  set_number(result, "Interval", check.interval);
  set_number(result, "Timeout", check.timeout);
  set_number(result, "StartPeriod", check.start_period);
  set_number(result, "StartInterval", check.start_interval);
  set_number(result, "Retries", check.retries);
  return result;
}

json::Value config_json(const ImageConfig& image) {
  json::Value result = json::Value::object();
  set_text(result, "User", image.user);
  if (!image.exposed_ports.empty()) result.set("ExposedPorts", set_of(image.exposed_ports));
  set_texts(result, "Env", image.env);
  if (image.entrypoint) set_texts(result, "Entrypoint", *image.entrypoint);
  if (image.cmd) set_texts(result, "Cmd", *image.cmd);
  if (!image.volumes.empty()) result.set("Volumes", set_of(image.volumes));
  set_text(result, "WorkingDir", image.working_dir);
  if (!image.labels.empty()) {
    auto sorted = image.labels;
    std::ranges::sort(sorted);
    json::Value& labels = result.set("Labels", json::Value::object());
    for (const auto& [name, text] : sorted) labels.as_object().emplace_back(name, text);
  }
  set_text(result, "StopSignal", image.stop_signal);
  if (image.args_escaped) result.set("ArgsEscaped", true);
  if (image.healthcheck) result.set("Healthcheck", healthcheck_json(*image.healthcheck));
  set_texts(result, "OnBuild", image.on_build);
  set_texts(result, "Shell", image.shell);
  if (image.config_extra.is_object())
    for (const json::Member& member : image.config_extra.as_object()) result.as_object().push_back(member);
  return result;
}

json::Value history_json(const std::vector<History>& history) {
  json::Value result = json::Value::array();
  for (const History& entry : history) {
    json::Value item = json::Value::object();
    if (entry.created) item.set("created", rfc3339(*entry.created));
    set_text(item, "created_by", entry.created_by);
    set_text(item, "author", entry.author);
    set_text(item, "comment", entry.comment);
    if (entry.empty_layer) item.set("empty_layer", true);
    result.push(std::move(item));
  }
  return result;
}

}  // namespace

Result<ImageConfig> ImageConfig::parse(std::string_view bytes) {
  const json::Value value = TRY_DOING(json::parse(bytes), "reading image config");
  return TRY_DOING(parse_document(value), "reading image config");
}

json::Value ImageConfig::to_json() const {
  json::Value result = json::Value::object();
  result.set("architecture", platform.architecture);
  set_text(result, "author", author);
  result.set("config", config_json(*this));
  if (created) result.set("created", rfc3339(*created));
  if (!history.empty()) result.set("history", history_json(history));
  result.set("os", platform.os);
  set_text(result, "os.version", platform.os_version);
  json::Value& rootfs = result.set("rootfs", json::Value::object());
  rootfs.set("type", "layers");
  json::Value& ids = rootfs.set("diff_ids", json::Value::array());
  for (const DiffId& id : diff_ids) ids.push(id.digest.str());
  set_text(result, "variant", platform.variant);
  if (extra.is_object())
    for (const json::Member& member : extra.as_object()) result.as_object().push_back(member);
  std::ranges::stable_sort(result.as_object(), {}, &json::Member::first);
  return result;
}

std::string ImageConfig::write() const { return json::write_for_html(to_json()); }

}  // namespace mica::oci
