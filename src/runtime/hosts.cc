#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "runtime/network.h"
#include "sys/fd.h"

namespace mica::runtime {

namespace {

constexpr const char* kResolvConf = "/etc/resolv.conf";
constexpr const char* kSystemdServers = "/run/systemd/resolve/resolv.conf";   // the real servers behind the stub on 127.0.0.53
constexpr std::string_view kPublicServers[] = {"8.8.8.8", "8.8.4.4"};          // Docker's last resort
constexpr std::size_t kMaxBytes = 1 << 20;

bool is_loopback(std::string_view server) { return server.starts_with("127.") || server == "::1"; }
bool is_ipv6(std::string_view server) { return server.find(':') != std::string_view::npos; }
/// "fe80::1%eth0" names an interface that other namespaces do not have.
bool has_zone(std::string_view server) { return server.find('%') != std::string_view::npos; }

std::vector<std::string> servers_in(std::string_view text) {
  std::vector<std::string> out;
  for (std::string_view line : split(text, '\n')) {
    auto words = split_blanks(line);
    if (words.size() > 1 && words[0] == "nameserver" && !is_loopback(words[1]) && !has_zone(words[1])) out.emplace_back(words[1]);
  }
  bool any_ipv4 = std::any_of(out.begin(), out.end(), [](const std::string& server) { return !is_ipv6(server); });
  if (any_ipv4) std::erase_if(out, [](const std::string& server) { return is_ipv6(server); });
  return out;
}

std::string lines_of(const HostNames& hosts) {
  std::string out;
  for (const auto& [name, address] : hosts) out += format("{}\t{}\n", address, name);
  return out;
}

std::string read_or_empty(const char* path) { return sys::read_file(path, kMaxBytes).value_or(""); }

}  // namespace

std::vector<std::string> reachable_nameservers(std::string_view host, std::string_view behind_stub) {
  auto out = servers_in(host);
  return out.empty() ? servers_in(behind_stub) : out;
}

std::vector<std::string> reachable_nameservers() { return reachable_nameservers(read_or_empty(kResolvConf), read_or_empty(kSystemdServers)); }

std::string container_resolv_conf(std::string_view host, std::string_view behind_stub, const std::vector<std::string>& nameservers,
                                  bool host_network) {
  if (host_network && nameservers.empty()) return std::string(host);
  std::vector<std::string> servers = nameservers.empty() ? reachable_nameservers(host, behind_stub) : nameservers;
  if (servers.empty()) servers.assign(std::begin(kPublicServers), std::end(kPublicServers));
  std::string out;
  for (const std::string& server : servers) out += "nameserver " + server + "\n";
  for (std::string_view line : split(host, '\n')) {
    auto words = split_blanks(line);
    if (words.empty() || words[0].starts_with('#') || words[0].starts_with(';') || words[0] == "nameserver") continue;
    out += std::string(line) + "\n";
  }
  return out;
}

Result<std::string> resolv_conf(const std::vector<std::string>& nameservers, bool host_network) {
  auto host = sys::read_file(kResolvConf, kMaxBytes);
  if (!host && host.error().code() != Errc::not_found) return fail(std::move(host.error()));
  return container_resolv_conf(host.value_or(""), read_or_empty(kSystemdServers), nameservers, host_network);
}

HostNames with_gateway(HostNames hosts, const BuildNetwork* network) {
  for (auto& [name, address] : hosts)
    if (address == kHostGateway) address = network ? network->gateway() : "127.0.0.1";
  return hosts;
}

std::string step_hosts_file(const std::string& hostname, const HostNames& extra) {
  return format("127.0.0.1\tlocalhost{}{}\n::1\tlocalhost ip6-localhost ip6-loopback\n", hostname.empty() ? "" : " ", hostname) + lines_of(extra);
}

std::string container_hosts_file(const HostNames& extra, std::string_view address, std::string_view names) {
  std::string out = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
                    "fe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n" + lines_of(extra);
  if (!address.empty()) out += format("{}\t{}\n", address, names);
  return out;
}

std::string host_hosts_file(std::string_view host, const HostNames& extra) {
  std::string out(host);
  if (!out.empty() && !out.ends_with('\n')) out += '\n';
  return out + lines_of(extra);
}

}  // namespace mica::runtime
