#include "runtime/subnet.h"

#include <doctest/doctest.h>

using namespace mica::runtime;

namespace {
constexpr const char* kHead = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
std::string routes(const std::string& lines) { return kHead + lines; }
constexpr const char* kDefault = "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";          // via 192.0.2.1
constexpr const char* kLan = "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";              // 192.0.2.0/24
constexpr const char* kVpn = "tun0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n";              // 10.0.0.0/8
constexpr const char* kOne = "br1\t00F0590A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";               // 10.89.240.0/24
constexpr const char* kHost = "wg0\t05F1590A\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n";              // 10.89.241.5/32
constexpr const char* kOurs = "mica0\t0010A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";            // 192.168.16.0/24

std::string chosen(const std::string& lines) {
  auto got = choose_subnet(routes(lines), "mica0");
  return got ? got->text() : "none";
}
}  // namespace

TEST_CASE("the subnet is one that no route leads into") {
  const std::string def = kDefault, lan = kLan, vpn = kVpn, one = kOne, host = kHost, ours = kOurs;
  CHECK(chosen("") == "10.89.240.0/24");
  CHECK(chosen(def + lan) == "10.89.240.0/24");
  CHECK(chosen(def + one) == "10.89.241.0/24");
  CHECK(chosen(def + one + host) == "10.89.242.0/24");
  CHECK(chosen(vpn) == "172.31.240.0/24");
  CHECK(chosen(vpn + "x\t00001FAC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n") == "192.168.224.0/24");
  CHECK(chosen(vpn + "x\t00001FAC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\ny\t0000A8C0\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n") == "none");
}

TEST_CASE("an existing bridge keeps its subnet, whatever it is") {
  const std::string one = kOne, ours = kOurs;
  CHECK(chosen(one + ours) == "192.168.16.0/24");
}

TEST_CASE("addresses in a subnet") {
  const Subnet subnet{0x0a59f000, 24};
  CHECK(subnet.host(1) == "10.89.240.1");
  CHECK(subnet.host(254) == "10.89.240.254");
  CHECK(subnet.overlaps({0x0a590000, 16}));
  CHECK_FALSE(subnet.overlaps({0x0a59f100, 24}));
}

TEST_CASE("the default gateway") {
  CHECK(default_gateway(routes(std::string(kLan) + kDefault)) == "192.0.2.1");
  CHECK(default_gateway(routes(kLan)) == "");
  CHECK(default_gateway("") == "");
}
