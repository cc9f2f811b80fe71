#include "engine/layout_index.h"

#include <doctest/doctest.h>

#include "base/format.h"

using namespace mica;
using namespace mica::engine;

namespace {

const oci::Digest kOne = oci::Digest::of("one"), kTwo = oci::Digest::of("two");

LayoutIndex::Entry entry(const std::string& repository, const std::string& tag, const oci::Digest& digest) {
  return {.repository = repository, .tag = tag, .digest = digest, .media_type = "application/vnd.oci.image.manifest.v1+json", .size = 3};
}

std::string names(const LayoutIndex& index) {
  std::string out;
  for (const auto& one : index.entries()) out += format("{}:{}={};", one.repository, one.tag, one.digest == kOne ? 1 : 2);
  return out;
}

LayoutIndex again(const LayoutIndex& index) { return *LayoutIndex::parse(index.write(), "home"); }

}  // namespace

TEST_CASE("entries of any program have a repository and mostly a tag") {
  struct Row {
    std::string annotations, name;
  };
  const Row rows[] = {
      {R"({"org.opencontainers.image.ref.name":"team/app:1"})", "team/app:1"},
      {R"({"org.opencontainers.image.ref.name":"app:v1.0_x"})", "app:v1.0_x"},
      {R"({"org.opencontainers.image.ref.name":"team/app@sha256:00"})", "team/app:"},
      {R"({"org.opencontainers.image.ref.name":"localhost:5000/team/app:1"})", "team/app:1"},
      {R"({"org.opencontainers.image.ref.name":"docker.io/library/app:1"})", "docker.io/library/app:1"},
      {R"({"org.opencontainers.image.ref.name":"latest"})", "home:latest"},
      {R"({"org.opencontainers.image.ref.name":"1","io.containerd.image.name":"docker.io/library/app:1"})", "app:1"},
      {R"({"org.opencontainers.image.ref.name":"1","io.containerd.image.name":"ghcr.io/team/app:1"})", "team/app:1"},
      {R"({"org.opencontainers.image.ref.name":"../../x:1"})", "home:"},
      {R"({"org.opencontainers.image.ref.name":"UPPER:1"})", "home:"},
      {R"({"org.opencontainers.image.ref.name":7})", "home:"},
      {R"({})", "home:"},
      {R"(null)", "home:"},
      {R"("x")", "home:"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.annotations);
    const auto index = LayoutIndex::parse(format(R"({{"schemaVersion":2,"manifests":[{{"mediaType":"m","digest":"{}","size":3,"annotations":{}}}]}})", kOne.str(), row.annotations), "home");
    REQUIRE(index.has_value());
    REQUIRE(index->entries().size() == 1);
    CHECK(index->entries()[0].repository + ":" + index->entries()[0].tag == row.name);
  }
}

TEST_CASE("a document outlives its tags, and each name is there once") {
  LayoutIndex index;
  index.put(entry("a", "1", kOne));
  index.put(entry("a", "1", kOne));
  CHECK(names(again(index)) == "a:1=1;");
  index.put(entry("a", "2", kOne));
  index.put(entry("b", "1", kOne));
  CHECK(names(again(index)) == "a:1=1;a:2=1;b:1=1;");
  index.put(entry("a", "1", kTwo));
  CHECK(names(again(index)) == "a:2=1;b:1=1;a:1=2;");
  CHECK(index.remove_tag("a", "2"));
  CHECK_FALSE(index.remove_tag("a", "2"));
  CHECK(names(again(index)) == "a:=1;b:1=1;a:1=2;");
  index.put(entry("a", "", kTwo));
  CHECK(names(again(index)) == "a:=1;b:1=1;a:1=2;");
  index.put(entry("a", "3", kOne));
  CHECK(names(again(index)) == "b:1=1;a:1=2;a:3=1;");
  CHECK(index.remove("a", kOne));
  CHECK_FALSE(index.remove("a", kOne));
  CHECK(names(again(index)) == "b:1=1;a:1=2;");
  CHECK(index.find_tag("a", "1")->digest == kTwo);
  CHECK(index.find_tag("a", "3") == nullptr);
  CHECK(index.find("b", kOne) != nullptr);
  CHECK(index.find("b", kTwo) == nullptr);
}

TEST_CASE("what others wrote into index.json stays") {
  const std::string text = format(
      R"({{"schemaVersion":2,"extra":[1],"manifests":[{{"mediaType":"m","digest":"{}","size":3,"artifactType":"t","annotations":{{"org.opencontainers.image.ref.name":"a:1","k":"v"}}}},{{"digest":"sha512:00"}},5]}})",
      kOne.str());
  auto index = *LayoutIndex::parse(text, "home");
  index.put(entry("b", "1", kTwo));
  CHECK(index.remove_tag("a", "1"));
  const std::string written = index.write();
  for (const std::string part : {R"("extra":[1])", R"("artifactType":"t")", R"("k":"v")", R"("digest":"sha512:00")", ",5]"}) CHECK_MESSAGE(written.find(part) != written.npos, part);
  CHECK(names(again(index)) == "a:=1;b:1=2;");
  for (const std::string bad : {"", "[]", R"({"manifests":{}})"}) CHECK_FALSE_MESSAGE(LayoutIndex::parse(bad, "home").has_value(), bad);
}

TEST_CASE("a folder's name gives a repository") {
  CHECK(home_repository("/srv/images") == "images");
  CHECK(home_repository("/srv/My Images/") == "my-images");
  CHECK(home_repository("/srv/__x..y__") == "x-y");
  CHECK(home_repository("/") == "layout");
}
