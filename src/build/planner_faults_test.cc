// What planning refuses and what it warns of.
#include "build/plan_checks.h"
#include "build/planner.h"

#include <doctest/doctest.h>

#include "support/plan_fixture.h"

using namespace mica;
using namespace mica::testing;

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
