#include "compose/schema.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace mica::compose {

namespace {

constexpr unsigned kTexts = kText | kList;               // one or several

constexpr Field kUlimitFields[] = {{"soft", kWord}, {"hard", kWord}};
constexpr Table kUlimit{"ulimit", kUlimitFields};
constexpr Field kFileRefFields[] = {{"source"}, {"target"}, {"uid", kWord}, {"gid", kWord}, {"mode", kWord}};
constexpr Table kFileRef{"reference", kFileRefFields};

constexpr Field kBuildFields[] = {
    {"context"}, {"dockerfile"}, {"dockerfile_inline"}, {"entitlements", kList}, {"args", kPairs}, {"provenance", kScalar}, {"sbom", kScalar}, {"ssh", kPairs}, {"labels", kPairs},
    {"cache_from", kList}, {"cache_to", kList}, {"no_cache", kBool | kText}, {"no_cache_filter", kTexts}, {"additional_contexts", kPairs}, {"pull", kBool | kText}, {"extra_hosts", kPairs},
    {"isolation"}, {"network"}, {"target"}, {"secrets", kList, nullptr, &kFileRef}, {"shm_size", kWord}, {"tags", kList}, {"ulimits", kMap, nullptr, &kUlimit}, {"platforms", kList}, {"privileged", kBool | kText}};
constexpr Table kBuild{"build", kBuildFields};

constexpr Field kWatchFields[] = {{"path"}, {"action"}, {"target"}, {"exec", kMap}, {"include", kTexts}, {"ignore", kTexts}, {"initial_sync", kBool | kText}};
constexpr Table kWatch{"watch", kWatchFields};
constexpr Field kDevelopFields[] = {{"watch", kList, nullptr, &kWatch}};
constexpr Table kDevelop{"develop", kDevelopFields};

constexpr Field kRateFields[] = {{"path"}, {"rate", kWord}};
constexpr Table kRate{"rate", kRateFields};
constexpr Field kWeightFields[] = {{"path"}, {"weight", kWord}};
constexpr Table kWeight{"weight", kWeightFields};
constexpr Field kBlkioFields[] = {{"weight", kWord}, {"weight_device", kList, nullptr, &kWeight}, {"device_read_bps", kList, nullptr, &kRate}, {"device_read_iops", kList, nullptr, &kRate},
                                  {"device_write_bps", kList, nullptr, &kRate}, {"device_write_iops", kList, nullptr, &kRate}};
constexpr Table kBlkio{"blkio_config", kBlkioFields};

constexpr Field kDependencyFields[] = {{"condition"}, {"restart", kBool | kText}, {"required", kBool}};
constexpr Table kDependency{"dependency", kDependencyFields};

constexpr Field kUpdateFields[] = {{"parallelism", kWord}, {"delay"}, {"failure_action"}, {"monitor"}, {"max_failure_ratio", kWord}, {"order"}};
constexpr Table kUpdate{"update", kUpdateFields};
constexpr Field kDeviceRequestFields[] = {{"capabilities", kList}, {"driver"}, {"count", kWord}, {"device_ids", kList}, {"options", kPairs}};
constexpr Table kDeviceRequest{"device", kDeviceRequestFields};
constexpr Field kLimitFields[] = {{"cpus", kWord}, {"memory", kWord}, {"pids", kWord}, {"devices", kList, nullptr, &kDeviceRequest}, {"generic_resources", kList}};
constexpr Table kLimit{"limits", kLimitFields};
constexpr Field kResourceFields[] = {{"limits", kMap, &kLimit}, {"reservations", kMap, &kLimit}};
constexpr Table kResources{"resources", kResourceFields};
constexpr Field kDeployRestartFields[] = {{"condition"}, {"delay"}, {"max_attempts", kWord}, {"window"}};
constexpr Table kDeployRestart{"restart_policy", kDeployRestartFields};
constexpr Field kPlacementFields[] = {{"constraints", kList}, {"preferences", kList}, {"max_replicas_per_node", kWord}};
constexpr Table kPlacement{"placement", kPlacementFields};
constexpr Field kDeployFields[] = {{"mode"}, {"replicas", kWord}, {"labels", kPairs}, {"update_config", kMap, &kUpdate}, {"rollback_config", kMap, &kUpdate}, {"resources", kMap, &kResources},
                                   {"restart_policy", kMap, &kDeployRestart}, {"placement", kMap, &kPlacement}, {"endpoint_mode"}};
constexpr Table kDeploy{"deploy", kDeployFields};

constexpr Field kDeviceFields[] = {{"source"}, {"target"}, {"permissions"}};
constexpr Table kDevice{"device", kDeviceFields};
constexpr Field kEnvFileFields[] = {{"path"}, {"required", kBool | kText}, {"format"}};
constexpr Table kEnvFile{"env_file", kEnvFileFields};
constexpr Field kExtendsFields[] = {{"service"}, {"file"}};
constexpr Table kExtends{"extends", kExtendsFields};
constexpr Field kHealthFields[] = {{"test", kTexts}, {"timeout", kWord}, {"interval", kWord}, {"retries", kWord}, {"start_period", kWord}, {"start_interval", kWord}, {"disable", kBool | kText}};
constexpr Table kHealth{"healthcheck", kHealthFields};
constexpr Field kLoggingFields[] = {{"driver"}, {"options", kMap | kNull}};
constexpr Table kLogging{"logging", kLoggingFields};
constexpr Field kEndpointFields[] = {{"aliases", kList}, {"driver_opts", kMap}, {"gw_priority", kWord}, {"interface_name"}, {"ipv4_address"}, {"ipv6_address"}, {"link_local_ips", kList}, {"mac_address"}, {"priority", kWord}};
constexpr Table kEndpoint{"network", kEndpointFields};
constexpr Field kPortFields[] = {{"name"}, {"mode"}, {"host_ip"}, {"target", kWord}, {"published", kWord}, {"protocol"}, {"app_protocol"}};
constexpr Table kPort{"port", kPortFields};
constexpr Field kBindFields[] = {{"selinux"}, {"propagation"}, {"create_host_path", kBool | kText}, {"recursive"}};
constexpr Table kBind{"bind", kBindFields};
constexpr Field kVolumeOptionFields[] = {{"labels", kPairs}, {"nocopy", kBool | kText}, {"subpath"}};
constexpr Table kVolumeOptions{"volume", kVolumeOptionFields};
constexpr Field kTmpfsFields[] = {{"size", kWord}, {"mode", kWord}};
constexpr Table kTmpfs{"tmpfs", kTmpfsFields};
constexpr Field kImageMountFields[] = {{"subpath"}};
constexpr Table kImageMount{"image", kImageMountFields};
constexpr Field kMountFields[] = {{"type"}, {"source"}, {"target"}, {"read_only", kBool | kText}, {"consistency"}, {"bind", kMap | kNull, &kBind}, {"volume", kMap | kNull, &kVolumeOptions},
                                  {"tmpfs", kMap | kNull, &kTmpfs}, {"image", kMap | kNull, &kImageMount}};
constexpr Table kMount{"volume", kMountFields};
constexpr Field kHookFields[] = {{"command", kTexts}, {"user"}, {"privileged", kBool | kText}, {"working_dir"}, {"environment", kPairs}};
constexpr Table kHook{"hook", kHookFields};

constexpr Field kServiceFields[] = {
    {"profiles", kList}, {"annotations", kPairs}, {"attach", kBool | kText}, {"build", kText | kMap, &kBuild}, {"develop", kMap | kNull, &kDevelop}, {"blkio_config", kMap, &kBlkio}, {"cap_add", kList},
    {"cap_drop", kList}, {"cgroup_parent"}, {"cgroup"}, {"cpu_count", kWord}, {"cpu_percent", kWord}, {"cpu_period", kWord}, {"cpu_quota", kWord}, {"cpu_rt_period", kWord}, {"cpu_rt_runtime", kWord},
    {"cpus", kWord}, {"cpuset"}, {"cpu_shares", kWord}, {"command", kTexts | kNull}, {"configs", kList, nullptr, &kFileRef}, {"container_name"}, {"credential_spec", kMap}, {"depends_on", kList | kMap, nullptr, &kDependency},
    {"deploy", kMap | kNull, &kDeploy}, {"device_cgroup_rules", kList}, {"devices", kList, nullptr, &kDevice}, {"dns", kTexts}, {"dns_opt", kList}, {"dns_search", kTexts}, {"domainname"}, {"entrypoint", kTexts | kNull},
    {"provider", kMap}, {"environment", kPairs}, {"env_file", kTexts, nullptr, &kEnvFile}, {"expose", kList}, {"extends", kText | kMap, &kExtends}, {"external_links", kList}, {"extra_hosts", kPairs}, {"group_add", kList},
    {"gpus", kText | kList}, {"hostname"}, {"healthcheck", kMap, &kHealth}, {"image"}, {"init", kBool | kText}, {"ipc"}, {"isolation"}, {"labels", kPairs}, {"label_file", kTexts}, {"links", kList}, {"logging", kMap, &kLogging},
    {"mem_limit", kWord}, {"mem_reservation", kWord}, {"memswap_limit", kWord}, {"mem_swappiness", kWord}, {"mac_address"}, {"models", kList | kMap}, {"network_mode"}, {"networks", kList | kMap | kNull, nullptr, &kEndpoint},
    {"oom_kill_disable", kBool | kText}, {"oom_score_adj", kWord}, {"pid", kText | kNull}, {"pids_limit", kWord}, {"platform"}, {"ports", kList, nullptr, &kPort}, {"privileged", kBool | kText}, {"pull_policy"}, {"pull_refresh_after"},
    {"read_only", kBool | kText}, {"restart", kText | kBool}, {"runtime"}, {"scale", kWord}, {"secrets", kList, nullptr, &kFileRef}, {"security_opt", kList}, {"shm_size", kWord}, {"stdin_open", kBool | kText}, {"stop_grace_period"},
    {"stop_signal"}, {"storage_opt", kMap}, {"sysctls", kPairs}, {"tmpfs", kTexts}, {"tty", kBool | kText}, {"ulimits", kMap, nullptr, &kUlimit}, {"use_api_socket", kBool}, {"user", kWord}, {"userns_mode"}, {"uts"},
    {"volumes", kList, nullptr, &kMount}, {"volumes_from", kList}, {"working_dir"}, {"post_start", kList, nullptr, &kHook}, {"pre_stop", kList, nullptr, &kHook}};

constexpr Field kSubnetFields[] = {{"subnet"}, {"gateway"}, {"ip_range"}, {"aux_addresses", kMap}};
constexpr Table kSubnet{"subnet", kSubnetFields};
constexpr Field kIpamFields[] = {{"driver"}, {"config", kList, nullptr, &kSubnet}, {"options", kMap}};
constexpr Table kIpam{"ipam", kIpamFields};
constexpr unsigned kExternal = kBool | kMap | kText;
constexpr Field kNetworkFields[] = {{"name"}, {"driver"}, {"driver_opts", kMap}, {"ipam", kMap, &kIpam}, {"external", kExternal}, {"internal", kBool | kText}, {"attachable", kBool | kText}, {"labels", kPairs},
                                    {"enable_ipv4", kBool | kText}, {"enable_ipv6", kBool | kText}};
constexpr Field kVolumeFields[] = {{"name"}, {"driver"}, {"driver_opts", kMap}, {"external", kExternal}, {"labels", kPairs}};
constexpr Field kSecretFields[] = {{"name"}, {"file"}, {"environment"}, {"content"}, {"external", kExternal}, {"labels", kPairs}, {"driver"}, {"driver_opts", kMap}, {"template_driver"}};
constexpr Field kIncludeFields[] = {{"path", kTexts}, {"project_directory"}, {"env_file", kTexts}};
constexpr Table kInclude{"include", kIncludeFields};
constexpr Field kProjectFields[] = {{"version", kWord}, {"name"}, {"include", kList, nullptr, &kInclude}, {"services", kMap | kNull, nullptr, &kService}, {"networks", kMap | kNull, nullptr, &kNetwork},
                                    {"volumes", kMap | kNull, nullptr, &kVolume}, {"secrets", kMap | kNull, nullptr, &kSecret}, {"configs", kMap | kNull, nullptr, &kConfig}, {"models", kMap}};

unsigned type_of(const json::Value& value) {
  if (value.is_null()) return kNull;
  if (value.is_bool()) return kBool;
  if (value.is_number()) return kNumber;
  if (value.is_string()) return kText;
  return value.is_array() ? kList : kMap;
}

std::string words(unsigned types) {
  std::vector<std::string> out;
  for (const auto& [bit, name] : {std::pair{kText, "a string"}, std::pair{kNumber, "a number"}, std::pair{kBool, "a boolean"}, std::pair{kList, "a list"}, std::pair{kMap, "a mapping"}})
    if (types & static_cast<unsigned>(bit)) out.emplace_back(name);
  return join(out, " or ");
}

const json::Place& child(const json::Place& place, std::size_t index) { return index < place.children.size() ? place.children[index] : place; }

}  // namespace

