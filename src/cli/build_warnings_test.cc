#include "cli/build_warnings.h"

#include <doctest/doctest.h>


namespace mica::cli {
namespace {

build::Warned warned(std::string code, std::string message, int line) {
  return {.diagnostic = {.level = dockerfile::Diagnostic::Level::warning, .code = std::move(code), .message = std::move(message), .where = {.line = line, .end_line = line}},
          .file = "Dockerfile",
          .excerpt = ">>> ENV a b\n"};
}

struct Counter : build::EventSink {
  void on(const build::Event&) override { ++count; }
  int count = 0;
};

TEST_CASE("addresses of rules have their words in lower case") {
  CHECK(rule_url("StageNameCasing") == "https://docs.docker.com/go/dockerfile/rule/stage-name-casing/");
  CHECK(rule_url("JSONArgsRecommended") == "https://docs.docker.com/go/dockerfile/rule/json-args-recommended/");
  CHECK(rule_url("SecretsUsedInArgOrEnv") == "https://docs.docker.com/go/dockerfile/rule/secrets-used-in-arg-or-env/");
}

TEST_CASE("known rules have a description") {
  CHECK(!rule_description("ConsistentInstructionCasing").empty());
  CHECK(!rule_description("LegacyKeyValueFormat").empty());
  CHECK(!rule_description("WorkdirRelativePath").empty());
  CHECK(rule_description("NoSuchRule").empty());
}

TEST_CASE("the summary counts and lists") {
  CHECK(warning_summary({}, false) == "");
  CHECK(warning_summary({warned("A", "first", 3)}, false) == "\n 1 warning found (use --check to expand):\n - A: first (line 3)\n");
  CHECK(warning_summary({warned("A", "first", 3), warned("B", "second", 0)}, true) ==
        "\n \x1b[33m2 warnings found (use --check to expand):\x1b[0m\n - A: first (line 3)\n - B: second\n");
}

TEST_CASE("the check page is Docker's") {
  CHECK(check_page({}, "/src/Dockerfile") == "Check complete, no warnings found.\n");
  CHECK(check_page({warned("LegacyKeyValueFormat", "use =", 2)}, "/src/Dockerfile") ==
        "Check complete, 1 warning has been found!\n"
        "\n"
        "WARNING: LegacyKeyValueFormat - https://docs.docker.com/go/dockerfile/rule/legacy-key-value-format/\n"
        "use =\n"
        "/src/Dockerfile:2\n"
        "--------------------\n"
        ">>> ENV a b\n"
        "--------------------\n");
  CHECK(check_page({warned("A", "x", 1), warned("B", "y", 2)}, "Dockerfile").starts_with("Check complete, 2 warnings have been found!\n"));
}

TEST_CASE("the check record has rules, places and the file") {
  const auto record = check_record({warned("StageNameCasing", "Stage name 'B'", 4)}, "Dockerfile", "FROM x");
  const auto& warning = record.find("warnings")->as_array()[0];
  CHECK(warning.string_or("ruleName") == "StageNameCasing");
  CHECK(warning.string_or("detail") == "Stage name 'B'");
  CHECK(json::write(*warning.find("location")) == R"({"ranges":[{"start":{"line":4},"end":{"line":4}}]})");
  CHECK(record.find("sources")->as_array()[0].string_or("data") == "RlJPTSB4");
  CHECK(!check_record({}, "Dockerfile", "FROM x").find("warnings"));
}

TEST_CASE("the same warning of two platforms is one") {
  Counter counter;
  WarningKeeper keeper(counter);
  keeper.on(warned("A", "x", 1));
  keeper.on(warned("A", "x", 1));
  keeper.on(warned("A", "x", 2));
  keeper.on(build::StepAnnounced{1, "x"});
  CHECK(keeper.warnings().size() == 2);
  CHECK(counter.count == 3);
}

}  // namespace
}  // namespace mica::cli
