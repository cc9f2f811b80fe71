#include "oci/image.h"

#include <doctest/doctest.h>

using namespace mica;
using oci::ImageConfig;
using oci::Index;
using oci::Manifest;

namespace {
const std::string kHex(64, 'a');
const std::string kDigest = "sha256:" + kHex;

/// Written by Docker 28 (BuildKit) for a Dockerfile with every instruction that enters a config.
constexpr std::string_view kDockerConfigBytes =
    R"({"architecture":"amd64","author":"me \u003ca@b\u003e","config":{"User":"1000","ExposedPorts":{"53/udp":{},"80/)"
    R"(tcp":{}},"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","B=2","A=\u003cx\u003e\u00)"
    R"(26y"],"Entrypoint":["/bin/sh"],"Volumes":{"/a":{},"/v1":{}},"WorkingDir":"/w","Labels":{"a":"q\u003c\u003e\u00)"
    R"(26u","z":"1"},"StopSignal":"SIGINT","ArgsEscaped":true,"Healthcheck":{"Test":["CMD-SHELL","echo \"\u003chi\u00)"
    R"(3e\""],"Interval":5000000000,"Timeout":3000000000,"StartPeriod":2000000000,"StartInterval":1000000000,"Retries)"
    R"(":4},"OnBuild":["RUN echo hi"],"Shell":["/bin/sh","-ec"]},"created":"2026-11-24T17:10:38.513291853Z","history")"
    R"(:[{"created":"2026-11-24T16:13:12.462459322Z","comment":"Imported from -"},{"created":"2026-11-24T17:10:38.350)"
    R"(947329Z","created_by":"ENV B=2 A=\u003cx\u003e\u0026y","comment":"buildkit.dockerfile.v0","empty_layer":true},)"
    R"({"created":"2026-11-24T17:10:38.350947329Z","created_by":"WORKDIR /w","comment":"buildkit.dockerfile.v0"},{"cr)"
    R"(eated":"2026-11-24T17:10:38.513291853Z","created_by":"RUN /bin/sh -ec echo \"a \u0026 b\" \u003e /tmp/x # buil)"
    R"(dkit","comment":"buildkit.dockerfile.v0"}],"os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:412f8a61)"
    R"(6e1efb03d4ab94ce18ebddf3f068b637f1c7ae8dbc82306a852de408","sha256:24cd3d226593cf69753d5e64236710cfdbda24ed1e79)"
    R"(e088eb41fc73c4dbae33","sha256:2789cbd2c86700efc73e4eba41ba86bbc4cb2bbd222806c88712bd5774bd2b40"]}})";

std::string config_with(std::string_view members) {
  return R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},)" + std::string(members) + "}";
}
}  // namespace

TEST_CASE("a config written by Docker is read and written again to the same bytes") {
  const auto config = ImageConfig::parse(kDockerConfigBytes);
  REQUIRE_MESSAGE(config.has_value(), (config ? std::string() : config.error().text()));
  CHECK(config->write() == kDockerConfigBytes);
  CHECK(config->author == "me <a@b>");
  CHECK(config->exposed_ports == std::vector<std::string>{"53/udp", "80/tcp"});
  CHECK(config->entrypoint == std::vector<std::string>{"/bin/sh"});
  CHECK_FALSE(config->cmd.has_value());
  CHECK(config->healthcheck->start_interval == 1'000'000'000);
  CHECK(config->healthcheck->retries == 4);
  CHECK(config->args_escaped);
  CHECK(config->diff_ids.size() == 3);
  CHECK(config->history[1].empty_layer);
  CHECK(config->extra.is_null());
  CHECK(config->config_extra.is_null());
}

TEST_CASE("nulls count as absent and unknown members are kept") {
  const auto config = ImageConfig::parse(R"({"architecture":"arm","comment":"Imported","config":{"Hostname":"","User":"u","Env":null,)"
                                         R"("Cmd":["a"],"Volumes":null,"Entrypoint":null,"OnBuild":null,"Labels":null,"X":{"y":[1]}},)"
                                         R"("created":null,"docker_version":"28","history":null,"os":"linux",)"
                                         R"("rootfs":{"type":"layers","diff_ids":["sha256:)" + kHex + R"("]},"variant":"v7"})");
  REQUIRE_MESSAGE(config.has_value(), (config ? std::string() : config.error().text()));
  CHECK_FALSE(config->entrypoint.has_value());
  CHECK(config->platform.variant == "v7");
  CHECK(config->write() == R"({"architecture":"arm","comment":"Imported","config":{"User":"u","Cmd":["a"],"Hostname":"","X":{"y":[1]}},)"
                           R"("docker_version":"28","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:)" + kHex +
                           R"("]},"variant":"v7"})");
  CHECK(ImageConfig::parse(config->write()) == *config);
}

TEST_CASE("members are found in any case, as Go finds them") {
  const auto config = ImageConfig::parse(config_with(R"("config":{"env":["A=1"],"workingdir":"/w"})"));
  REQUIRE(config.has_value());
  CHECK(config->env == std::vector<std::string>{"A=1"});
  CHECK(config->working_dir == "/w");
  CHECK(config->config_extra.is_null());
}

