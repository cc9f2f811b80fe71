#include "cli/progress_json.h"

#include <doctest/doctest.h>


namespace mica::cli {
namespace {

using build::Outcome;

const Timestamp kNow = Timestamp::from_seconds(1'772'366'400);   // 2026-03-01T12:00:00Z

json::Value only(const std::string& line, std::string_view kind) {
  REQUIRE(line.ends_with('\n'));
  REQUIRE(line.find('\n') + 1 == line.size());
  const auto parsed = json::parse(line);
  REQUIRE(parsed);
  REQUIRE(parsed->as_object().size() == 1);
  const json::Value* list = parsed->find(kind);
  REQUIRE(list);
  REQUIRE(list->as_array().size() == 1);
  return list->as_array()[0];
}

TEST_CASE("a step's life is three records with the same digest") {
  JsonText text;
  const auto announced = only(text.on(build::StepAnnounced{1, "[1/1] RUN a"}, kNow), "vertexes");
  CHECK(announced.string_or("name") == "[1/1] RUN a");
  CHECK(announced.string_or("digest").starts_with("sha256:"));
  CHECK(announced.int_or("number") == 1);
  CHECK(!announced.find("started"));
  const auto started = only(text.on(build::StepStarted{1, kNow}, kNow), "vertexes");
  CHECK(started.string_or("started") == "2026-03-01T12:00:00Z");
  CHECK(!started.find("completed"));
  const auto finished = only(text.on(build::StepFinished{1, Outcome::done, 1, ""}, {kNow.ns + 500'000'000}), "vertexes");
  CHECK(finished.string_or("digest") == announced.string_or("digest"));
  CHECK(finished.string_or("completed") == "2026-03-01T12:00:00.5Z");
  CHECK(!finished.find("cached"));
  CHECK(!finished.find("error"));
}

TEST_CASE("outcomes are told apart") {
  JsonText text;
  for (int i = 1; i <= 4; ++i) text.on(build::StepAnnounced{i, "same title"}, kNow);
  text.on(build::StepStarted{3, kNow}, kNow);
  const auto cached = only(text.on(build::StepFinished{1, Outcome::cached, 0, ""}, kNow), "vertexes");
  CHECK(cached.bool_or("cached"));
  CHECK(cached.string_or("started") == "2026-03-01T12:00:00Z");
  const auto failed = only(text.on(build::StepFinished{2, Outcome::failed, 0, "exit code: 1"}, kNow), "vertexes");
  CHECK(failed.string_or("error") == "exit code: 1");
  CHECK(failed.string_or("digest") != cached.string_or("digest"));
  CHECK(only(text.on(build::StepFinished{3, Outcome::cancelled, 0, ""}, kNow), "vertexes").string_or("error") == "context canceled");
  CHECK(text.on(build::StepFinished{4, Outcome::cancelled, 0, ""}, kNow).empty());
}

TEST_CASE("output is base64, transfers keep their start") {
  JsonText text;
  const auto vertex = only(text.on(build::StepAnnounced{1, "RUN a"}, kNow), "vertexes");
  const auto log = only(text.on(build::StepOutput{1, 2, "hi\n", false}, kNow), "logs");
  CHECK(log.string_or("vertex") == vertex.string_or("digest"));
  CHECK(log.string_or("data") == "aGkK");
  CHECK(log.int_or("stream") == 2);
  CHECK(!log.find("replayed"));
  const auto first = only(text.on(build::StepProgress{1, "transferring context", 5, 10, false}, kNow), "statuses");
  CHECK(first.int_or("current") == 5);
  CHECK(first.int_or("total") == 10);
  CHECK(!first.find("completed"));
  const auto last = only(text.on(build::StepProgress{1, "transferring context", 10, 10, true}, {kNow.ns + 1'000'000'000}), "statuses");
  CHECK(last.string_or("started") == "2026-03-01T12:00:00Z");
  CHECK(last.string_or("completed") == "2026-03-01T12:00:01Z");
}

TEST_CASE("explanations and warnings are records, a shell is not") {
  JsonText text;
  text.on(build::StepAnnounced{1, "[internal] load build definition"}, kNow);
  const auto explained = only(text.on(build::StepExplained{1, false, {"a changed"}}, kNow), "explanations");
  CHECK(!explained.bool_or("hit", true));
  CHECK(explained.strings("reasons") == std::vector<std::string>{"a changed"});
  build::Warned warned{.diagnostic = {.level = dockerfile::Diagnostic::Level::warning, .code = "StageNameCasing", .message = "Stage name 'B'", .where = {.line = 4}}, .file = "Dockerfile"};
  const auto warning = only(text.on(warned, kNow), "warnings");
  CHECK(warning.string_or("short") == "U3RhZ2VOYW1lQ2FzaW5nOiBTdGFnZSBuYW1lICdCJyAobGluZSA0KQ==");
  CHECK(warning.string_or("url") == "https://docs.docker.com/go/dockerfile/rule/stage-name-casing/");
  CHECK(warning.find("vertex"));
  CHECK(text.on(build::ShellOpened{1, true}, kNow).empty());
}

}  // namespace
}  // namespace mica::cli
