#include "container/ports.h"

#include <doctest/doctest.h>

#include "base/format.h"

using namespace mica;
using namespace mica::container;

namespace {
std::string shown(std::string_view text) {
  const auto ports = parse_publish(text);
  if (!ports) return ports.error().message();
  std::string out;
  for (const auto& p : *ports) out += format("{}{}|{}|{}{}", out.empty() ? "" : " ", p.host_ip, p.host_port, p.host_port_end ? format("{}|", p.host_port_end) : "", format("{}/{}", p.container_port, p.protocol));
  return out;
}
}  // namespace

TEST_CASE("published ports in all their forms") {
  struct { const char* text; const char* expected; } cases[] = {
      {"80", "|0|80/tcp"},
      {"8080:80", "|8080|80/tcp"},
      {"8080:80/udp", "|8080|80/udp"},
      {"127.0.0.1:8080:80", "127.0.0.1|8080|80/tcp"},
      {"127.0.0.1::80", "127.0.0.1|0|80/tcp"},
      {"[::1]:8080:80", "::1|8080|80/tcp"},
      {"[::1]::80", "::1|0|80/tcp"},
      {"8000-8001:80-81", "|8000|80/tcp |8001|81/tcp"},
      {"8000-8010:80", "|8000|8010|80/tcp"},
      {"80-81", "|0|80/tcp |0|81/tcp"},
      {"8000-8002:80-81", "invalid ranges specified for container and host Ports: 80-81 and 8000-8002"},
      {"x:80", "invalid hostPort: x"},
      {"80:x", "invalid containerPort: x"},
      {"80:70000", "invalid containerPort: 70000"},
      {"1.2.3:80:80", "invalid IP address: 1.2.3"},
      {"80/what", "invalid proto: what"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(shown(c.text) == c.expected);
  }
}

TEST_CASE("exposed ports") {
  CHECK(parse_expose("80").value() == std::vector<std::string>{"80/tcp"});
  CHECK(parse_expose("80-82/UDP").value() == std::vector<std::string>{"80/udp", "81/udp", "82/udp"});
  CHECK_FALSE(parse_expose("80:80"));
  CHECK_FALSE(parse_expose("x"));
}
