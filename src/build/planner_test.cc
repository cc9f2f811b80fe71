#include "build/planner.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/text.h"
#include "build/plan_checks.h"
#include "dockerfile/parser.h"
#include "support/fake_bases.h"

using namespace mica;
using namespace mica::build;
using namespace std::literals;
using testing::FakeBases;

namespace {

const oci::Platform kAmd64 = *oci::Platform::parse("linux/amd64");

PlanRequest amd64() {
  PlanRequest request;
  request.platform = request.build_platform = kAmd64;
  return request;
}

struct Images : FakeBases {
  Images() {
    add("busybox", R"({"Cmd":["sh"]})");
    add("alpine:3.20", R"({"Cmd":["/bin/sh"],"Env":["PATH=/bin","LANG=C"],"WorkingDir":"app"})", 3);
  }
};

Result<Graph> try_plan(std::string_view text, FakeBases& bases, const PlanRequest& request = amd64()) {
  auto file = TRY(dockerfile::parse_file("Dockerfile", text));
  return plan_build(std::move(file), request, bases, {});
}
Result<Graph> try_plan(std::string_view text, const PlanRequest& request = amd64()) {
  Images bases;
  return try_plan(text, bases, request);
}
Graph plan(std::string_view text, const PlanRequest& request = amd64()) {
  auto graph = try_plan(text, request);
  REQUIRE_MESSAGE(graph, graph.error().full_text());
  return std::move(*graph);
}
std::string error_of(std::string_view text, const PlanRequest& request = amd64()) {
  const auto graph = try_plan(text, request);
  return graph ? "" : graph.error().full_text();
}

const StagePlan& result_of(const Graph& graph) { return graph.stages[static_cast<std::size_t>(graph.target)]; }
std::vector<std::string> titles(const Graph& graph) {
  std::vector<std::string> titles;
  for (const Vertex& vertex : graph.vertices) titles.push_back(vertex.title);
  return titles;
}
std::vector<std::string> history(const Graph& graph) {
  std::vector<std::string> texts;
  for (const auto& entry : result_of(graph).history) texts.push_back(entry.created_by);
  return texts;
}
/// "Rule (line N)" or "Rule (line N, suggestion)".
std::vector<std::string> warnings(const Graph& graph) {
  std::vector<std::string> shown;
  for (const auto& w : graph.warnings)
    shown.push_back(format("{} ({}{})", w.code, w.where.line, w.suggestion.empty() ? "" : ", " + w.suggestion));
  return shown;
}
template <class T>
const T& op(const Graph& graph, std::size_t vertex) {
  return std::get<T>(graph.vertices.at(vertex).op);
}

using Words = std::vector<std::string>;

}  // namespace

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

TEST_CASE("the host's network and privileges need to be allowed") {
  const char* network = "FROM busybox\nRUN --network=host true\n";
  const char* insecure = "FROM busybox\nRUN --security=insecure true\n";
  const auto refused = try_plan(network);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::permission_denied);
  CHECK(refused.error().text() == "Dockerfile:2: network.host is not allowed");
  CHECK(refused.error().hint() == "RUN --network=host needs mica build --allow network.host");
  CHECK(error_of(insecure).find("security.insecure is not allowed") != std::string::npos);
  PlanRequest request = amd64();
  request.entitlements = {"network.host", "security.insecure"};
  CHECK(op<RunOp>(plan(network, request), 1).network == "host");
  CHECK(op<RunOp>(plan(insecure, request), 1).insecure);
  request.entitlements.clear();
  request.network = "host";
  CHECK(op<RunOp>(plan("FROM busybox\nRUN a\nRUN --network=none b\n", request), 1).network == "host");
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