constinit const Table kService{"service", kServiceFields};
constinit const Table kNetwork{"network", kNetworkFields};
constinit const Table kVolume{"volume", kVolumeFields};
constinit const Table kSecret{"secret", kSecretFields};
constinit const Table kConfig{"config", kSecretFields};
constinit const Table kProject{"project", kProjectFields};

namespace {

void check_value(const Field& field, const json::Value& value, const json::Place& place, const std::string& file, const std::string& path, std::vector<Problem>& problems) {
  if (!(field.types & type_of(value)) && !value.is_null()) {
    problems.push_back({file, place.line, place.column, path, format("must be {}", words(field.types)), {}});
    return;
  }
  if (value.is_object() && field.members) check(*field.members, value, place, file, path, problems);
  if (!field.each) return;
  if (value.is_object()) {
    for (std::size_t i = 0; i < value.as_object().size(); ++i) {
      const auto& [name, member] = value.as_object()[i];
      if (name.starts_with("x-")) continue;
      if (member.is_object()) check(*field.each, member, child(place, i), file, path + "." + name, problems);
      else if (!member.is_null() && (field.each == &kService || member.is_array())) problems.push_back({file, child(place, i).line, child(place, i).column, path + "." + name, "must be a mapping", {}});
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.as_array().size(); ++i)
      if (value.as_array()[i].is_object()) check(*field.each, value.as_array()[i], child(place, i), file, format("{}[{}]", path, i), problems);
  }
}

}  // namespace

