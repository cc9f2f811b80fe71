#include "compose/canonical.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>

#include "base/format.h"
#include "base/text.h"
#include "container/ports.h"

namespace mica::compose {

namespace {

using json::Array;
using json::Object;
using json::Value;

std::unexpected<Error> wrong(std::string_view member, std::string_view why) { return failf(Errc::invalid_argument, "{}: {}", member, why); }

/// A list of KEY=VALUE becomes a map. `bare`: what a key alone is worth.
Value pairs(const Value& value, const Value& bare) {
  Object out;
  const auto put = [&](std::string key, Value text) {
    for (auto& [known, old] : out)
      if (known == key) {
        old = std::move(text);
        return;
      }
    out.emplace_back(std::move(key), std::move(text));
  };
  if (value.is_object())
    for (const auto& [key, member] : value.as_object()) put(key, member.is_object() ? member : member.is_null() ? bare : Value(scalar_text(member)));
  if (value.is_array())
    for (const auto& item : value.as_array()) {
      const std::string text = scalar_text(item);
      const auto parts = split_once(text, '=');
      put(std::string(parts ? parts->first : text), parts ? Value(std::string(parts->second)) : bare);
    }
  return out;
}

void make_pairs(Value& in, std::string_view member, const Value& bare) {
  if (auto* value = in.find(member)) *value = pairs(*value, bare);
}

/// A single text becomes a list of one; items become texts.
void make_list(Value& in, std::string_view member) {
  auto* value = in.find(member);
  if (!value || value->is_object()) return;
  if (!value->is_array()) *value = value->is_null() ? Value(Array{}) : Value(Array{*value});
  for (auto& item : value->as_array())
    if (!item.is_object() && !item.is_array()) item = scalar_text(item);
}

void make_text(Value& in, std::string_view member) {
  if (auto* value = in.find(member); value && !value->is_null()) *value = scalar_text(*value);
}

Result<> make_number(Value& in, std::string_view member) {
  auto* value = in.find(member);
  if (!value || value->is_number()) return {};
  const std::string text = scalar_text(*value);
  if (const auto number = parse_int(text)) *value = *number;
  else {
    char* end = nullptr;
    const double parsed = std::strtod(text.c_str(), &end);
    if (text.empty() || *end) return wrong(member, format("{} is not a number", quoted(text)));
    *value = parsed;
  }
  return {};
}

Result<> make_bool(Value& in, std::string_view member) {
  auto* value = in.find(member);
  if (!value || !value->is_string()) return {};
  const std::string text = to_lower(value->as_string());
  if (text == "true" || text == "1" || text == "y" || text == "yes" || text == "on") *value = true;
  else if (text == "false" || text == "0" || text == "n" || text == "no" || text == "off") *value = false;
  else return wrong(member, format("invalid boolean: {}", value->as_string()));
  return {};
}

Result<> make_bytes(Value& in, std::string_view member) {
  auto* value = in.find(member);
  if (!value) return {};
  const auto bytes = byte_count(*value);
  if (!bytes) return wrong(member, bytes.error().message());
  *value = std::to_string(*bytes);
  return {};
}

Result<> make_duration(Value& in, std::string_view member) {
  auto* value = in.find(member);
  if (!value) return {};
  const std::string text = scalar_text(*value);
  const auto ns = parse_duration(text);
  if (!ns) return wrong(member, format("{} is not a duration such as 1m30s", quoted(text)));
  *value = go_duration(*ns);
  return {};
}

void make_path(Value& in, std::string_view member, const CanonicalOptions& options) {
  if (auto* value = in.find(member); value && value->is_string() && !options.folder.empty()) *value = absolute(value->as_string(), options.folder);
}

Result<> make_command(Value& in, std::string_view member) {
  auto* value = in.find(member);
  if (!value) return {};
  if (value->is_string()) {
    auto words = shell_words(value->as_string());
    if (!words) return wrong(member, words.error().message());
    *value = json::from(*words);
  } else if (value->is_array()) {
    make_list(in, member);
  }
  return {};
}

/// "host:ip", "host=ip" or a map; printed as a list of "host=ip".
void make_hosts(Value& in) {
  auto* value = in.find("extra_hosts");
  if (!value) return;
  Object hosts;
  const auto put = [&](std::string host, const std::string& address) {
    std::string clean = address;
    if (clean.size() > 1 && clean.front() == '[' && clean.back() == ']') clean = clean.substr(1, clean.size() - 2);
    hosts.emplace_back(std::move(host), clean);
  };
  if (value->is_object()) {
    for (const auto& [host, addresses] : value->as_object()) {
      if (addresses.is_array())
        for (const auto& one : addresses.as_array()) put(host, scalar_text(one));
      else put(host, scalar_text(addresses));
    }
  } else if (value->is_array()) {
    for (const auto& item : value->as_array()) {
      const std::string text = scalar_text(item);
      auto parts = split_once(text, '=');
      if (!parts) parts = split_once(text, ':');
      put(std::string(parts ? parts->first : text), std::string(parts ? parts->second : ""));
    }
  }
  std::ranges::stable_sort(hosts, {}, [](const auto& one) { return one.first; });
  Array out;
  for (const auto& [host, address] : hosts) out.emplace_back(format("{}={}", host, address.as_string()));
  *value = std::move(out);
}

Result<> make_ulimits(Value& in) {
  auto* value = in.find("ulimits");
  if (!value || !value->is_object()) return {};
  for (auto& [name, limit] : value->as_object()) {
    if (limit.is_object()) {
      TRY(make_number(limit, "soft"));
      TRY(make_number(limit, "hard"));
    } else {
      Value holder(Object{{"n", limit}});
      TRY_DOING(make_number(holder, "n"), format("ulimits.{}", name));
      limit = *holder.find("n");
    }
  }
  return {};
}

Result<> make_ports(Value& service) {
  auto* value = service.find("ports");
  if (!value || !value->is_array()) return {};
  Array out;
  for (auto& item : value->as_array()) {
    if (item.is_object()) {
      Value port = std::move(item);
      TRY(make_number(port, "target"));
      make_text(port, "published");
      if (!port.find("mode")) port.set("mode", "ingress");
      if (!port.find("protocol")) port.set("protocol", "tcp");
      out.push_back(std::move(port));
      continue;
    }
    const std::string text = scalar_text(item);
    const auto bindings = container::parse_publish(text);
    if (!bindings) return wrong("ports", bindings.error().message());
    for (const auto& binding : *bindings) {
      Value port(Object{{"mode", "ingress"}});
      if (!binding.host_ip.empty()) port.set("host_ip", binding.host_ip);
      port.set("target", static_cast<int>(binding.container_port));
      if (binding.host_port) port.set("published", binding.host_port_end > binding.host_port ? format("{}-{}", binding.host_port, binding.host_port_end) : std::to_string(binding.host_port));
      port.set("protocol", binding.protocol);
      out.push_back(std::move(port));
    }
  }
  *value = std::move(out);
  return {};
}

bool is_path(std::string_view source) { return source.starts_with('/') || source.starts_with('.') || source.starts_with('~'); }

/// SOURCE:TARGET[:MODE], or TARGET alone.
Result<Value> short_mount(const std::string& text, const CanonicalOptions& options) {
  std::vector<std::string> parts;
  for (const auto part : split(text, ':')) parts.emplace_back(part);
  if (text.empty() || parts.size() > 3) return wrong("volumes", format("invalid spec: {}: too many colons", text));
  if (std::ranges::any_of(parts, [](const std::string& part) { return part.empty(); })) return wrong("volumes", format("invalid spec: {}: empty section between colons", text));
  // One letter is a drive of Windows, as docker compose reads it.
  if (parts.size() > 1 && parts[0].size() == 1 && std::isalpha(static_cast<unsigned char>(parts[0][0]))) {
    parts[0] += ":" + parts[1];
    parts.erase(parts.begin() + 1);
  }
  if (parts.size() == 1) return Value(Object{{"type", "volume"}, {"target", parts[0]}, {"volume", Object{}}});
  const bool bind = is_path(parts[0]);
  Value out(Object{{"type", bind ? "bind" : "volume"}, {"source", bind && !options.folder.empty() ? absolute(parts[0], options.folder) : parts[0]}, {"target", parts[1]}});
  Object bind_options, volume_options;
  if (bind) bind_options.emplace_back("create_host_path", true);
  if (parts.size() == 3)
    for (const auto option : split(parts[2], ',')) {
      if (option == "ro") out.set("read_only", true);
      else if (option == "nocopy") volume_options.emplace_back("nocopy", true);
      else if (option == "z" || option == "Z") bind_options.insert(bind_options.begin(), {"selinux", std::string(option)});
      else if (option == "shared" || option == "rshared" || option == "slave" || option == "rslave" || option == "private" || option == "rprivate")
        bind_options.insert(bind_options.begin(), {"propagation", std::string(option)});
    }
  if (bind) out.set("bind", std::move(bind_options));
  else out.set("volume", std::move(volume_options));
  return out;
}

Result<> make_mounts(Value& service, const CanonicalOptions& options) {
  auto* value = service.find("volumes");
  if (!value || !value->is_array()) return {};
  for (auto& item : value->as_array()) {
    if (!item.is_object()) {
      item = TRY(short_mount(scalar_text(item), options));
      continue;
    }
    const std::string type = item.string_or("type");
    if (type == "bind") make_path(item, "source", options);
    TRY(make_bool(item, "read_only"));
    if (auto* bind = item.find("bind"); bind && bind->is_object()) TRY(make_bool(*bind, "create_host_path"));
    if (auto* volume = item.find("volume"); volume && volume->is_object()) {
      TRY(make_bool(*volume, "nocopy"));
      make_pairs(*volume, "labels", "");
    }
    if (auto* tmpfs = item.find("tmpfs"); tmpfs && tmpfs->is_object()) {
      TRY(make_bytes(*tmpfs, "size"));
      TRY(make_number(*tmpfs, "mode"));
    }
    if (auto* target = item.find("target"); target && target->is_string() && target->as_string().size() > 1 && target->as_string().ends_with('/')) {
      std::string clean = target->as_string();
      while (clean.size() > 1 && clean.ends_with('/')) clean.pop_back();
      *target = clean;
    }
  }
  return {};
}

void make_file_refs(Value& service, std::string_view member) {
  auto* value = service.find(member);
  if (!value || !value->is_array()) return;
  for (auto& item : value->as_array()) {
    if (!item.is_object()) item = Object{{"source", scalar_text(item)}};
    for (const char* key : {"uid", "gid"}) make_text(item, key);
    if (auto* mode = item.find("mode")) {
      if (mode->is_int()) *mode = format("0{:o}", mode->as_int());
      else *mode = scalar_text(*mode);
    }
  }
}

Result<> make_build(Value& service, const CanonicalOptions& options) {
  auto* build = service.find("build");
  if (!build) return {};
  if (build->is_string()) *build = Object{{"context", build->as_string()}};
  if (!build->is_object()) return {};
  if (!build->find("context")) build->set("context", ".");
  const std::string context = build->string_or("context");
  const bool remote = context.find("://") != context.npos || context.starts_with("git@") || context.starts_with("github.com/");
  if (!remote) make_path(*build, "context", options);
  if (!build->find("dockerfile") && build->string_or("dockerfile_inline").empty()) build->set("dockerfile", "Dockerfile");
  if (build->string_or("dockerfile_inline").empty()) build->erase("dockerfile_inline");
  make_pairs(*build, "args", Value());
  make_pairs(*build, "labels", "");
  make_pairs(*build, "additional_contexts", "");
  if (auto* contexts = build->find("additional_contexts"); contexts && contexts->is_object())
    for (auto& [name, where] : contexts->as_object()) {
      const std::string text = scalar_text(where);
      if (text.find("://") == text.npos && !text.starts_with("service:") && !text.starts_with("target:") && !options.folder.empty()) where = absolute(text, options.folder);
    }
  for (const char* key : {"cache_from", "cache_to", "tags", "platforms", "entitlements", "no_cache_filter"}) make_list(*build, key);
  make_hosts(*build);
  make_file_refs(*build, "secrets");
  for (const char* key : {"no_cache", "pull", "privileged"}) TRY(make_bool(*build, key));
  for (const char* key : {"provenance", "sbom"}) make_text(*build, key);
  TRY(make_bytes(*build, "shm_size"));
  TRY(make_ulimits(*build));
  if (auto* ssh = build->find("ssh"); ssh && ssh->is_object()) {
    Array list;
    for (const auto& [id, path] : ssh->as_object()) list.emplace_back(path.is_null() ? id : format("{}: {}", id, scalar_text(path)));
    *ssh = std::move(list);
  }
  make_list(*build, "ssh");
  // Docker prints them so; whoever reads them takes both.
  if (auto* ssh = build->find("ssh"); ssh && ssh->is_array())
    for (auto& one : ssh->as_array())
      if (const auto parts = split_once(scalar_text(one), '=')) one = format("{}: {}", parts->first, parts->second);
  return {};
}

Result<> make_deploy(Value& service) {
  auto* deploy = service.find("deploy");
  if (!deploy || !deploy->is_object()) return {};
  TRY(make_number(*deploy, "replicas"));
  make_pairs(*deploy, "labels", "");
  for (const char* key : {"update_config", "rollback_config"})
    if (auto* update = deploy->find(key); update && update->is_object()) {
      for (const char* time : {"delay", "monitor"}) TRY(make_duration(*update, time));
    }
  if (auto* restart = deploy->find("restart_policy"); restart && restart->is_object())
    for (const char* time : {"delay", "window"}) TRY(make_duration(*restart, time));
  if (auto* resources = deploy->find("resources"); resources && resources->is_object())
    for (const char* which : {"limits", "reservations"})
      if (auto* limit = resources->find(which); limit && limit->is_object()) {
        TRY(make_number(*limit, "cpus"));
        TRY(make_number(*limit, "pids"));
        TRY(make_bytes(*limit, "memory"));
      }
  return {};
}

Result<> make_health(Value& service) {
  auto* health = service.find("healthcheck");
  if (!health || !health->is_object()) return {};
  if (auto* test = health->find("test")) {
    if (test->is_string()) *test = Array{"CMD-SHELL", test->as_string()};
    else make_list(*health, "test");
  }
  for (const char* key : {"interval", "timeout", "start_period", "start_interval"}) TRY(make_duration(*health, key));
  TRY(make_number(*health, "retries"));
  return make_bool(*health, "disable");
}

Result<> make_devices(Value& service) {
  auto* value = service.find("devices");
  if (!value || !value->is_array()) return {};
  for (auto& item : value->as_array()) {
    if (item.is_object()) continue;
    const std::string text = scalar_text(item);
    const auto parts = split(text, ':');
    if (parts.size() > 3) return wrong("devices", format("confusing device mapping, please use long syntax: {}", text));
    item = Object{{"source", std::string(parts[0])}, {"target", std::string(parts.size() > 1 ? parts[1] : parts[0])}, {"permissions", std::string(parts.size() > 2 ? parts[2] : "rwm")}};
  }
  return {};
}

Result<> make_hooks(Value& service, std::string_view member) {
  auto* value = service.find(member);
  if (!value || !value->is_array()) return {};
  for (auto& hook : value->as_array())
    if (hook.is_object()) {
      TRY(make_command(hook, "command"));
      make_pairs(hook, "environment", Value());
      TRY(make_bool(hook, "privileged"));
    }
  return {};
}

Result<> make_external(Value& object) {
  auto* external = object.find("external");
  if (!external) return {};
  if (external->is_object()) {
    const std::string name = external->string_or("name");
    *external = true;
    if (!name.empty()) object.set("name", name);
    return {};
  }
  TRY(make_bool(object, "external"));
  if (const auto* now = object.find("external"); now && now->is_bool() && !now->as_bool()) object.erase("external");
  return {};
}

}  // namespace

Result<> canonical_service(Value& service, const CanonicalOptions& options) {
  if (!service.is_object()) return {};
  TRY(make_build(service, options));
  for (const char* key : {"command", "entrypoint"}) TRY(make_command(service, key));
  make_pairs(service, "environment", Value());
  for (const char* key : {"labels", "annotations", "sysctls", "storage_opt"}) make_pairs(service, key, "");
  make_hosts(service);
  if (auto* files = service.find("env_file")) {
    make_list(service, "env_file");
    for (auto& file : files->as_array()) {
      if (!file.is_object()) file = Object{{"path", scalar_text(file)}};
      make_path(file, "path", options);
      TRY(make_bool(file, "required"));
    }
  }
  make_list(service, "label_file");
  if (auto* files = service.find("label_file"); files && !options.folder.empty())
    for (auto& file : files->as_array()) file = absolute(file.as_string(), options.folder);
  if (auto* value = service.find("depends_on"); value && value->is_array()) {
    Object map;
    for (const auto& name : value->as_array()) map.emplace_back(scalar_text(name), Object{{"condition", "service_started"}, {"required", true}});
    *value = std::move(map);
  } else if (value && value->is_object()) {
    for (auto& [name, dependency] : value->as_object()) {
      if (dependency.is_null()) dependency = Object{};
      if (!dependency.is_object()) continue;
      TRY(make_bool(dependency, "restart"));
      if (!dependency.find("condition")) dependency.set("condition", "service_started");
      if (!dependency.find("required")) dependency.set("required", true);
    }
  }
  if (auto* value = service.find("networks"); value && value->is_array()) {
    Object map;
    for (const auto& name : value->as_array()) map.emplace_back(scalar_text(name), Value());
    *value = std::move(map);
  }
  if (auto* value = service.find("extends"); value && value->is_string()) *value = Object{{"service", value->as_string()}};
  TRY(make_ports(service));
  TRY(make_mounts(service, options));
  make_file_refs(service, "secrets");
  make_file_refs(service, "configs");
  TRY(make_devices(service));
  for (const char* key : {"dns", "dns_search", "dns_opt", "tmpfs", "expose", "group_add", "cap_add", "cap_drop", "security_opt", "links", "external_links", "volumes_from", "profiles", "device_cgroup_rules"}) make_list(service, key);
  TRY(make_health(service));
  TRY(make_deploy(service));
  TRY(make_ulimits(service));
  if (auto* logging = service.find("logging"); logging && logging->is_object()) make_pairs(*logging, "options", "");
  for (const char* key : {"mem_limit", "mem_reservation", "memswap_limit", "shm_size", "mem_swappiness"}) TRY(make_bytes(service, key));
  for (const char* key : {"cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_shares", "cpus", "oom_score_adj", "pids_limit", "scale"}) TRY(make_number(service, key));
  for (const char* key : {"attach", "init", "oom_kill_disable", "privileged", "read_only", "stdin_open", "tty"}) TRY(make_bool(service, key));
  for (const char* key : {"user", "restart", "cpuset", "image", "hostname", "container_name"}) make_text(service, key);
  TRY(make_duration(service, "stop_grace_period"));
  if (auto* blkio = service.find("blkio_config"); blkio && blkio->is_object()) {
    TRY(make_number(*blkio, "weight"));
    for (const char* key : {"device_read_bps", "device_write_bps", "device_read_iops", "device_write_iops"})
      if (auto* rates = blkio->find(key); rates && rates->is_array())
        for (auto& rate : rates->as_array()) TRY(make_bytes(rate, "rate"));
  }
  if (auto* develop = service.find("develop"); develop && develop->is_object())
    if (auto* watch = develop->find("watch"); watch && watch->is_array())
      for (auto& trigger : watch->as_array()) {
        make_path(trigger, "path", options);
        for (const char* key : {"ignore", "include"}) make_list(trigger, key);
      }
  for (const char* key : {"post_start", "pre_stop"}) TRY(make_hooks(service, key));
  return {};
}

Result<> canonical_network(Value& network) {
  if (!network.is_object()) return {};
  make_pairs(network, "labels", "");
  make_pairs(network, "driver_opts", "");
  for (const char* key : {"internal", "attachable", "enable_ipv4", "enable_ipv6"}) TRY(make_bool(network, key));
  return make_external(network);
}

Result<> canonical_volume(Value& volume) {
  if (!volume.is_object()) return {};
  make_pairs(volume, "labels", "");
  make_pairs(volume, "driver_opts", "");
  return make_external(volume);
}

Result<> canonical_file_object(Value& object, const CanonicalOptions& options) {
  if (!object.is_object()) return {};
  make_pairs(object, "labels", "");
  make_path(object, "file", options);
  return make_external(object);
}

Result<std::vector<std::string>> shell_words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  bool any = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == '\'') {
      if (c == '\'') quote = 0;
      else word += c;
    } else if (c == '\\' && i + 1 < text.size() && (quote == 0 || std::string_view("\"\\$`").find(text[i + 1]) != std::string_view::npos)) {
      word += text[++i];
      any = true;
    } else if (quote == '"') {
      if (c == '"') quote = 0;
      else word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      any = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (any) out.push_back(std::move(word));
      word.clear();
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (quote) return fail(Errc::invalid_argument, "invalid command line string");
  if (any) out.push_back(std::move(word));
  return out;
}