TEST_CASE("plan errors say where, in docker's words") {
  struct Row {
    const char* dockerfile;
    const char* error;
  };
  const Row rows[] = {
      {"FROM busybox\nENV a=1 b=${u:?needed}\n", "Dockerfile:2:11: failed to process \"${u:?needed}\": u: needed"},
      {"FROM $nothing\n", "Dockerfile:1: base name ($nothing) should not be blank"},
      {"ARG IMG\nFROM $IMG\n", "hint: IMG has no value: give it a default, or pass --build-arg IMG=VALUE"},
      {"ARG IMAGE=busybox\nFROM $IMAG\n", "base name ($IMAG) should not be blank (did you mean IMAGE?)"},
      {"FROM --platform=$X busybox\n", "Dockerfile:1: empty platform value from expression $X"},
      {"FROM Busybox\n", "Dockerfile:1: failed to parse stage name \"Busybox\": invalid reference format"},
      {"FROM busybox\nCOPY --from=busibox /a /a\n", "Dockerfile:2: busibox: no such image: busibox"},
      {"FROM busybox AS build\nFROM buidl\n", "did you mean the stage build?"},
      {"FROM busybox AS a\nRUN --mount=from=b,target=/b true\nFROM busybox AS b\nFROM a\n",
       "Dockerfile:2: cannot mount from stage \"b\" to \"/b\", stage needs to be defined before current command"},
      {"FROM busybox\nCOPY --from=x /a /b\nFROM busybox AS x\nFROM busybox\nCOPY --from=0 /a /a\n",
       "Dockerfile:2: cannot copy from stage \"x\", it needs to be defined before current stage \"stage-0\""},
      {"FROM busybox AS a\nCOPY --from=b / /\nFROM busybox AS b\nCOPY --from=a / /\nFROM busybox\n",
       "Dockerfile:4: circular dependency detected on stage: a"},
      {"FROM busybox\nCOPY --from=2 / /\n", "hint: this file has 1 stage, counted from 0"},
      {"FROM busybox\nRUN --mount=from=$x,target=/b true\n",
       "'from' doesn't support variable expansion, define alias stage instead"},
      {"FROM busybox\nRUN --mount=type=cache true\n", "Dockerfile:2: invalid mount target \"/\""},
      {"FROM busybox\nRUN --mount=type=cache,target=$u true\n", "Dockerfile:2: invalid mount target \"/\""},
      {"FROM busybox\nARG m=9\nRUN --mount=type=cache,target=/c,mode=$m true\n", "Dockerfile:3: invalid value 9 for mode"},
      {"FROM busybox\nRUN --mount=type=cahce,target=/c true\n",
       "Dockerfile:2: unsupported mount type \"cahce\" (did you mean cache?)"},
      {"FROM busybox\nVOLUME $none\n", "Dockerfile:2: VOLUME specified can not be an empty string"},
      {"FROM busybox\nCOPY git@host.example:a/b.git /a\n", "source can't be a git ref for COPY"},
      {"FROM busybox\nADD --checksum=sha256:00 b /x\n", "checksum requires HTTP(S) or Git sources"},
      {"FROM busybox\nADD --checksum=sha256:00 https://a/b c /x\n", "checksum can't be specified for multiple sources"},
      {"FROM busybox\nSTOPSIGNAL 0\n", "Dockerfile:2: invalid signal: 0"},
      {"FROM busybox AS p\nONBUILD ENV x=${a:0}\nFROM p\n",
       "Dockerfile:3: failed to process \"${a:0}\": unsupported modifier (:0) in substitution"},
      {"FROM busybox AS p\nONBUILD COPY x\nFROM p\n", "Dockerfile:3: ONBUILD COPY x: COPY requires at least two arguments"},
      {"FROM busybox\nRUN --device=a true\n", "RUN --device is not supported"},
      {"ARG a=${b:0}\nFROM busybox\n", "Dockerfile:1:7: failed to process \"${b:0}\""},
  };
  for (const Row& row : rows) {
    const std::string text = error_of(row.dockerfile);
    CHECK_MESSAGE(text.find(row.error) != text.npos, row.dockerfile, "\nhas: ", text);
  }
  PlanRequest request = amd64();
  request.target = "nothing";
  CHECK(error_of("FROM busybox AS one\nFROM busybox AS two\n", request) ==
        "target stage \"nothing\" could not be found\n  hint: stages of this file: one, two");
  request.target = "0";
  CHECK(error_of("FROM busybox\n", request).find("add AS NAME") != std::string::npos);
  request = amd64();
  request.named_contexts = {{"Data", "/x"}};
  CHECK(error_of("FROM busybox\n", request).find("invalid context name Data: invalid reference format") == 0);
}

