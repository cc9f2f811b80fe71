#include "container/container_network.h"

#include <fcntl.h>

#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/text.h"
#include "container/name_server.h"
#include "container/network_endpoint.h"
#include "container/network_sweep.h"
#include "container/port_text.h"
#include "container/published_ports.h"
#include "runtime/netlink.h"
#include "runtime/network.h"
#include "runtime/network_namespace.h"

namespace mica::container {

namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kIdBytes = 32;

json::Value strings_or_null(const std::vector<std::string>& strings) { return strings.empty() ? json::Value() : json::from(strings); }

json::Value ipam_config(const Endpoint& endpoint) {
  json::Object out;
  if (!endpoint.ipv4.empty()) out.emplace_back("IPv4Address", endpoint.ipv4);
  if (!endpoint.ipv6.empty()) out.emplace_back("IPv6Address", endpoint.ipv6);
  if (!endpoint.link_local_ips.empty()) out.emplace_back("LinkLocalIPs", json::from(endpoint.link_local_ips));
  return out.empty() ? json::Value() : json::Value(std::move(out));
}

json::Value to_json(const Joined& joined) {
  json::Object options;
  for (const auto& [name, value] : joined.endpoint.driver_options) options.emplace_back(name, value);
  return json::Object{{"IPAMConfig", ipam_config(joined.endpoint)},
                      {"Links", strings_or_null(joined.endpoint.links)},
                      {"Aliases", strings_or_null(joined.endpoint.aliases)},
                      {"MacAddress", joined.mac},
                      {"DriverOpts", options.empty() ? json::Value() : json::Value(std::move(options))},
                      {"GwPriority", joined.endpoint.gateway_priority},
                      {"NetworkID", joined.network.id},
                      {"EndpointID", joined.id},
                      {"Gateway", joined.gateway},
                      {"IPAddress", joined.ipv4},
                      {"IPPrefixLen", joined.bits},
                      {"IPv6Gateway", joined.gateway6},
                      {"GlobalIPv6Address", joined.ipv6},
                      {"GlobalIPv6PrefixLen", joined.bits6},
                      {"DNSNames", strings_or_null(joined.dns_names)}};
}

class Network : public ContainerNetwork {
 public:
  Network(const NetworkRequest& request, std::string folder, Ground ground, runtime::NetworkNamespace name_space, sys::Fd inside)
      : request_(request), folder_(std::move(folder)), ground_(std::move(ground)), namespace_(std::move(name_space)), inside_(std::move(inside)), sandbox_(random_hex(kIdBytes)) {}

  ~Network() override {
    names_.reset();
    ports_ = {};
    loop_.reset();
    auto lock = lock_ground(folder_, {});
    if (!lock) log::debug("{}", lock.error().text());
    for (auto& joined : joined_) leave_network(ground_, joined);
  }

  Result<> join_all(const task::Cancel& cancel) {
    (void)cancel;
    TRY(bring_up_loopback());
    for (const auto& [network, endpoint] : request_.networks) TRY(add(network, endpoint));
    if (request_.networks.empty()) return {};
    TRY(wire());
    if (has_names()) TRY(serve_names());
    return {};
  }

  const std::string& namespace_path() const override { return namespace_.path(); }

