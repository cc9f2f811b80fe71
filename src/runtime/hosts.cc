#include <algorithm>

#include "base/text.h"
#include "runtime/network.h"
#include "sys/fd.h"

namespace mica::runtime {

namespace {

constexpr const char* kResolvConf = "/etc/resolv.conf";
constexpr const char* kSystemdServers = "/run/systemd/resolve/resolv.conf";   // the real servers behind the stub on 127.0.0.53
constexpr std::string_view kPublicServers[] = {"8.8.8.8", "8.8.4.4"};          // Docker's last resort

bool is_loopback(std::string_view server) { return server.starts_with("127.") || server == "::1"; }

}  // namespace

std::string container_resolv_conf(std::string_view host, std::string_view behind_stub, const std::vector<std::string>& nameservers,
                                  bool host_network) {
  if (host_network && nameservers.empty()) return std::string(host);
  std::vector<std::string> servers = nameservers;
  std::string rest;
  for (std::string_view line : split(host, '\n')) {
    auto words = split_blanks(line);
    if (words.empty() || words[0].starts_with('#') || words[0].starts_with(';')) continue;
    if (words[0] != "nameserver") rest += std::string(line) + "\n";
    else if (words.size() > 1 && nameservers.empty() && !is_loopback(words[1])) servers.emplace_back(words[1]);
  }
  if (servers.empty()) {
    for (std::string_view line : split(behind_stub, '\n'))
      if (auto words = split_blanks(line); words.size() > 1 && words[0] == "nameserver" && !is_loopback(words[1])) servers.emplace_back(words[1]);
  }
  if (servers.empty()) servers.assign(std::begin(kPublicServers), std::end(kPublicServers));
  std::string out;
  for (const std::string& server : servers) out += "nameserver " + server + "\n";
  return out + rest;
}

Result<std::string> resolv_conf(const std::vector<std::string>& nameservers, bool host_network) {
  auto host = sys::read_file(kResolvConf, 1 << 20);
  if (!host && host.error().code() != Errc::not_found) return fail(std::move(host.error()));
  auto behind = sys::read_file(kSystemdServers, 1 << 20);
  return container_resolv_conf(host ? *host : "", behind ? *behind : "", nameservers, host_network);
}

std::string hosts_file(const std::string& hostname, bool build, const std::vector<std::pair<std::string, std::string>>& extra) {
  std::string out = "127.0.0.1\tlocalhost";
  if (build && !hostname.empty()) out += " " + hostname;
  out += "\n::1\tlocalhost ip6-localhost ip6-loopback\n";
  if (!build) out += "fe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";
  for (const auto& [name, address] : extra) out += address + "\t" + name + "\n";
  return out;
}

}  // namespace mica::runtime
