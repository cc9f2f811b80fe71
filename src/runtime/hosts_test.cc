#include <doctest/doctest.h>

#include "runtime/network.h"

using namespace mica::runtime;
using Servers = std::vector<std::string>;

TEST_CASE("a container's resolv.conf names servers that it can reach, and keeps the rest") {
  struct Row {
    const char* host;
    const char* behind;
    Servers own;
    bool host_network;
    const char* expected;
  };
  for (const Row& row : {
           Row{"nameserver 10.0.0.2\nsearch corp.example\noptions ndots:2\n", "", {}, false, "nameserver 10.0.0.2\nsearch corp.example\noptions ndots:2\n"},
           Row{"# written by X\n; old\nsearch a b\nnameserver 10.0.0.2\nnameserver 127.0.0.1\n", "", {}, false, "nameserver 10.0.0.2\nsearch a b\n"},
           Row{"nameserver 127.0.0.53\noptions edns0\nsearch lan\n", "nameserver 192.0.2.9\nsearch other\n", {}, false, "nameserver 192.0.2.9\noptions edns0\nsearch lan\n"},
           Row{"nameserver 127.0.0.1\n", "nameserver 127.0.0.1\n", {}, false, "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"},
           Row{"", "", {}, false, "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"},
           Row{"nameserver fd00::1\nnameserver fe80::1%eth0\nnameserver 10.0.0.2\n", "", {}, false, "nameserver 10.0.0.2\n"},
           Row{"nameserver fd00::1\nnameserver ::1\n", "", {}, false, "nameserver fd00::1\n"},
           Row{"nameserver 10.0.0.2\nsearch lan", "", {"9.9.9.9"}, false, "nameserver 9.9.9.9\nsearch lan\n"},
           Row{"# as it is\nnameserver 127.0.0.53\n", "nameserver 192.0.2.9\n", {}, true, "# as it is\nnameserver 127.0.0.53\n"},
           Row{"nameserver 127.0.0.53\nsearch lan\n", "", {"9.9.9.9"}, true, "nameserver 9.9.9.9\nsearch lan\n"},
           Row{"nameserver\nnameserver 10.0.0.2\r\n", "", {}, false, "nameserver 10.0.0.2\n"},
       })
    CHECK(container_resolv_conf(row.host, row.behind, row.own, row.host_network) == row.expected);
}

TEST_CASE("nameservers that another namespace reaches") {
  CHECK(reachable_nameservers("nameserver 127.0.0.1\n", "") == Servers{});
  CHECK(reachable_nameservers("nameserver 127.0.0.53\n", "nameserver 10.1.1.1\nnameserver 10.1.1.2\n") == Servers{"10.1.1.1", "10.1.1.2"});
}

TEST_CASE("the hosts file of a step is BuildKit's, that of a container Docker's") {
  CHECK(step_hosts_file("buildkitsandbox", {{"db", "10.0.0.5"}}) ==
        "127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n10.0.0.5\tdb\n");
  const std::string usual =
      "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\n"
      "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";
  CHECK(container_hosts_file({}, "", "c1") == usual);
  CHECK(container_hosts_file({{"db", "10.0.0.5"}}, "10.0.0.9", "c1.lan c1") == usual + "10.0.0.5\tdb\n10.0.0.9\tc1.lan c1\n");
  CHECK(host_hosts_file("127.0.0.1 localhost me", {{"db", "10.0.0.5"}}) == "127.0.0.1 localhost me\n10.0.0.5\tdb\n");
  CHECK(host_hosts_file("", {}) == "");
  CHECK(with_gateway({{"a", "host-gateway"}, {"b", "1.2.3.4"}}, nullptr) == HostNames{{"a", "127.0.0.1"}, {"b", "1.2.3.4"}});
}