  json::Value settings() const override {
    const int first = default_bridge();
    const Joined none;
    const Joined& old = first < 0 ? none : joined_[static_cast<std::size_t>(first)];
    json::Object networks;
    std::vector<const Joined*> sorted;
    for (const auto& joined : joined_) sorted.push_back(&joined);
    std::ranges::sort(sorted, {}, [](const Joined* one) { return one->network.name; });
    for (const auto* joined : sorted) networks.emplace_back(joined->network.name, to_json(*joined));
    if (joined_.empty()) networks = nowhere();
    return json::Object{{"Bridge", ""},
                        {"SandboxID", sandbox_},
                        {"SandboxKey", namespace_.path()},
                        {"Ports", ports()},
                        {"HairpinMode", false},
                        {"LinkLocalIPv6Address", ""},
                        {"LinkLocalIPv6PrefixLen", 0},
                        {"SecondaryIPAddresses", json::Value()},
                        {"SecondaryIPv6Addresses", json::Value()},
                        {"EndpointID", old.id},
                        {"Gateway", old.gateway},
                        {"GlobalIPv6Address", old.ipv6},
                        {"GlobalIPv6PrefixLen", old.bits6},
                        {"IPAddress", old.ipv4},
                        {"IPPrefixLen", old.bits},
                        {"IPv6Gateway", old.gateway6},
                        {"MacAddress", old.mac},
                        {"Networks", std::move(networks)}};
  }

  std::string ports_column() const override { return container::ports_column(bindings(), request_.exposed); }

  std::string resolv_conf() const override {
    const auto host = sys::read_file("/etc/resolv.conf", kMaxFileBytes).value_or("");
    return resolv_conf_of(host, has_names());
  }

  std::string hosts() const override {
    runtime::HostNames extra;
    for (const auto& text : request_.extra_hosts) {
      const auto parts = split_once(text, ':');
      if (!parts) continue;
      extra.emplace_back(parts->first, parts->second == runtime::kHostGateway ? host_gateway() : std::string(parts->second));
    }
    for (const auto& line : linked()) extra.push_back(line);
    std::string out = runtime::container_hosts_file(extra, "", "");
    std::string names = request_.hostname;
    if (!request_.domainname.empty()) names = format("{}.{} {}", request_.hostname, request_.domainname, request_.hostname);
    else if (const auto dot = names.find('.'); dot != names.npos) names += " " + request_.hostname.substr(0, dot);
    for (const auto& joined : joined_)
      for (const auto& address : {joined.ipv4, joined.ipv6})
        if (!address.empty()) out += format("{}\t{}\n", address, names);
    return out;
  }

  Result<> connect(const NetworkRow& network, const Endpoint& endpoint, const task::Cancel& cancel) override {
    if (find(network) != joined_.end()) return failf(Errc::conflict, "endpoint with name {} already exists in network {}", request_.name, network.name);
    auto lock = TRY(lock_ground(folder_, cancel));
    TRY(add(network, endpoint));
    auto done = wire();
    if (done && has_names()) done = names_ ? update_names() : serve_names();
    if (done) return {};
    leave_network(ground_, joined_.back());
    joined_.pop_back();
    (void)wire();
    return done;
  }

  Result<> disconnect(const NetworkRow& network, const task::Cancel& cancel) override {
    const auto at = find(network);
    if (at == joined_.end()) return failf(Errc::not_found, "container {} is not connected to network {}", request_.id, network.name);
    auto lock = TRY(lock_ground(folder_, cancel));
    if (leads_to_ == at->id) {
      ports_.lead_nowhere(ground_, *at);
      leads_to_.clear();
    }
    leave_network(ground_, *at);
    joined_.erase(at);
    TRY(wire());
    return update_names();
  }

  Result<> rename(const std::string& name) override {
    auto lock = TRY(lock_ground(folder_, {}));
    for (auto& joined : joined_) {
      std::ranges::replace(joined.dns_names, request_.name, name);
      joined.record.name = name;
      joined.record.names = joined.dns_names;
      if (!joined.lease.empty()) TRY(joined.lease.write(joined.record));
    }
    request_.name = name;
    return {};
  }

 private:
  std::vector<Joined>::iterator find(const NetworkRow& network) {
    return std::ranges::find_if(joined_, [&](const Joined& one) { return one.network.id == network.id; });
  }

  Result<> bring_up_loopback() {
    Result<> done;
    TRY(runtime::in_namespace(inside_, [&] {
      done = []() -> Result<> {
        auto links = TRY(runtime::Netlink::open());
        const auto loopback = TRY(links.find("lo"));
        return loopback ? links.set_up(loopback->index) : Result<>();
      }();
    }));
    return done;
  }

