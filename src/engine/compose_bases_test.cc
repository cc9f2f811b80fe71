#include "engine/compose_bases.h"

#include <doctest/doctest.h>

#include "base/text.h"
#include "sys/fd.h"

using namespace mica;

namespace {
/// A folder with files in it.
struct Folder {
  sys::TempDir folder = std::move(*sys::TempDir::create("/tmp", "compose-test"));
  Folder& with(const std::string& name, std::string_view text) {
    REQUIRE(sys::write_file_atomically(path(name), text));
    return *this;
  }
  std::string path(const std::string& name) const { return join_path(folder.path(), name); }
};
std::string lines(const engine::ComposeBases& bases, const std::string& folder) {
  std::string out;
  for (const auto& image : bases.images) out += image.service + " " + image.image + " " + std::to_string(image.where.line) + "\n";
  for (const auto& build : bases.builds) {
    out += build.service + " build " + (build.text.empty() ? build.dockerfile : build.text) + " " + join(build.build_args, ",") + " " + join(build.platforms, ",");
    for (const auto& [name, value] : build.contexts) out += " " + name + "=" + value;
    out += "\n";
  }
  return replace_all(out, folder, "DIR");
}
}  // namespace

TEST_CASE("a compose file's images are those of services that are not built, with variables replaced") {
  Folder folder;
  folder.with(".env", "TAG=16\nPLATFORM=linux/arm64\n");
  folder.with("other.yaml", "services:\n  common:\n    build: {context: ctx, args: {A: 1, B: 2}}\n    image: common:1\n");
  folder.with("part.yaml", "services: {cache: {image: 'redis:7'}}\n");
  folder.with("compose.yaml", R"(name: x
include: [part.yaml]
x-base: &base {restart: always}
services:
  db:
    <<: *base
    image: "postgres:${TAG:-15}"
  app:
    build: ./app
    image: app:dev
  worker:
    image: app:dev
  tool:
    platform: ${PLATFORM}
    build:
      dockerfile: build/tool.Dockerfile
      args: ["VERSION=${TAG}", EMPTY=, MICA_TEST_UNSET]
      additional_contexts: {base: "service:app", data: ./data}
  inline:
    build: {dockerfile_inline: "FROM alpine:${NONE_HERE:-3}\nRUN echo $$HOME\n"}
  far: {build: https://example.com/x.git}
  child:
    extends: {file: other.yaml, service: common}
    build: {args: {B: 3}}
  twin: {extends: db}
  nothing:
)");
  const auto bases = engine::read_compose_bases(folder.path("compose.yaml"));
  REQUIRE_MESSAGE(bases.has_value(), (bases ? std::string() : bases.error().full_text()));
  CHECK(lines(*bases, folder.folder.path()) == R"(cache redis:7 1
db postgres:16 7
twin postgres:16 7
app build DIR/app/Dockerfile  
child build DIR/ctx/Dockerfile A=1,B=3 
inline build FROM alpine:3
RUN echo $HOME
  
tool build DIR/build/tool.Dockerfile VERSION=16,EMPTY= linux/arm64 base=docker-image://app data=./data
)");
  REQUIRE(bases->remarks.size() == 1);
  CHECK(bases->remarks[0].find("service far is built from https://example.com/x.git") != std::string::npos);
}

TEST_CASE("faults of a compose file are named with their line") {
  const std::pair<std::string_view, std::string_view> faults[] = {
      {"services:\n  a: {image: x\n", "line 3"},
      {"- a\n", "a compose file is a mapping"},
      {"services: [a]\n", "services: must be a mapping"},
      {"services:\n  a: x\n", "compose.yaml:2: services.a: must be a mapping"},
      {"services:\n  a:\n    image: [x]\n", "compose.yaml:3: services.a.image: must be a string"},
      {"services:\n  a:\n    image: x:${TAG?no tag}\n", "compose.yaml:3: required variable TAG is missing a value: no tag"},
      {"services:\n  a:\n    build: 7\n", "compose.yaml:3: services.a.build: must be a path or a mapping"},
      {"services:\n  a:\n    extends: b\n", "there is no service \"b\""},
      {"services:\n  a: {extends: b}\n  b: {extends: a}\n", "in a circle"},
      {"include: [compose.yaml]\n", "include each other"},
      {"services:\n  a:\n    extends: {file: none.yaml, service: x}\n", "compose.yaml:3: opening"},
  };
  for (const auto& [text, wanted] : faults) {
    CAPTURE(text);
    Folder folder;
    folder.with("compose.yaml", text);
    const auto bases = engine::read_compose_bases(folder.path("compose.yaml"));
    REQUIRE_FALSE(bases);
    CHECK_MESSAGE(bases.error().text().find(wanted) != std::string::npos, bases.error().text());
  }
}
