// In a namespace of its own: nothing of the machine is touched.
#include "runtime/netlink.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <thread>

#include "runtime/firewall.h"
#include "runtime/network_namespace.h"
#include "sys/process.h"
#include "sys/userns.h"

using namespace mica;
using namespace mica::runtime;

namespace {

struct Spaces {
  sys::TempDir folder = sys::TempDir::create("/tmp", "mica-netlink").value();
  std::optional<NetworkNamespace> outer, inner;
  sys::Fd outer_fd, inner_fd;
  Spaces() {
    auto first = NetworkNamespace::create(folder.path() + "/a"), second = NetworkNamespace::create(folder.path() + "/b");
    if (!first || !second) return;
    outer.emplace(std::move(*first));
    inner.emplace(std::move(*second));
    outer_fd = sys::open(outer->path(), O_RDONLY).value();
    inner_fd = sys::open(inner->path(), O_RDONLY).value();
  }
};

int run_in(const sys::Fd& space, std::vector<std::string> argv) {
  int status = -1;
  (void)in_namespace(space, [&] {
    auto process = sys::Process::start({.argv = std::move(argv)});
    if (process) status = process->wait()->status;
  });
  return status;
}

}  // namespace

TEST_CASE("a bridge and a pair of interfaces carry packets between two namespaces") {
  Spaces spaces;
  if (!spaces.inner) {
    MESSAGE("skipped: needs the right to make network namespaces");
    return;
  }
  auto outer = Netlink::open_in(spaces.outer_fd).value(), inner = Netlink::open_in(spaces.inner_fd).value();
  REQUIRE(outer.add_bridge({.name = "br0", .mac = "02:42:00:00:00:01", .mtu = 1400}));
  auto bridge = outer.find("br0").value();
  REQUIRE(bridge);
  CHECK(bridge->mtu == 1400);
  REQUIRE(outer.add_address(bridge->index, IpPrefix::parse("10.1.2.1/24").value()));
  REQUIRE(outer.add_address(bridge->index, IpPrefix::parse("10.1.2.1/24").value()));   // twice
  REQUIRE(outer.add_address(bridge->index, IpPrefix::parse("fd12::1/64").value()));
  REQUIRE(outer.set_up(bridge->index));
  REQUIRE(outer.add_veth({.name = "veth0", .mtu = 1400}, bridge->index, {.name = "eth0", .mac = "02:42:0a:01:02:02", .mtu = 1400, .name_space = spaces.inner_fd.get()}));
  CHECK(outer.find("veth0").value()->master == bridge->index);
  const auto eth = inner.find("eth0").value();
  REQUIRE(eth);
  REQUIRE(inner.add_address(eth->index, IpPrefix::parse("10.1.2.2/24").value()));
  REQUIRE(inner.add_address(eth->index, IpPrefix::parse("fd12::2/64").value()));
  REQUIRE(inner.set_up(eth->index));
  REQUIRE(inner.add_route({.to = IpPrefix::parse("0.0.0.0/0").value(), .gateway = IpAddress::parse("10.1.2.1"), .link = eth->index}));
  const auto routes = inner.routes().value();
  const auto is_default = [](const Route& route) { return route.to.bits == 0 && !route.to.address.v6; };
  const auto route = std::ranges::find_if(routes, is_default);
  REQUIRE(route != routes.end());
  CHECK(route->gateway->text() == "10.1.2.1");
  CHECK(run_in(spaces.inner_fd, {"busybox", "ping", "-c1", "-W2", "10.1.2.1"}) == 0);
  CHECK(run_in(spaces.inner_fd, {"busybox", "ping", "-c1", "-W2", "fd12::1"}) == 0);
  REQUIRE(inner.remove_route(*route));
  const auto left = inner.routes().value();
  CHECK(std::ranges::none_of(left, is_default));
  REQUIRE(outer.remove_link("veth0"));
  REQUIRE(outer.remove_link("veth0"));
  CHECK_FALSE(inner.find("eth0").value());
}

TEST_CASE("firewall rules come and go without a trace") {
  Spaces spaces;
  if (!spaces.inner || !sys::find_program("iptables-restore")) {
    MESSAGE("skipped: needs the right to make network namespaces, and iptables");
    return;
  }
  const auto saved = [&] {
    std::string out;
    (void)in_namespace(spaces.outer_fd, [&] { out = sys::run_and_capture({"iptables-save"}).value_or("") + sys::run_and_capture({"ip6tables-save"}).value_or(""); });
    std::string rules;
    for (std::size_t at = 0; at < out.size(); at = out.find('\n', at) + 1)
      if (out.compare(at, 2, "-A") == 0) rules += out.substr(at, out.find('\n', at) + 1 - at);
    return rules;
  };
  REQUIRE(prepare_firewall(spaces.outer_fd, false));
  REQUIRE(prepare_firewall(spaces.outer_fd, true));
  const auto before = saved();
  REQUIRE(prepare_firewall(spaces.outer_fd, false));
  CHECK(saved() == before);
  auto rules = bridge_rules({.bridge = "br-x", .subnet = "10.1.2.0/24"});
  for (auto& rule : bridge_rules({.bridge = "br-x", .subnet = "fd12::/64", .v6 = true, .internal = true})) rules.push_back(rule);
  for (auto& rule : port_rules({.bridge = "br-x", .protocol = "tcp", .host_address = "192.0.2.7", .address = "10.1.2.2", .host_port = 8080, .port = 80})) rules.push_back(rule);
  for (auto& rule : port_rules({.bridge = "br-x", .protocol = "udp", .host_address = "", .address = "fd12::2", .host_port = 53, .port = 53, .v6 = true})) rules.push_back(rule);
  const auto added = add_rules(spaces.outer_fd, rules);
  REQUIRE_MESSAGE(added, added.error().text());
  CHECK(saved().find("-d 192.0.2.7/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.1.2.2:80") != std::string::npos);
  CHECK(rules_from_json([&] { static json::Value value; value = to_json(rules); return &value; }()) == rules);
  remove_rules(spaces.outer_fd, rules);
  CHECK(saved() == before);
  // One of them is missing already.
  REQUIRE(add_rules(spaces.outer_fd, {rules[2], rules[3]}));
  remove_rules(spaces.outer_fd, rules);
  CHECK(saved() == before);
}