  Result<> add(const NetworkRow& network, const Endpoint& endpoint) {
    std::string prefix = option(network.options, "com.docker.network.container_iface_prefix");
    if (prefix.empty()) prefix = "eth";
    auto joined = TRY(join_network(ground_, request_, network, endpoint, inside_, format("{}{}", prefix, next_interface_)));
    ++next_interface_;
    joined_.push_back(std::move(joined));
    return {};
  }

  /// The way out, and with it the ports: both are the same endpoint's.
  Result<> wire() {
    const int chosen = TRY(choose_default_route(inside_, joined_));
    if (request_.ports.empty()) return {};
    Joined* to = chosen >= 0 ? &joined_[static_cast<std::size_t>(chosen)] : nullptr;
    if (to && to->id == leads_to_) return {};
    for (auto& joined : joined_)
      if (joined.id == leads_to_) ports_.lead_nowhere(ground_, joined);
    leads_to_.clear();
    if (!to) return {};
    const auto explain = [&] { return format("driver failed programming external connectivity on endpoint {} ({})", request_.name, to->id); };
    if (ports_.all().empty()) {
      auto wanted = request_.ports;
      const auto host_ip = option(to->network.options, "com.docker.network.bridge.host_binding_ipv4");
      for (auto& port : wanted)
        if (port.host_ip.empty() && !host_ip.empty() && host_ip != "0.0.0.0") port.host_ip = host_ip;
      ports_ = TRY_DOING(PublishedPorts::open(ground_, wanted), explain());
    }
    TRY(start_loop());
    TRY_DOING(ports_.lead_to(ground_, *loop_, *to), explain());
    leads_to_ = to->id;
    return {};
  }

  Result<> start_loop() {
    if (!loop_) loop_ = TRY(EventLoop::start());
    return {};
  }

  bool has_names() const { return std::ranges::any_of(joined_, [](const Joined& one) { return !is_default_bridge(one.network); }); }

  KnownNames known_names() const {
    KnownNames known;
    std::vector<const Joined*> sorted;
    for (const auto& joined : joined_)
      if (!is_default_bridge(joined.network)) sorted.push_back(&joined);
    for (const auto* joined : sorted) {
      known.networks.push_back({ground_.folder_of(joined->network), joined->network.name});
      for (const auto& link : joined->endpoint.links) {
        const auto parts = split_once(link, ':');
        known.links.emplace_back(parts ? parts->second : link, parts ? parts->first : link);
      }
    }
    if (default_endpoint(joined_) >= 0) known.servers = outside_servers();
    return known;
  }

  /// The name server runs in the machine's namespace, so that the machine's loopback ones will do.
  std::vector<std::string> outside_servers() const {
    if (!request_.dns.empty()) return request_.dns;
    std::vector<std::string> out;
    const std::string text = sys::read_file("/etc/resolv.conf", kMaxFileBytes).value_or("");
    for (const auto line : split(text, '\n')) {
      const auto words = split_blanks(line);
      if (words.size() > 1 && words[0] == "nameserver" && runtime::IpAddress::parse(words[1])) out.emplace_back(words[1]);
    }
    return out;
  }

  Result<> serve_names() {
    TRY(start_loop());
    names_ = TRY(NameServer::start(*loop_, inside_, known_names()));
    return {};
  }
  Result<> update_names() {
    if (names_) names_->update(known_names());
    return {};
  }

  int default_bridge() const {
    for (std::size_t i = 0; i < joined_.size(); ++i)
      if (is_default_bridge(joined_[i].network)) return static_cast<int>(i);
    return -1;
  }

  std::vector<PortBinding> bindings() const {
    std::vector<PortBinding> out;
    for (const auto& port : ports_.all()) out.push_back(port.binding);
    return out;
  }

  json::Value ports() const { return ports_json(bindings(), request_.exposed); }

