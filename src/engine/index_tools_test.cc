#include <doctest/doctest.h>

#include "engine/index_annotations.h"
#include "engine/index_json.h"
#include "engine/manifest_lists.h"
#include "sys/fd.h"

using namespace mica;
using namespace mica::engine;

TEST_CASE("annotations say what they are for") {
  const auto parsed = parse_index_annotations({"index:a=b=c", "manifest-descriptor[linux/arm64/v8]:k.x=", "index,manifest-descriptor:both=1"});
  REQUIRE(parsed);
  REQUIRE(parsed->size() == 4);
  CHECK((*parsed)[0].key == "a");
  CHECK((*parsed)[0].value == "b=c");
  CHECK((*parsed)[1].target == IndexAnnotation::Target::entry);
  CHECK((*parsed)[1].platform == "linux/arm64");
  CHECK((*parsed)[1].value == "");
  CHECK((*parsed)[3].target == IndexAnnotation::Target::entry);
  const std::pair<std::string, Errc> faults[] = {
      {"a=b", Errc::unsupported},           {"manifest:a=b", Errc::unsupported},  {"index:a", Errc::invalid_argument},
      {"index:=b", Errc::invalid_argument}, {"index[linux/amd64]:a=b", Errc::invalid_argument}, {"manifest-descriptor[linux/amd64:a=b", Errc::invalid_argument},
      {"manifest-descriptor[]:a=b", Errc::invalid_argument},
  };
  for (const auto& [text, code] : faults) {
    CAPTURE(text);
    const auto refused = parse_index_annotations({text});
    REQUIRE(!refused);
    CHECK(refused.error().code() == code);
  }
}

TEST_CASE("members come in the order of Go's types, without those that it leaves out") {
  const auto descriptor = json::parse(R"({"size":3,"platform":{"variant":"v8","os.features":[],"os":"linux","architecture":"arm64","x":1},"annotations":{"b":"2","a":"1"},
    "digest":"sha256:d","urls":[],"mediaType":"m","unknown":true})");
  REQUIRE(descriptor);
  CHECK(json::write(ordered_descriptor(*descriptor, MemberOrder::oci)) ==
        R"({"mediaType":"m","digest":"sha256:d","size":3,"annotations":{"a":"1","b":"2"},"platform":{"architecture":"arm64","os":"linux","variant":"v8"}})");
  CHECK(json::write(ordered_descriptor(*descriptor, MemberOrder::docker)).starts_with(R"({"mediaType":"m","size":3,"digest":"sha256:d")"));
  CHECK(json::write(normal_platform(*descriptor->find("platform"))) == R"({"architecture":"arm64","os":"linux"})");
  CHECK(platform_text(*descriptor->find("platform")) == "linux/arm64");
}

TEST_CASE("indentation is Go's, and only indentation becomes tabs") {
  const auto value = json::parse(R"({"a":[" x","<&>"],"b":{}})");
  REQUIRE(value);
  CHECK(indented(*value, 3) == "{\n   \"a\": [\n      \" x\",\n      \"\\u003c\\u0026\\u003e\"\n   ],\n   \"b\": {}\n}");
  CHECK(indented_by_tabs(*value) == "{\n\t\"a\": [\n\t\t\" x\",\n\t\t\"\\u003c\\u0026\\u003e\"\n\t],\n\t\"b\": {}\n}");
}

TEST_CASE("a manifest list is kept whole, under any name") {
  const auto folder = sys::TempDir::create("/tmp", "mica-lists");
  REQUIRE(folder);
  const ManifestLists lists(folder->path() + "/root");
  // A slash, a colon and their stand-ins in Docker's file names are different here; and names may be longer than file names.
  const oci::Reference name = *oci::Reference::parse("a.b/c:d"), alike = *oci::Reference::parse("a.b/c-d:d"),
                       lengthy = *oci::Reference::parse("a.b/" + std::string(120, 'x') + ":" + std::string(128, 'y'));
  for (const auto& one : {name, alike, lengthy}) {
    auto none = lists.read(one);
    REQUIRE(none);
    CHECK(!*none);
  }
  ManifestList list{.name = lengthy};
  for (const std::string text : {"z.io/a:1", "a.io/b:2", "a.io/b:1"}) {
    ListedManifest manifest{.reference = *oci::Reference::parse(text), .raw = "{\"of\":\"" + text + "\"}"};
    manifest.descriptor.set("mediaType", "m");
    manifest.descriptor.set("digest", oci::Digest::of(manifest.raw).str());
    list.put(std::move(manifest));
  }
  REQUIRE(lists.lock());
  REQUIRE(lists.write(list));
  auto read = lists.read(lengthy);
  REQUIRE(read);
  REQUIRE(*read);
  REQUIRE((*read)->manifests.size() == 3);
  CHECK((*read)->manifests[0].reference.str() == "a.io/b:1");
  CHECK((*read)->manifests[2].raw == list.manifests[2].raw);
  CHECK(!lists.read(name).value());
  CHECK(*lists.remove(lengthy));
  CHECK(!*lists.remove(lengthy));
}