TEST_CASE("an empty config has stable bytes") {
  ImageConfig config;
  config.platform.architecture = "amd64";
  config.labels = {{"b", "2"}, {"a", "1"}};
  config.volumes = {"/z", "/a", "/z"};
  CHECK(config.write() ==
        R"({"architecture":"amd64","config":{"Volumes":{"/a":{},"/z":{}},"Labels":{"a":"1","b":"2"}},"os":"linux",)"
        R"("rootfs":{"type":"layers","diff_ids":[]}})");
}

TEST_CASE("hostile configs are corrupt and the error names the member") {
  struct Row {
    std::string bytes, part;
  };
  for (const Row& row : {
           Row{"[]", "document is an array"}, Row{"{}", "rootfs"}, Row{"{", "invalid JSON"},
           Row{config_with(R"("config":1)"), "config is a number"},
           Row{config_with(R"("config":{"Env":"x"})"), "config.Env is a string, not an array"},
           Row{config_with(R"("config":{"Env":["a",1]})"), "config.Env[1] is a number"},
           Row{config_with(R"("config":{"Labels":{"a":[]}})"), "config.Labels[\"a\"]"},
           Row{config_with(R"("config":{"Healthcheck":{"Retries":1e300}})"), "config.Healthcheck.Retries"},
           Row{config_with(R"("config":{"Healthcheck":{"Retries":99999999999}})"), "config.Healthcheck.Retries"},
           Row{config_with(R"("created":"yesterday")"), "created"},
           Row{config_with(R"("history":[{}])"), "history speaks of 1 layers, rootfs.diff_ids of 0"},
           Row{config_with(R"("history":[{"created":5}])"), "history[0].created"},
           Row{R"({"rootfs":{"diff_ids":["sha256:x"]}})", "rootfs.diff_ids[0]"},
           Row{R"({"rootfs":{"type":"windows"}})", "rootfs.type"},
       }) {
    CAPTURE(row.bytes);
    const auto config = ImageConfig::parse(row.bytes);
    REQUIRE_FALSE(config.has_value());
    CHECK(config.error().code() == Errc::corrupt);
    CHECK_MESSAGE(config.error().text().find(row.part) != std::string::npos, config.error().text());
  }
}

TEST_CASE("manifests and indexes survive a round trip") {
  const std::string descriptor = R"({"mediaType":"m","digest":")" + kDigest + R"(","size":7})";
  const std::string manifest = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" + descriptor +
                               R"(,"layers":[)" + descriptor + "," + descriptor + R"(],"annotations":{"a":"b"}})";
  const auto read = Manifest::parse(manifest);
  REQUIRE(read.has_value());
  CHECK(read->layers.size() == 2);
  CHECK(read->config.size == 7);
  CHECK(read->write() == manifest);

  const std::string index = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"m","digest":")" +
                            kDigest + R"(","size":1,"annotations":{"x":"y"},"platform":{"architecture":"arm","os":"linux","variant":"v7"}}]})";
  const auto list = Index::parse(index);
  REQUIRE(list.has_value());
  CHECK(list->manifests[0].platform->variant == "v7");
  CHECK(list->write() == index);
}

TEST_CASE("ambiguous, old and hostile manifests are refused") {
  const auto manifest = [](std::string_view members) { return R"({"schemaVersion":2,)" + std::string(members) + "}"; };
  const std::string good = R"({"digest":")" + kDigest + R"(","size":1})";
  struct Row {
    std::string bytes;
    Errc code;
  };
  for (const Row& row : {
           Row{"{}", Errc::corrupt}, Row{R"({"schemaVersion":1})", Errc::unsupported}, Row{manifest(R"("layers":[])"), Errc::corrupt},
           Row{manifest(R"("config":)" + good + R"(,"manifests":[])"), Errc::corrupt},
           Row{manifest(R"("mediaType":"application/vnd.oci.image.index.v1+json","config":)" + good), Errc::corrupt},
           Row{manifest(R"("config":{"digest":"sha256:..","size":1})"), Errc::corrupt},
           Row{manifest(R"("config":{"digest":")" + kDigest + R"(","size":-1})"), Errc::corrupt},
           Row{manifest(R"("config":{"digest":")" + kDigest + R"(","size":9223372036854775807})"), Errc::corrupt},
           Row{manifest(R"("config":{"digest":")" + kDigest + R"(","size":1.5})"), Errc::corrupt},
           Row{manifest(R"("config":{"digest":")" + kDigest + R"("})"), Errc::corrupt},
           Row{manifest(R"("config":)" + good + R"(,"layers":{})"), Errc::corrupt},
           Row{manifest(R"("config":{"size":1,"digest":"sha512:)" + kHex + kHex + R"("})"), Errc::unsupported},
       }) {
    CAPTURE(row.bytes);
    const auto read = Manifest::parse(row.bytes);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code() == row.code);
  }
  CHECK(Manifest::parse(manifest(R"("config":)" + good)).has_value());
  CHECK(Index::parse(manifest(R"("manifests":[],"layers":[])")).error().code() == Errc::corrupt);
}