TEST_CASE("independent errors come all at once") {
  const auto graph = try_plan("FROM busybox\nENV a=${b\nUSER x\nSTOPSIGNAL SIGX\nFROM 0\nCOPY --chmod=9 a b\n");
  CHECK(graph.error().code() == Errc::not_found);  // FROM 0 is an image: looked for before instructions are gone through
  const std::string both = error_of("FROM busybox AS a\nENV a=${b:?x}\nUSER x\nSTOPSIGNAL SIGX\nFROM a\nCOPY --chmod=9 a b\n");
  CHECK(both.find("Dockerfile:2:7: ") == 0);
  CHECK(both.find("\nDockerfile:4: invalid signal: SIGX\n") != std::string::npos);
  CHECK(both.find("\nDockerfile:6: invalid chmod parameter: '9'") != std::string::npos);
  const std::string bases = error_of("FROM nosuch AS a\nFROM neither\nCOPY --from=a / /\n");
  CHECK(bases.find("Dockerfile:1: nosuch: ") == 0);
  CHECK(bases.find("\nDockerfile:2: neither: ") != std::string::npos);
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

TEST_CASE("warnings have BuildKit's rules, words and lines") {
  const Graph graph = plan(
      "FROM --platform=$TARGETPLATFORM busybox AS z\nFROM --platform=linux/amd64 busybox AS y\nENV API_KEY=a "
      "PUBLIC_KEY=b\nWORKDIR x\nWORKDIR y\nLABEL x=$PAT y=$APIKEY q=${S:-1}\n"
      "ENTRYPOINT a\nENTRYPOINT b\nCMD x\nCMD [\"y\"]\nARG NPM_TOKEN\nLABEL z=$NPM_TOKEN\nENV legacy form\nEXPOSE "
      "127.0.0.1:80:90 5/UDP\nHEALTHCHECK NONE\nHEALTHCHECK CMD x\n");
  CHECK(warnings(graph) == Words{"RedundantTargetPlatform (1)", "FromPlatformFlagConstDisallowed (2)",
                                 "SecretsUsedInArgOrEnv (3)", "WorkdirRelativePath (4)", "UndefinedVar (6, did you mean $PATH?)",
                                 "UndefinedVar (6, did you mean $API_KEY?)", "JSONArgsRecommended (7)",
                                 "MultipleInstructionsDisallowed (7)", "JSONArgsRecommended (8)", "JSONArgsRecommended (9)",
                                 "MultipleInstructionsDisallowed (9)", "SecretsUsedInArgOrEnv (11)", "LegacyKeyValueFormat (13)",
                                 "ExposeInvalidFormat (14)", "ExposeProtoCasing (14)", "MultipleInstructionsDisallowed (15)"});
  CHECK(graph.warnings[0].message ==
        "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior");
  CHECK(graph.warnings[1].message == "FROM --platform flag should not use constant value \"linux/amd64\"");
  CHECK(graph.warnings[2].message == "Do not use ARG or ENV instructions for sensitive data (ENV \"API_KEY\")");
  CHECK(graph.warnings[3].message == "Relative workdir \"x\" can have unexpected results if the base image changes");
  CHECK(graph.warnings[4].message == "Usage of undefined variable '$PAT'");
  CHECK(graph.warnings[13].message ==
        "EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:80:90'");
  CHECK(graph.warnings[14].message == "Defined protocol '5/UDP' in EXPOSE instruction should be lowercase");
}

TEST_CASE("warnings about FROM") {
  CHECK(warnings(plan("ARG TAG\nARG BASE=busybox\nFROM ${BASE}${TGA}\n")) == Words{"UndefinedArgInFrom (3, did you mean TAG?)"});
  PlanRequest request = amd64();
  request.build_args = {{"TAG", "3.20"}};
  const Graph graph = plan("ARG TAG\nFROM alpine:$TAG\n", request);
  CHECK(warnings(graph) == Words{"InvalidDefaultArgInFrom (2)"});
  CHECK(graph.warnings[0].message == "Default value for ARG alpine:$TAG results in empty or invalid base image name");
  FakeBases bases;
  bases.add("odd", "{}", 1, R"("architecture":"arm64")");
  const auto odd = try_plan("FROM odd\n", bases);
  REQUIRE(odd);
  CHECK(odd->warnings[0].message ==
        "Base image odd was pulled with platform \"linux/arm64\", expected \"linux/amd64\" for current build");
  // The stage's name may say that the platform is meant.
  CHECK(warnings(plan("FROM --platform=linux/amd64 busybox AS tool-amd64\n")).empty());
}

TEST_CASE("a SHELL of the base makes the shell form a choice") {
  FakeBases bases;
  bases.add("shelled", R"({"Shell":["/bin/sh","-c"]})");
  const auto graph = try_plan("FROM shelled\nCMD a\n", bases);
  REQUIRE(graph);
  CHECK(warnings(*graph).empty());
}

TEST_CASE("checks are skipped for the file, for one instruction, by build argument; or made errors") {
  CHECK(warnings(plan("# check=skip=UndefinedVar, MaintainerDeprecated\nFROM busybox\nLABEL a=$q\nMAINTAINER x\nCMD x\n")) ==
        Words{"JSONArgsRecommended (5)"});
  CHECK(warnings(plan("# check=skip=all\nFROM busybox\nLABEL a=$q\nMAINTAINER x\nCMD x\n")).empty());
  CHECK(warnings(plan("FROM busybox\n# check=skip=UndefinedVar because\nLABEL a=$q\nLABEL a=$q\n# check=skip=all;odd\nLABEL "
                      "b=$q\n# check=skip=MaintainerDeprecated\nMAINTAINER x\n")) ==
        Words{"UndefinedVar (4)", "UndefinedVar (6)"});
  PlanRequest request = amd64();
  request.build_args = {{"BUILDKIT_DOCKERFILE_CHECK", "skip=JSONArgsRecommended"}};
  CHECK(warnings(plan("# check=skip=UndefinedVar\nFROM busybox\nLABEL a=$q\nCMD x\n", request)) == Words{"UndefinedVar (3)"});
  const std::string error = error_of("# check=error=true\nFROM busybox\nLABEL a=$PAHT\nCMD x\n");
  CHECK(error.find("lint violation found for rules: UndefinedVar, JSONArgsRecommended\nDockerfile:3: UndefinedVar: Usage of "
                   "undefined variable '$PAHT' (did you mean $PATH?)\nDockerfile:4: ") == 0);
  CHECK(error_of("# check=skip=UndefinedVar;bad=true\nFROM busybox\n") ==
        "failed to parse check options: invalid check option \"bad\"");
  CHECK(parse_check_options("skip=A;error=maybe").error().code() == Errc::invalid_argument);
  CHECK(parse_check_options(" error = T ; experimental=all").value().warnings_are_errors);
}

TEST_CASE("a source that the ignore file excludes is warned of") {
  PlanRequest request = amd64();
  request.ignore_patterns = {"secret", "*.log"};
  CHECK(warnings(plan(
            "FROM busybox AS s\nFROM busybox\nCOPY secret/x ./a.log b /d/\nCOPY --from=s secret /e\nADD /a.log /f\nCOPY . /g\n",
            request)) == Words{"CopyIgnoredFile (3)", "CopyIgnoredFile (3)", "CopyIgnoredFile (5)"});
  request.ignore_patterns = {"*"};
  const Graph graph = plan("FROM busybox\nCOPY . /g\n", request);
  CHECK(graph.warnings.at(0).message == "Attempting to Copy file \".\" that is excluded by .dockerignore");
  request.ignore_patterns = {"*", "!x"};
  CHECK(warnings(plan("FROM busybox\nCOPY . /g\n", request)).empty());
}

TEST_CASE("proxies are given in both spellings, lower case winning") {
  CHECK(proxy_environment({{"http_proxy", "l"}, {"HTTP_PROXY", "u"}, {"No_Proxy", "n"}, {"ftp_proxy", ""}, {"OTHER", "x"}}) ==
        Words{"HTTP_PROXY=l", "http_proxy=l", "NO_PROXY=n", "no_proxy=n"});
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
