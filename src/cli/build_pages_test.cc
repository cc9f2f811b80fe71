#include "cli/build_pages.h"

#include <doctest/doctest.h>


namespace mica::cli {
namespace {

using build::Outcome;

oci::Digest digest(char c) { return oci::Digest::from_hex(std::string(64, c)); }
std::string text(char c) { return "sha256:" + std::string(64, c); }

engine::BuildResult with_stages() {
  engine::BuildResult result;
  result.file.source = "FROM x";
  dockerfile::Stage first{.base = "alpine", .name = "b", .comments = {"b builds it"}, .where = {.line = 2, .end_line = 2}};
  dockerfile::Stage second{.base = "b", .comments = {"nothing"}, .where = {.line = 5, .end_line = 5}};
  result.file.stages = {first, second};
  return result;
}

TEST_CASE("targets are listed with their comments, the last one being the default") {
  CHECK(targets_page(with_stages()) == "TARGET    DESCRIPTION\nb         builds it\n(default) \n");
  auto named = with_stages();
  named.file.stages[1].name = "all";
  CHECK(targets_page(named) == "TARGET        DESCRIPTION\nb             builds it\nall (default) \n");
}

TEST_CASE("targets as JSON") {
  CHECK(json::write(targets_record(with_stages())) ==
        R"({"targets":[{"name":"b","description":"builds it","base":"alpine","location":{"ranges":[{"start":{"line":2},"end":{"line":2}}]}},)"
        R"({"default":true,"base":"b","location":{"ranges":[{"start":{"line":5},"end":{"line":5}}]}}],"sources":["RlJPTSB4"]})");
}

TEST_CASE("a dry run says what is cached, what would run and what cannot be known") {
  build::BuildReport report;
  report.steps = {{.number = 2, .title = "[1/3] FROM alpine", .outcome = Outcome::cached},
                  {.number = 3, .title = "[2/3] COPY a /", .outcome = Outcome::cancelled, .reasons = {"a changed: 12 to 34", "b is new"}},
                  {.number = 4, .title = "[3/3] RUN make", .outcome = Outcome::cancelled}};
  CHECK(dry_run_page(report) ==
        "CACHED     #2 [1/3] FROM alpine\n"
        "WOULD RUN  #3 [2/3] COPY a /\n"
        "             a changed: 12 to 34\n"
        "             b is new\n"
        "UNKNOWN    #4 [3/3] RUN make\n"
        "             needs the result of a step that would run\n"
        "1 of 3 steps cached, 1 would run, 1 unknown\n");
}

TEST_CASE("the metadata of an image in the store") {
  engine::BuildResult result;
  result.image_id = oci::ImageId{digest('a')};
  result.names = {"docker.io/library/x:1", "docker.io/library/y:latest"};
  result.report.id = 17;
  CHECK(json::write(metadata_record(result, {})) == R"({"buildx.build.ref":"default/default/17","containerimage.config.digest":")" + text('a') +
                                                        R"(","containerimage.digest":")" + text('a') +
                                                        R"(","image.name":"docker.io/library/x:1,docker.io/library/y:latest"})");
}

TEST_CASE("the metadata of an OCI output has its descriptor") {
  engine::BuildResult result;
  result.image_id = oci::ImageId{digest('a')};
  result.manifest_digest = digest('b');
  result.manifest_size = 7;
  const auto record = metadata_record(result, {});
  CHECK(record.string_or("containerimage.digest") == text('b'));
  CHECK(record.string_or("containerimage.config.digest") == text('a'));
  CHECK(json::write(*record.find("containerimage.descriptor")) ==
        R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" + text('b') + R"(","size":7})");
  CHECK(metadata_record(result, {.index = true}).find("containerimage.descriptor")->string_or("mediaType") == "application/vnd.oci.image.index.v1+json");
  CHECK(!record.find("image.name"));
}

TEST_CASE("warnings are in the metadata only when asked for") {
  engine::BuildResult result;
  result.file.name = "Dockerfile";
  result.file.source = "FROM x";
  result.warnings = {{.level = dockerfile::Diagnostic::Level::warning, .code = "A", .message = "b", .where = {.line = 1, .end_line = 1}}};
  CHECK(!metadata_record(result, {}).find("buildx.build.warnings"));
  const auto record = metadata_record(result, {.warnings = true});
  const auto& warning = record.find("buildx.build.warnings")->as_array()[0];
  CHECK(warning.string_or("short") == "QTogYiAobGluZSAxKQ==");
  CHECK(warning.find("sourceInfo")->string_or("data") == "RlJPTSB4");
}

}  // namespace
}  // namespace mica::cli
