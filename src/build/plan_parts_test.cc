// The small parts that the planner is made of.
#include <doctest/doctest.h>

#include "build/plan_config.h"
#include "build/plan_history.h"
#include "build/plan_ports.h"

using namespace mica;
using namespace mica::build;

TEST_CASE("durations are written as Go writes them") {
  const std::pair<std::int64_t, const char*> cases[] = {{0, "0s"},
                                                        {1, "1ns"},
                                                        {1500, "1.5µs"},
                                                        {2'500'000, "2.5ms"},
                                                        {1'000'500'000, "1.0005s"},
                                                        {5'000'000'000, "5s"},
                                                        {90'000'000'000, "1m30s"},
                                                        {3'720'000'000'000, "1h2m0s"},
                                                        {3'600'000'000'000, "1h0m0s"},
                                                        {-1'000'000, "-1ms"}};
  for (const auto& [ns, text] : cases) CHECK(go_duration(ns) == text);
}

TEST_CASE("the history of a health check prints its retries as docker does, as a character") {
  const auto shown = [](int retries) {
    return history_healthcheck({.test = {"CMD", "a b"}, .interval = 5'000'000'000, .retries = retries});
  };
  const std::string before = "&{[\"CMD\" \"a b\"] \"5s\" \"0s\" \"0s\" \"0s\" ";
  CHECK(shown(0) == before + "'\\x00'}");
  CHECK(shown(4) == before + "'\\x04'}");
  CHECK(shown(10) == before + "'\\n'}");
  CHECK(shown(65) == before + "'A'}");
  CHECK(shown(34) == before + "'\"'}");
  CHECK(shown(39) == before + "'\\''}");
  CHECK(shown(92) == before + "'\\\\'}");
  CHECK(shown(233) == before + "'é'}");
  CHECK(shown(0x20ac) == before + "'€'}");
  CHECK(shown(0x1f600) == before + "'😀'}");
  CHECK(shown(55296) == before + "'\xef\xbf\xbd'}");
  CHECK(shown(1234567) == before + "'\xef\xbf\xbd'}");
}

TEST_CASE("stop signals: numbers but 0, and the names of Linux") {
  for (const char* good : {"9", "-5", "+7", "999", "TERM", "SIGTERM", "sigterm", "SigUsr1", "RTMIN", "RTMIN+15", "sigrtmax-14",
                           "IOT", "CLD", "kill"})
    CHECK_MESSAGE(is_signal(good), good);
  for (const char* bad :
       {"", "0", "-", "SIG", "SIGFOO", "RTMIN+0", "RTMIN+16", "RTMIN+01", "RTMAX-15", "RTMAX-", "UNUSED", "TERM ", "9x"})
    CHECK_MESSAGE(!is_signal(bad), bad);
}

TEST_CASE("ports with host parts, ranges and protocols") {
  const auto ports = [](const char* word) {
    const auto exposed = parse_exposed(word);
    REQUIRE_MESSAGE(exposed, word);
    return *exposed;
  };
  CHECK(ports("80").ports == std::vector<std::string>{"80/tcp"});
  CHECK(ports("00080/").ports == std::vector<std::string>{"80/tcp"});
  CHECK(ports("+8/Sctp").ports == std::vector<std::string>{"8/sctp"});
  CHECK(ports("+8/Sctp").mixed_case_protocol);
  CHECK_FALSE(ports("8/udp").mixed_case_protocol);
  CHECK(ports("8-10/udp").ports == std::vector<std::string>{"8/udp", "9/udp", "10/udp"});
  CHECK(ports("8-9:18-19").ports == std::vector<std::string>{"18/tcp", "19/tcp"});
  CHECK(ports("8-9:80").ports == std::vector<std::string>{"80/tcp"});
  CHECK(ports("127.0.0.1:80:90").has_host_part);
  CHECK(ports("[::1]:80:90").ports == std::vector<std::string>{"90/tcp"});
  CHECK(ports("::1:80:90").ports == std::vector<std::string>{"90/tcp"});
  CHECK_FALSE(ports(":80").has_host_part);
  CHECK(ports("0").ports == std::vector<std::string>{"0/tcp"});
  const std::pair<const char*, const char*> wrong[] = {
      {"65536", "invalid containerPort: 65536"},
      {"http", "invalid containerPort: http"},
      {"80-70", "invalid containerPort: 80-70"},
      {"1-2-3", "invalid containerPort: 1-2-3"},
      {"80/foo", "invalid port: \"80/foo\": invalid proto: foo"},
      {"80:", "invalid port: \"80:\": no port specified"},
      {"/tcp", "invalid port: \"/tcp\": no port specified"},
      {"1.2.3:80:90", "invalid IP address: 1.2.3"},
      {"x:80", "invalid hostPort: x"},
      {"80:8-9", "invalid ranges specified for container and host Ports: 8-9 and 80"},
      {"99999999999999999999", "invalid containerPort: 99999999999999999999"},
      {"-", "invalid containerPort: -"},
      {"80-", "invalid containerPort: 80-"}};
  for (const auto& [word, message] : wrong) {
    const auto exposed = parse_exposed(word);
    REQUIRE_MESSAGE(!exposed, word);
    CHECK(exposed.error().message() == message);
  }
}

TEST_CASE("a working folder is kept as typed when absolute, joined and cleaned when not") {
  CHECK(joined_workdir("/w", "/a/./b/../c//d/") == "/a/./b/../c//d/");
  CHECK(joined_workdir("/a/../b/", "c/") == "/b/c");
  CHECK(joined_workdir("", "rel") == "/rel");
  CHECK(joined_workdir("/q", "") == "/q");
  CHECK(joined_workdir("/q", "../../..") == "/");
}