void check(const Table& table, const json::Value& value, const json::Place& place, const std::string& file, const std::string& path, std::vector<Problem>& problems) {
  if (!value.is_object()) return;
  for (std::size_t i = 0; i < value.as_object().size(); ++i) {
    const auto& [name, member] = value.as_object()[i];
    if (name.starts_with("x-")) continue;
    const auto& where = child(place, i);
    const auto field = std::ranges::find(table.fields, name, &Field::name);
    const std::string below = path.empty() ? name : path + "." + name;
    if (field != table.fields.end()) {
      check_value(*field, member, where, file, below, problems);
      continue;
    }
    std::vector<std::string_view> known;
    for (const auto& one : table.fields) known.push_back(one.name);
    Problem problem{file, where.key_line ? where.key_line : where.line, where.key_column ? where.key_column : where.column, path, format("additional properties '{}' not allowed", name), {}};
    if (const auto near = closest(name, known)) problem.hint = format("did you mean {}?", *near);
    problems.push_back(std::move(problem));
  }
}

namespace {

json::Object sorted(json::Object members) {
  std::ranges::sort(members, {}, [](const auto& one) { return one.first; });
  return members;
}

/// Free values: every map in them by name.
json::Value sorted_deep(json::Value value) {
  if (value.is_object()) {
    for (auto& [name, member] : value.as_object()) member = sorted_deep(std::move(member));
    return sorted(std::move(value.as_object()));
  }
  if (value.is_array())
    for (auto& item : value.as_array()) item = sorted_deep(std::move(item));
  return value;
}

/// Go leaves out what is empty, but for what a pointer tells apart from nothing.
bool is_left_out(std::string_view name, const json::Value& value) {
  constexpr std::string_view kKept[] = {"attach", "init", "required", "volume", "bind", "tmpfs", "image", "command", "entrypoint", "networks", "default", "external_"};
  constexpr std::string_view kMaps[] = {"volume", "bind", "tmpfs", "image"};
  if (value.is_null()) return name != "networks";
  if (value.is_bool()) return !value.as_bool() && std::ranges::find(kKept, name) == std::end(kKept);
  if (value.is_array()) return value.as_array().empty() && name != "command" && name != "entrypoint";
  if (value.is_object()) return value.as_object().empty() && std::ranges::find(kMaps, name) == std::end(kMaps);
  return value.is_string() && value.as_string().empty();
}

}  // namespace

json::Value in_order(const Table& table, const json::Value& value) {
  if (!value.is_object()) return value;
  json::Object out, extensions;
  const auto free_map = [&](const Table* each, const json::Value& map) {
    json::Object members;
    for (const auto& [name, member] : map.as_object()) members.emplace_back(name, each ? in_order(*each, member) : member);
    return json::Value(sorted(std::move(members)));
  };
  for (const auto& field : table.fields) {
    const auto* member = value.find(field.name);
    if (!member || is_left_out(field.name, *member)) continue;
    if (member->is_object()) {
      out.emplace_back(field.name, field.members ? in_order(*field.members, *member) : free_map(field.each, *member));
    } else if (member->is_array() && field.each) {
      json::Array items;
      for (const auto& item : member->as_array()) items.push_back(in_order(*field.each, item));
      out.emplace_back(field.name, std::move(items));
    } else {
      out.emplace_back(field.name, *member);
    }
  }
  for (const auto& [name, member] : value.as_object())
    if (name.starts_with("x-")) extensions.emplace_back(name, sorted_deep(member));
  for (auto& one : sorted(std::move(extensions))) out.push_back(std::move(one));
  return out;
}

}  // namespace mica::compose
