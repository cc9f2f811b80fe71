#include "registry/hosts_toml.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "registry/host_names.h"
#include "registry/toml.h"

namespace mica::registry {
namespace {

/// One string or a list of them.
Result<std::vector<std::string>> strings(const json::Value& table, std::string_view key) {
  const json::Value* value = table.find(key);
  if (!value) return std::vector<std::string>();
  if (value->is_string()) return std::vector{value->as_string()};
  auto items = table.strings(key);
  if (!value->is_array() || items.size() != value->as_array().size()) return failf(Errc::invalid_argument, "\"{}\" must be a string or a list of strings", key);
  return items;
}

Result<bool> flag(const json::Value& table, std::string_view key) {
  const json::Value* value = table.find(key);
  if (value && !value->is_bool()) return failf(Errc::invalid_argument, "\"{}\" must be true or false", key);
  return value && value->as_bool();
}

/// `client`: "both.pem", ["both.pem", ...] or [["cert.pem", "key.pem"], ...]. The first counts.
Result<> read_client(const json::Value& table, TomlHost& host) {
  const json::Value* value = table.find("client");
  if (value && value->is_array() && !value->as_array().empty()) value = &value->as_array()[0];
  if (!value) return {};
  if (value->is_string()) {
    host.client_cert = host.client_key = value->as_string();
    return {};
  }
  const bool pair = value->is_array() && !value->as_array().empty() && value->as_array().size() <= 2 &&
                    std::ranges::all_of(value->as_array(), [](const json::Value& item) { return item.is_string(); });
  if (!pair) return fail(Errc::invalid_argument, "\"client\" must be a file, or pairs of certificate and key");
  host.client_cert = value->as_array().front().as_string();
  host.client_key = value->as_array().back().as_string();
  if (host.client_key.empty()) host.client_key = host.client_cert;
  return {};
}

Result<> read_capabilities(const json::Value& table, TomlHost& host) {
  if (!table.find("capabilities")) return {};
  const auto names = TRY(strings(table, "capabilities"));
  host.pull = host.resolve = host.push = false;
  for (const std::string& name : names) {
    if (name == "pull") host.pull = true;
    else if (name == "resolve") host.resolve = true;
    else if (name == "push") host.push = true;
    else if (name != "referrers") return failf(Errc::invalid_argument, "unknown capability {}: known are pull, resolve, push", quoted(name));
  }
  return {};
}

Result<> read_url(std::string_view url, bool override_path, TomlHost& host) {
  if (const auto scheme = url.find("://"); scheme != url.npos) {
    host.scheme = to_lower(url.substr(0, scheme));
    url.remove_prefix(scheme + 3);
  }
  const auto slash = std::min(url.find('/'), url.size());
  host.address = to_lower(url.substr(0, slash));
  if ((host.scheme != "http" && host.scheme != "https") || host.address.empty() || host.address.find('@') != host.address.npos ||
      url.find_first_of("?#") != url.npos)
    return failf(Errc::invalid_argument, "{} is no URL of a registry: http or https, without user and query", quoted(url));
  host.prefix = trim_right(url.substr(slash), "/");
  if (!override_path && !host.prefix.ends_with("/v2")) host.prefix += "/v2";
  return {};
}

Result<TomlHost> read_host(const json::Value& table, std::string_view url, const std::string& folder) {
  TomlHost host;
  const bool override_path = TRY(flag(table, "override_path"));
  if (!url.empty()) TRY(read_url(url, override_path, host));
  TRY(read_capabilities(table, host));
  host.skip_verify = TRY(flag(table, "skip_verify"));
  host.authorities = TRY(strings(table, "ca"));
  TRY(read_client(table, host));
  for (std::string& file : host.authorities) file = join_path(folder, file);
  for (std::string* file : {&host.client_cert, &host.client_key})
    if (!file->empty()) *file = join_path(folder, *file);
  return host;
}

Result<HostsToml> read(const std::string& file, const json::Value& content) {
  HostsToml settings{.file = file};
  const std::string folder = dir_name(file);
  settings.server = TRY_DOING(read_host(content, content.string_or("server"), folder), "server");
  const json::Value* hosts = content.find("host");
  if (!hosts) return settings;
  if (!hosts->is_object()) return fail(Errc::invalid_argument, "\"host\" must be a table: [host.\"https://...\"]");
  for (const auto& [url, table] : hosts->as_object()) {
    if (!table.is_object()) return failf(Errc::invalid_argument, "[host.{}] must be a table", quoted(url));
    auto host = TRY_DOING(read_host(table, url, folder), format("[host.{}]", quoted(url)));
    settings.hosts.push_back(std::move(host));
  }
  return settings;
}

}  // namespace

Result<std::optional<HostsToml>> read_hosts_toml(const std::string& file) {
  const auto content = TRY_DOING(read_toml(file), "reading the places of a registry");
  if (!content) return std::nullopt;
  auto settings = TRY_DOING(read(file, *content), format("reading the places of a registry from {}", file));
  return settings;
}

}  // namespace mica::registry