std::string go_duration(std::int64_t ns) {
  if (ns == 0) return "0s";
  constexpr std::int64_t kSecond = 1'000'000'000, kMinute = 60 * kSecond, kHour = 60 * kMinute;
  const auto decimal = [](std::int64_t value, std::int64_t unit) {
    std::string text = std::to_string(value / unit);
    if (const std::int64_t rest = value % unit) {
      std::string digits = std::to_string(rest + unit).substr(1);
      while (digits.ends_with('0')) digits.pop_back();
      text += "." + digits;
    }
    return text;
  };
  if (ns < 1000) return format("{}ns", ns);
  if (ns < 1'000'000) return decimal(ns, 1000) + "µs";
  if (ns < kSecond) return decimal(ns, 1'000'000) + "ms";
  std::string out;
  if (ns >= kHour) out += format("{}h", ns / kHour);
  if (ns >= kMinute) out += format("{}m", ns % kHour / kMinute);
  return out + decimal(ns % kMinute, kSecond) + "s";
}

Result<std::int64_t> byte_count(const Value& value) {
  if (value.is_int()) return value.as_int();
  if (value.is_double()) return static_cast<std::int64_t>(value.as_double());
  const std::string text = scalar_text(value);
  if (text == "-1") return -1;
  return parse_size(text);
}

std::string scalar_text(const Value& value) {
  if (value.is_string()) return value.as_string();
  if (value.is_bool()) return value.as_bool() ? "true" : "false";
  if (value.is_int()) return std::to_string(value.as_int());
  if (value.is_double()) return format("{}", value.as_double());
  return {};
}

std::string absolute(const std::string& path, const std::string& folder) {
  std::string full = path;
  if (full == "~" || full.starts_with("~/")) {
    const char* home = std::getenv("HOME");
    full = std::string(home ? home : "/root") + full.substr(1);
  } else if (!full.starts_with('/')) {
    full = folder + "/" + full;
  }
  std::vector<std::string> parts;
  for (const auto part : split(full, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else {
      parts.emplace_back(part);
    }
  }
  return "/" + join(parts, "/");
}

}  // namespace mica::compose
