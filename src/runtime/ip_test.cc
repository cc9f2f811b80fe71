#include "runtime/ip.h"

#include <doctest/doctest.h>

using namespace mica::runtime;

TEST_CASE("addresses of both families come back as they went in") {
  for (const char* text : {"0.0.0.0", "172.18.0.1", "255.255.255.255", "::", "::1", "fd00::12:3", "2001:db8:1:2:3:4:5:6"}) {
    const auto address = IpAddress::parse(text);
    REQUIRE(address);
    CHECK(address->text() == text);
  }
  for (const char* text : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "fd00", "1.2.3.4/8", "g::"}) CHECK_FALSE(IpAddress::parse(text));
  CHECK(IpAddress::parse("127.0.0.11")->is_loopback());
  CHECK(IpAddress::parse("::1")->is_loopback());
  CHECK_FALSE(IpAddress::parse("128.0.0.1")->is_loopback());
}

TEST_CASE("prefixes") {
  const auto net = IpPrefix::parse("172.18.5.9/16").value();
  CHECK(net.masked().text() == "172.18.0.0/16");
  CHECK(net.host(2).text() == "172.18.0.2");
  CHECK(net.last().text() == "172.18.255.255");
  CHECK(net.contains(*IpAddress::parse("172.18.200.1")));
  CHECK_FALSE(net.contains(*IpAddress::parse("172.19.0.1")));
  CHECK_FALSE(net.contains(*IpAddress::parse("::1")));
  CHECK(net.overlaps(IpPrefix::parse("172.16.0.0/12").value()));
  CHECK_FALSE(net.overlaps(IpPrefix::parse("172.19.0.0/24").value()));
  const auto six = IpPrefix::parse("fd00:1::/64").value();
  CHECK(six.host(1).text() == "fd00:1::1");
  CHECK(six.last().text() == "fd00:1::ffff:ffff:ffff:ffff");
  CHECK(IpPrefix::parse("0.0.0.0/0")->contains(*IpAddress::parse("9.9.9.9")));
  for (const char* text : {"abc", "1.2.3.4", "1.2.3.4/33", "1.2.3.4/-1", "fd00::/129", "1.2.3.4/x"}) CHECK_FALSE(IpPrefix::parse(text));
}
