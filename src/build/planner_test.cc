#include "build/planner.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/plan_fixture.h"

using namespace mica;
using namespace mica::testing;

TEST_CASE("steps are titled and counted as buildx shows them") {
  CHECK(titles(plan("FROM busybox\nENV u=5\nrun   echo $u '$u' ${none} ${none:-x} ${u:-x} \\a \"q$u\"\nWORKDIR /\nCOPY "
                    "--chmod=70$u \"a\"  /b/\n")) == Words{"[1/3] FROM docker.io/library/busybox:latest",
                                                           "[2/3] RUN   echo 5 '$u' ${none} ${none:-x} 5 a \"q5\"",
                                                           "[3/3] COPY --chmod=705 a  /b/"});
  CHECK(titles(plan("FROM busybox AS a\nRUN a\nFROM scratch\nCOPY --from=a /a /a\nRUN <<EOF\n\n set -e\n b\nEOF\n")) ==
        Words{"[a 1/2] FROM docker.io/library/busybox:latest", "[a 2/2] RUN a", "[stage-1 1/2] COPY --from=a /a /a",
              "[stage-1 2/2] RUN <<EOF (set -e...)"});
  const Graph many = plan("FROM busybox\n" + [] {
    std::string runs;
    for (int i = 0; i < 10; ++i) runs += "RUN x\n";
    return runs;
  }());
  CHECK(many.vertices.front().title == "[ 1/11] FROM docker.io/library/busybox:latest");
  CHECK(many.vertices.back().title == "[11/11] RUN x");
}

TEST_CASE("a line that is no text to the expansion is a title as it stands") {
  CHECK(plan("FROM busybox\nRUN echo \"$(( 1 ))${x^^}\" don't\n").vertices.back().title ==
        "[2/2] RUN echo \"$(( 1 ))${x^^}\" don't");
}

TEST_CASE("a title never shows a secret of the environment") {
  const Graph graph = plan("FROM busybox\nENV T=old\nRUN --mount=type=secret,id=t,env=T echo $T\n");
  CHECK(graph.vertices.back().title == "[2/2] RUN --mount=type=secret,id=t,env=T echo ****");
}

TEST_CASE("only what the target needs is planned, and only its images are asked for") {
  Images bases;
  PlanRequest request = amd64();
  request.target = "c";
  const auto graph =
      try_plan("FROM missing AS a\nRUN x\nFROM busybox AS b\nRUN y\nFROM alpine:3.20 AS c\nCOPY --from=b / /\nFROM missing:2\n",
               bases, request);
  REQUIRE(graph);
  CHECK(bases.asked == Words{"busybox linux/amd64", "alpine:3.20 linux/amd64"});
  CHECK(graph->stages.size() == 2);
  CHECK(graph->target == 1);
  const Vertex& copy = graph->vertices.back();
  CHECK(copy.inputs == std::vector<VertexId>{1});
  CHECK(std::get<CopyOp>(copy.op).from == Origin{Origin::Kind::vertex, 0, 1});
  CHECK(copy.stage == 1);
  CHECK(result_of(*graph).base == copy.parent);
}

TEST_CASE("with all stages the rest is planned and checked too") {
  PlanRequest request = amd64();
  request.target = "b";
  const char* text = "FROM busybox AS a\nENV KEY=1\nFROM busybox AS b\n";
  CHECK(warnings(plan(text, request)).empty());
  request.all_stages = true;
  const Graph graph = plan(text, request);
  CHECK(warnings(graph) == Words{"SecretsUsedInArgOrEnv (2)"});
  CHECK(graph.target == 1);
}

TEST_CASE("one image is one vertex for all who use it") {
  const Graph graph = plan(
      "FROM busybox AS a\nFROM busybox\nCOPY --from=a / /a\nCOPY --from=busybox / /b\nRUN --mount=from=busybox,target=/m true\n");
  CHECK(std::ranges::count_if(graph.vertices, [](const Vertex& v) { return std::holds_alternative<BaseOp>(v.op); }) == 1);
  const RunOp& run = op<RunOp>(graph, 3);
  CHECK(run.mounts[0].from == Origin{Origin::Kind::vertex, 0, 0});
  CHECK(graph.vertices[3].inputs == std::vector<VertexId>{0});
}

