#include "engine/extra_hosts.h"

#include <doctest/doctest.h>

using namespace mica;
using engine::parse_extra_host;

TEST_CASE("hosts are written with a colon or an equals sign") {
  struct Case {
    const char *text, *name, *address;
  };
  for (const Case& c : {Case{"a:1.2.3.4", "a", "1.2.3.4"}, {"a.b=1.2.3.4", "a.b", "1.2.3.4"}, {"a:::1", "a", "::1"}, {"a=::1", "a", "::1"},
                        {"a:[fe80::1]", "a", "fe80::1"}, {"a=[1.2.3.4]", "a", "1.2.3.4"}, {"a:host-gateway", "a", "host-gateway"}}) {
    CAPTURE(c.text);
    const auto got = parse_extra_host(c.text);
    REQUIRE(got.has_value());
    CHECK(got->first == c.name);
    CHECK(got->second == c.address);
  }
}

TEST_CASE("hosts without a name or an address are refused in Docker's words") {
  struct Case {
    const char *text, *message;
  };
  for (const Case& c : {Case{"", "bad format for add-host: \"\""}, {"abc", "bad format for add-host: \"abc\""}, {":1.2.3.4", "bad format for add-host: \":1.2.3.4\""},
                        {"a:b=1.2.3.4", "bad format for add-host: \"a:b=1.2.3.4\""}, {"a:", "invalid IP address in add-host: \"\""},
                        {"a:x", "invalid IP address in add-host: \"x\""}, {"a=b=c", "invalid IP address in add-host: \"b=c\""},
                        {"a:[x]", "invalid IP address in add-host: \"x\""}, {"a:[]", "invalid IP address in add-host: \"[]\""}}) {
    CAPTURE(c.text);
    const auto got = parse_extra_host(c.text);
    REQUIRE(!got.has_value());
    CHECK(got.error().code() == Errc::invalid_argument);
    CHECK(got.error().text() == c.message);
  }
}