  static json::Object nowhere() {
    Joined none;
    none.network.id = none_network().id;
    none.id = random_hex(kIdBytes);
    json::Object out;
    out.emplace_back("none", to_json(none));
    return out;
  }

  /// Docker's is the address of its bridge; ours too, where it is made.
  std::string host_gateway() const {
    if (ground_.shared) return ground_.host_gateway;
    const auto subnet = default_subnet(ground_, "mica0");
    if (subnet) return subnet->gateway;
    return joined_.empty() ? "127.0.0.1" : joined_[0].gateway;
  }

  /// --link on the default bridge: names in /etc/hosts, of those who run now.
  runtime::HostNames linked() const {
    runtime::HostNames out;
    for (const auto& joined : joined_) {
      if (!is_default_bridge(joined.network)) continue;
      for (const auto& link : joined.endpoint.links) {
        const auto parts = split_once(link, ':');
        const std::string target(parts ? parts->first : link), alias(parts ? parts->second : link);
        for (const auto& record : live_records(ground_.folder))
          if (record.name == target || record.container.starts_with(target)) out.emplace_back(format("{} {} {}", alias, record.container.substr(0, 12), record.name), record.ipv4);
      }
    }
    return out;
  }

  std::string resolv_conf_of(const std::string& host, bool own_server) const {
    std::string out;
    const auto servers = own_server ? std::vector<std::string>{kNameServerAddress} : request_.dns;
    const std::string base = own_server ? runtime::container_resolv_conf(host, "", servers, false) : runtime::resolv_conf(servers, false).value_or("");
    std::vector<std::string> options = request_.dns_options;
    for (const auto line : split(base, '\n')) {
      const auto words = split_blanks(line);
      if (words.empty()) continue;
      const bool search = words[0] == "search" || words[0] == "domain";
      if (search && !request_.dns_search.empty()) continue;
      if (words[0] == "options") {
        if (request_.dns_options.empty())
          for (std::size_t i = 1; i < words.size(); ++i) options.emplace_back(words[i]);
        continue;
      }
      out += format("{}\n", line);
    }
    if (!request_.dns_search.empty() && request_.dns_search[0] != ".") out += "search " + join(request_.dns_search, " ") + "\n";
    const bool says_ndots = std::ranges::any_of(options, [](const std::string& one) { return one.starts_with("ndots:"); });
    if (own_server && !says_ndots) options.emplace_back("ndots:0");
    if (!options.empty()) out += "options " + join(options, " ") + "\n";
    return out;
  }

  NetworkRequest request_;
  std::string folder_;
  Ground ground_;
  runtime::NetworkNamespace namespace_;
  sys::Fd inside_;
  std::string sandbox_, leads_to_;                       // id of the endpoint that the ports lead to
  std::vector<Joined> joined_;
  int next_interface_ = 0;
  std::unique_ptr<EventLoop> loop_;
  PublishedPorts ports_;
  std::unique_ptr<NameServer> names_;
};

}  // namespace

Result<std::unique_ptr<ContainerNetwork>> join_networks(const NetworkRequest& request, const task::Cancel& cancel) {
  const std::string folder = TRY(network_folder(request.state_root));
  auto name_space = TRY(runtime::NetworkNamespace::create(format("{}/netns-{}", request.folder, random_hex(4))));
  auto inside = TRY(sys::open(name_space.path(), O_RDONLY));
  auto lock = TRY(lock_ground(folder, cancel));
  Ground ground{.folder = folder};
  if (!request.networks.empty()) {
    ground = TRY(open_ground(folder, true));
    sweep_ground(ground);
  }
  auto network = std::make_unique<Network>(request, folder, std::move(ground), std::move(name_space), std::move(inside));
  auto joined = network->join_all(cancel);
  if (joined) return network;
  // It takes the lock itself when it goes.
  { auto unlocked = std::move(lock); }
  network.reset();
  return fail(std::move(joined).error());
}

}  // namespace mica::container
