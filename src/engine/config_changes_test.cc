#include "engine/config_changes.h"

#include <doctest/doctest.h>

using namespace mica;
using namespace mica::engine;

namespace {
using Words = std::vector<std::string>;
}

TEST_CASE("changes follow each other, each seeing the variables before it") {
  oci::ImageConfig config;
  for (const char* change : {"ENV A=1", "env B=$A", "ENV A=2", "CMD run $A", "ENTRYPOINT [\"/e\"]", "EXPOSE 80 53/udp",
                             "WORKDIR /w", "WORKDIR sub", "USER app", "STOPSIGNAL term", "LABEL l=$B", "VOLUME /v",
                             "SHELL [\"/bin/ash\",\"-c\"]", "HEALTHCHECK NONE", "  onbuild   RUN make  "}) {
    const auto applied = apply_change(config, change);
    REQUIRE_MESSAGE(applied, applied.error().text());
  }
  CHECK(config.env == Words{"A=2", "B=1"});
  CHECK(config.cmd == Words{"/bin/sh", "-c", "run $A"});
  CHECK(config.entrypoint == Words{"/e"});
  CHECK(config.exposed_ports == Words{"53/udp", "80/tcp"});
  CHECK(config.working_dir == "/w/sub");
  CHECK(config.user == "app");
  CHECK(config.stop_signal == "term");
  CHECK(config.labels == std::vector<std::pair<std::string, std::string>>{{"l", "1"}});
  CHECK(config.volumes == Words{"/v"});
  CHECK(config.shell == Words{"/bin/ash", "-c"});
  CHECK(config.healthcheck->test == Words{"NONE"});
  CHECK(config.on_build == Words{"RUN make"});
}

TEST_CASE("what is no change of a config is refused, and the message names it") {
  oci::ImageConfig config;
  const std::pair<const char*, const char*> cases[] = {
      {"RUN make", "applying --change \"RUN make\": this instruction is not a valid change"},
      {"COPY a b", "this instruction is not a valid change"},
      {"MAINTAINER me", "MAINTAINER isn't allowed"},
      {"FROM x", "FROM isn't allowed"},
      {"CDM x", "unknown instruction: CDM (did you mean CMD?)"},
      {"EXPOSE many", "invalid containerPort: many"},
      {"ENV A=${", "applying --change \"ENV A=${\": failed to process"},
      {"onbuild", "ONBUILD requires at least one argument"},
  };
  for (const auto& [change, message] : cases) {
    const auto applied = apply_change(config, change);
    REQUIRE_FALSE(applied);
    CHECK(applied.error().code() == Errc::invalid_argument);
    CHECK_MESSAGE(applied.error().text().find(message) != std::string::npos, applied.error().text());
  }
}