TEST_CASE("a child stage continues the history, ARGs and environment of its parent") {
  const Graph graph = plan("FROM alpine:3.20 AS a\nENV V=env\nARG V=arg W=1\nRUN one\nFROM a\nRUN two\n");
  CHECK(history(graph) == Words{"ENV V=env", "ARG V=arg W=1", "RUN |2 V=arg W=1 /bin/sh -c one # buildkit",
                                "RUN |2 V=env W=1 /bin/sh -c two # buildkit"});
  CHECK(op<RunOp>(graph, 1).env == Words{"PATH=/bin", "LANG=C", "V=arg", "W=1"});
  // The image's own variables are set anew: they win over the parent's ARGs, and come last.
  CHECK(op<RunOp>(graph, 2).env == Words{"W=1", "PATH=/bin", "LANG=C", "V=env"});
  CHECK(op<RunOp>(graph, 2).cwd == "/app");
  CHECK(result_of(graph).config.diff_ids.size() == 3);
  CHECK(result_of(graph).base == 0);
  CHECK(result_of(graph).last == 2);
}

TEST_CASE("global ARGs: defaults see earlier ones, build arguments win, stages import them by name") {
  PlanRequest request = amd64();
  request.build_args = {{"z", "Z"}, {"unused", "1"}};
  const Graph graph = plan("ARG x=g\nARG y=${x}2 z\nARG x=${x}3\nFROM busybox\nARG x y z w=$z$y\nLABEL l=$x$none\n", request);
  CHECK(history(graph) == Words{"ARG x=g3 y=g2 z=Z w=Zg2", "LABEL l=g3"});
  CHECK(warnings(graph) == Words{"UndefinedVar (6)"});
  CHECK(plan("ARG SOURCE_DATE_EPOCH=7\nFROM busybox\n").source_date_epoch == "7");
  request.build_args = {{"SOURCE_DATE_EPOCH", "8"}};
  const Graph clamped = plan("ARG SOURCE_DATE_EPOCH=7\nFROM busybox\nRUN x\nARG SOURCE_DATE_EPOCH\n", request);
  CHECK(clamped.source_date_epoch == "8");
  CHECK(op<RunOp>(clamped, 1).env == Words{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"});
  CHECK(history(clamped).back() == "ARG SOURCE_DATE_EPOCH=8");
  CHECK_FALSE(plan("FROM busybox\n").source_date_epoch);
}

TEST_CASE("platform arguments are known everywhere, but only on request inside a stage") {
  PlanRequest request = amd64();
  request.platform = *oci::Platform::parse("linux/arm/v6");
  request.target = "FINAL";
  FakeBases bases;
  bases.add("busybox", "{}", 1);
  bases.add("b-arm", "{}", 1, R"("architecture":"arm","variant":"v6")");
  const auto graph = try_plan(
      "FROM --platform=$BUILDPLATFORM busybox AS tool\nFROM b-${TARGETARCH} AS final\nARG TARGETPLATFORM BUILDPLATFORM "
      "TARGETVARIANT TARGETSTAGE\nLABEL x=$TARGETOS\n",
      bases, request);
  REQUIRE(graph);
  CHECK(history(*graph) ==
        Words{"ARG TARGETPLATFORM=linux/arm/v6 BUILDPLATFORM=linux/amd64 TARGETVARIANT=v6 TARGETSTAGE=FINAL", "LABEL x="});
  CHECK(bases.asked == Words{"b-arm linux/arm/v6"});
  CHECK(result_of(*graph).config.platform.str() == "linux/arm/v6");
  // Without a wish for a platform the image stays what its base is.
  PlanRequest here = amd64();
  FakeBases others;
  others.add("arm", "{}", 1, R"("architecture":"arm64")");
  const auto kept = try_plan("FROM --platform=linux/arm64 arm\n", others, here);
  REQUIRE(kept);
  CHECK(result_of(*kept).config.platform.str() == "linux/arm64");
  CHECK(others.asked == Words{"arm linux/arm64"});
  CHECK(result_of(plan("FROM --platform=linux/arm64 scratch\nLABEL a=b\n")).config.platform.str() == "linux/amd64");
}

TEST_CASE("named contexts take the place of images and stages") {
  PlanRequest request = amd64();
  request.named_contexts = {{"unused", "/u"},
                            {"docker.io/library/busybox:latest", "docker-image://alpine:3.20"},
                            {"data", "/data"},
                            {"tool::linux/amd64", "/tool"},
                            {"tool", "docker-image://never"},
                            {"scratch", "/never"}};
  Images bases;
  bases.add("docker-image://alpine:3.20", R"({"Env":["A=1"]})", 2);
  const auto graph = try_plan(
      "FROM nosuch AS data\nRUN false\nCOPY x y\nFROM busybox\nCOPY --from=data /a /a\nCOPY --from=tool:latest /b /b\nRUN "
      "--mount=from=data,target=/d true\n",
      bases, request);
  REQUIRE_MESSAGE(graph, graph.error().full_text());
  CHECK(bases.asked == Words{"docker-image://alpine:3.20 linux/amd64"});
  CHECK(graph->contexts.size() == 3);
  CHECK(graph->contexts[1].value == "/data");
  CHECK(graph->contexts[2].value == "/tool");
  CHECK(op<CopyOp>(*graph, 1).from == Origin{Origin::Kind::context, 1, kNoVertex});
  CHECK(op<CopyOp>(*graph, 2).from == Origin{Origin::Kind::context, 2, kNoVertex});
  CHECK(op<RunOp>(*graph, 3).mounts[0].from == Origin{Origin::Kind::context, 1, kNoVertex});
  CHECK(result_of(*graph).config.env.front() == "A=1");
  CHECK(graph->vertices.size() == 4);
}

TEST_CASE("a folder in the place of a base becomes the first layer") {
  PlanRequest request = amd64();
  request.named_contexts = {{"root", "/r"}};
  for (const std::string text : {"FROM root\nRUN [\"/x\"]\n", "FROM nosuch AS root\nRUN false\nFROM root\nRUN [\"/x\"]\n"}) {
    const Graph graph = plan(text, request);
    REQUIRE(graph.vertices.size() == 2);
    const CopyOp& copy = op<CopyOp>(graph, 0);
    CHECK(copy.from == Origin{Origin::Kind::context, 1, kNoVertex});
    CHECK(copy.sources == Words{"."});
    CHECK(copy.destination == "/");
    CHECK(graph.vertices[0].parent == kNoVertex);
    CHECK(history(graph) == Words{"local source for root", "RUN /x # buildkit"});
    CHECK(result_of(graph).base == kNoVertex);
  }
  request.target = "root";
  CHECK(plan("FROM nosuch AS root\nRUN false\n", request).vertices.size() == 1);
}

TEST_CASE("ONBUILD of an image fires right after FROM, may need further stages, and is not handed on") {
  Images bases;
  bases.add("on", R"({"OnBuild":["ENV a=$b","COPY --from=child /x /x","ARG q=1","RUN echo $q","WORKDIR w"],"User":"5"})");
  const auto graph = try_plan("FROM busybox AS child\nFROM on\nFROM 1\nFROM on AS two\nONBUILD RUN later\nUSER 6\n", bases);
  REQUIRE_MESSAGE(graph, graph.error().full_text());
  CHECK(bases.asked == Words{"on linux/amd64", "busybox linux/amd64"});
  CHECK(history(*graph) ==
        Words{"ENV a=", "COPY /x /x # buildkit", "ARG q=1", "RUN |1 q=1 /bin/sh -c echo $q # buildkit", "WORKDIR /w", "USER 6"});
  CHECK(titles(*graph) == Words{"[child 1/1] FROM docker.io/library/busybox:latest", "[two 1/4] FROM docker.io/library/on:latest",
                                "[two 2/4] ONBUILD COPY --from=child /x /x", "[two 3/4] ONBUILD RUN echo 1",
                                "[two 4/4] ONBUILD WORKDIR w"});
  CHECK(graph->vertices[2].where.line == 4);
  CHECK(graph->vertices[2].text == "COPY --from=child /x /x");
  CHECK(result_of(*graph).config.on_build == Words{"RUN later"});
  CHECK(warnings(*graph) == Words{"UndefinedVar (4)", "WorkdirRelativePath (4)"});
}

TEST_CASE("an image without layers is an empty root with a config") {
  FakeBases bases;
  bases.add("config", R"({"Entrypoint":["/e"]})", 0);
  const auto graph = try_plan("FROM config\nCOPY --from=config /a /a\nLABEL a=b\n", bases);
  REQUIRE(graph);
  CHECK(graph->vertices.size() == 1);
  CHECK(graph->vertices[0].parent == kNoVertex);
  CHECK(op<CopyOp>(*graph, 0).from == Origin{Origin::Kind::vertex, 0, kNoVertex});
  CHECK(result_of(*graph).config.entrypoint == Words{"/e"});
}

TEST_CASE("destinations of COPY are joined to WORKDIR and keep what makes them folders") {
  const std::pair<const char*, const char*> cases[] = {{"/a", "/a"},    {"/a/", "/a/"},     {"a", "/w/x/a"},       {".", "/w/x/"},
                                                       {"./", "/w/x/"}, {"..", "/w"},       {"../up/", "/w/up/"},  {"/", "/"},
                                                       {"/a/.", "/a/"}, {"$none", "/w/x/"}, {"/a/../b//c", "/b/c"}};
  for (const auto& [written, joined] : cases)
    CHECK_MESSAGE(op<CopyOp>(plan(format("FROM scratch\nWORKDIR /w/x\nCOPY f {}\n", written)), 1).destination == joined, written);
}

TEST_CASE("COPY and ADD carry everything expanded") {
  const Graph graph = plan(
      "FROM busybox\nARG v=1\nCOPY --link --chown=$v:2 --chmod=u=rwX --exclude=*.$v --parents a$v <<A <<'B' b/\n$v "
      "${w:-d}\nA\n$v\nB\n"
      "ADD --unpack=false --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://h/f /\n");
  const CopyOp& copy = op<CopyOp>(graph, 1);
  CHECK(copy.sources == Words{"a1"});
  CHECK(copy.chown == "1:2");
  CHECK(copy.excludes == Words{"*.$v"});
  CHECK(copy.link);
  CHECK(copy.parents);
  CHECK(copy.files[0].content == "1 d\n");
  CHECK(copy.files[1].content == "$v\n");
  CHECK(copy.files[1].name == "B");
  const CopyOp& add = op<CopyOp>(graph, 2);
  CHECK(add.add);
  CHECK(add.unpack == false);
  CHECK(history(graph)[1] == "COPY --parents --chown=1:2 --chmod=u=rwX a1 <<A <<B b/ # buildkit");
}

TEST_CASE("RUN: command, script and environment") {
  PlanRequest request = amd64();
  request.build_args = {{"BUILDKIT_SANDBOX_HOSTNAME", "here"}, {"HTTP_PROXY", "p"}};
  request.network = "none";
  const Graph graph = plan(
      "FROM busybox\nUSER app\nSHELL [\"/bin/sh\",\"-ec\"]\nRUN a  \\\n b\nRUN [\"x\",\"$y\"]\nRUN <<E\n#!/bin/x\ndo\nE\nRUN cat "
      "<<-A >f\n\tx\n\tA\n",
      request);
  CHECK(op<RunOp>(graph, 1).argv == Words{"/bin/sh", "-ec", "a   b"});
  CHECK(op<RunOp>(graph, 1).user == "app");
  CHECK(op<RunOp>(graph, 1).hostname == "here");
  CHECK(op<RunOp>(graph, 1).network == "none");
  CHECK(op<RunOp>(graph, 1).env.size() == 1);
  CHECK(op<RunOp>(graph, 2).argv == Words{"x", "$y"});
  CHECK(op<RunOp>(graph, 3).argv == Words{"/bin/sh", "-ec", "/dev/pipes/E"});
  REQUIRE(op<RunOp>(graph, 3).script);
  CHECK(op<RunOp>(graph, 3).script->content == "#!/bin/x\ndo\n");
  CHECK(op<RunOp>(graph, 4).argv.back() == "cat <<-A >f\n\tx\nA");
  CHECK(graph.vertices[4].text == "RUN cat <<-A >f");
}

TEST_CASE("mounts are completed, joined to WORKDIR and keyed") {
  PlanRequest request = amd64();
  request.build_args = {{"BUILDKIT_CACHE_MOUNT_NS", "ns"}};
  const Graph graph = plan(
      "FROM busybox AS s\nRUN x\nFROM busybox\nARG d=/q,z\nWORKDIR /w\n"
      "RUN --mount=type=cache,target=c/../k --mount=type=cache,id=i,target=$d,mode=0755,uid=0 "
      "--mount=type=cache,id=i,target=/m,mode=0700,uid=7,from=s,source=/src"
      " --mount=type=tmpfs,target=t,size=1m --mount=type=secret,id=a/b --mount=type=secret,target=rel/s "
      "--mount=type=secret,id=e,env=E --mount=type=ssh --mount=type=ssh,id=o"
      " --mount=target=ctx,source=sub true\n",
      request);
  const auto& mounts = op<RunOp>(graph, 3).mounts;
  REQUIRE(mounts.size() == 10);
  CHECK(mounts[0].spec.target == "/w/k");
  CHECK(mounts[0].cache_key == "ns/k");
  CHECK(mounts[0].from == Origin{Origin::Kind::vertex, 0, kNoVertex});
  CHECK_FALSE(mounts[0].seeded);
  CHECK(mounts[1].spec.target == "/q,z");
  CHECK(mounts[1].cache_key == "ns/i");
  CHECK(mounts[2].seeded);
  CHECK(mounts[2].cache_key == "ns/i\nfrom=s\nsource=/src\nmode=0700\nuid=7");
  CHECK(mounts[2].from == Origin{Origin::Kind::vertex, 0, 1});
  CHECK(mounts[3].spec.target == "/w/t");
  CHECK(mounts[4].spec.target == "/run/secrets/b");
  CHECK(mounts[5].spec.id == "s");
  CHECK(mounts[5].spec.target == "/w/rel/s");
  CHECK(mounts[6].spec.target.empty());
  CHECK(mounts[7].spec.id == "default");
  CHECK(mounts[7].spec.target == "/run/buildkit/ssh_agent.0");
  CHECK(mounts[8].spec.target == "/run/buildkit/ssh_agent.1");
  CHECK(mounts[9].from == Origin{});
  CHECK(mounts[9].spec.target == "/w/ctx");
  CHECK(graph.vertices[3].inputs == std::vector<VertexId>{1});
}

TEST_CASE("--no-cache is for all steps, its filter for named stages") {
  const char* text = "FROM busybox AS one\nRUN a\nFROM one AS two\nRUN b\n";
  const auto flags = [&](const PlanRequest& request) {
    std::string flags;
    for (const Vertex& vertex : plan(text, request).vertices) flags += vertex.no_cache ? '1' : '0';
    return flags;
  };
  PlanRequest request = amd64();
  CHECK(flags(request) == "000");
  request.no_cache_filter = {"TWO", "other"};
  CHECK(flags(request) == "001");
  request.no_cache = true;
  CHECK(flags(request) == "011");
}

TEST_CASE("--label is for the result, over what the Dockerfile says") {
  PlanRequest request = amd64();
  request.labels = {{"a", "cli"}, {"z", ""}};
  const Graph graph = plan("FROM busybox AS p\nLABEL a=1\nFROM p\nLABEL b=2\n", request);
  CHECK(graph.stages[0].config.labels.size() == 1);
  const auto& labels = result_of(graph).config.labels;
  CHECK(std::ranges::find(labels, std::pair<std::string, std::string>("a", "cli")) != labels.end());
  CHECK(labels.size() == 3);
}

TEST_CASE("a cancelled build plans nothing") {
  Images bases;
  const task::Cancel cancel = task::Cancel::create();
  cancel.stop();
  auto file = *dockerfile::parse_file("Dockerfile", "FROM busybox\n");
  const auto graph = plan_build(std::move(file), amd64(), bases, cancel);
  REQUIRE_FALSE(graph);
  CHECK(graph.error().code() == Errc::cancelled);
  CHECK(bases.asked.empty());
}

TEST_CASE("with a pool all bases are asked for side by side, with the same result") {
  task::Pool pool(2);
  PlanRequest request = amd64();
  request.pool = &pool;
  const char* text = "FROM busybox AS a\nFROM alpine:3.20\nCOPY --from=a / /\nCOPY --from=busybox / /\n";
  CHECK(titles(plan(text, request)) == titles(plan(text)));
  CHECK(error_of("FROM nosuch AS a\nFROM neither\nCOPY --from=a / /\n", request) ==
        error_of("FROM nosuch AS a\nFROM neither\nCOPY --from=a / /\n"));
}

TEST_CASE("proxies are given in both spellings, lower case winning") {
  CHECK(proxy_environment({{"http_proxy", "l"}, {"HTTP_PROXY", "u"}, {"No_Proxy", "n"}, {"ftp_proxy", ""}, {"OTHER", "x"}}) ==
        std::vector<std::pair<std::string, std::string>>{{"HTTP_PROXY", "l"}, {"http_proxy", "l"}, {"NO_PROXY", "n"}, {"no_proxy", "n"}});
  CHECK(proxy_environment({}).empty());
}

TEST_CASE("instructions change a config outside of a build") {
  oci::ImageConfig config;
  config.env = {"PATH=/bin", "A=1"};
  config.cmd = {"sh"};
  const auto change = [&](std::string_view text) {
    const auto instruction = dockerfile::parse_trigger(text, "--change");
    REQUIRE_MESSAGE(instruction, text);
    return apply_to_config(config, *instruction);
  };
  REQUIRE(change("ENV A=2 B=$A"));
  REQUIRE(change("EXPOSE 80 53/udp 8-9"));
  REQUIRE(change("LABEL x=$B y=2"));
  REQUIRE(change("WORKDIR rel"));
  REQUIRE(change("CMD echo hi"));
  REQUIRE(change("ENTRYPOINT [\"/e\"]"));
  REQUIRE(change("VOLUME /b /a"));
  REQUIRE(change("HEALTHCHECK --interval=5s CMD [\"h\"]"));
  CHECK(config.env == Words{"PATH=/bin", "A=2", "B=1"});
  CHECK(config.exposed_ports == Words{"53/udp", "8/tcp", "80/tcp", "9/tcp"});
  CHECK(config.labels == std::vector<std::pair<std::string, std::string>>{{"x", "1"}, {"y", "2"}});
  CHECK(config.working_dir == "/rel");
  CHECK(config.cmd == Words{"/bin/sh", "-c", "echo hi"});  // no CMD of a base is meant here: it stays
  CHECK(config.entrypoint == Words{"/e"});
  CHECK(config.volumes == Words{"/a", "/b"});
  CHECK(config.healthcheck->test == Words{"CMD", "h"});
  CHECK_FALSE(config.args_escaped);
  CHECK(change("EXPOSE 70000").error().message() == "invalid containerPort: 70000");
  CHECK(change("RUN x").error().hint().find("use CMD") == 0);
  CHECK(change("COPY a b").error().code() == Errc::invalid_argument);
}

TEST_CASE("every port range expands, and none takes long") {
  const Graph graph = plan("FROM busybox\nEXPOSE 1-65535\nEXPOSE 0-65535/udp\n");
  CHECK(result_of(graph).config.exposed_ports.size() == 65535 + 65536);
}
