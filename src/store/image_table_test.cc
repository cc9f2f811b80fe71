#include "store/image_table.h"

#include <doctest/doctest.h>

#include "base/format.h"

using namespace mica;
using store::ImageRow;
using store::ImageTable;

namespace {

oci::ImageId id_of(std::string_view text) { return {oci::Digest::of(text)}; }
oci::ImageId id_with(const std::string& start) { return {oci::Digest::from_hex(start + std::string(64 - start.size(), '0'))}; }
oci::Reference named(std::string_view text) {
  auto parsed = oci::Reference::parse(text);
  REQUIRE(parsed);
  return *parsed;
}
std::vector<std::string> shown(const std::vector<oci::Reference>& names) {
  std::vector<std::string> out;
  for (const auto& name : names) out.push_back(name.familiar());
  return out;
}
using Strings = std::vector<std::string>;

struct Store {
  static Guarded<db::Database> open() {
    static const std::string_view kSchema[] = {store::kSchemaSql, store::kPlatformsSchemaSql};
    auto database = db::Database::open(":memory:", db::Schema{kSchema});
    REQUIRE(database);
    return Guarded<db::Database>(std::move(*database));
  }
  Guarded<db::Database> database = open();
  ImageTable images{database};

  void put(const oci::ImageId& id, const Strings& names, const oci::Digest& manifest = {}, std::int64_t created = 0) {
    std::vector<oci::Reference> references;
    for (const auto& name : names) references.push_back(named(name));
    REQUIRE(images.put({.id = id, .manifest = manifest, .created = {created}}, references));
  }
};

}  // namespace

TEST_CASE("an image comes back as it was put") {
  Store store;
  const ImageRow image{.id = id_of("config"),
                       .layers = {"00112233aabbccdd", "8899aabb00112233"},
                       .manifest = oci::Digest::of("manifest"),
                       .bytes = 123456789012,
                       .created = Timestamp::least(),
                       .added = {1'700'000'000'123'456'789},
                       .platform = {.os = "linux", .architecture = "arm", .variant = "v7", .os_version = "x"},
                       .labels = {{"b", "2 \"quoted\" \n"}, {"a", ""}, {"ä", "ö"}, {"", std::string("1:\0", 3)}}};
  REQUIRE(store.images.put(image, {}));
  const auto found = store.images.find(image.id);
  REQUIRE(found);
  REQUIRE(found->has_value());
  const ImageRow& back = **found;
  CHECK(back.id == image.id);
  CHECK(back.layers == image.layers);
  CHECK(back.manifest == image.manifest);
  CHECK(back.bytes == image.bytes);
  CHECK(back.created == image.created);
  CHECK(back.added == image.added);
  CHECK(back.platform == image.platform);
  CHECK(back.labels == image.labels);
  CHECK_FALSE(store.images.find(id_of("other"))->has_value());

  REQUIRE(store.images.put({.id = id_of("bare")}, {}));
  const auto bare = store.images.find(id_of("bare"));
  CHECK((*bare)->layers.empty());
  CHECK((*bare)->labels.empty());
  CHECK((*bare)->manifest.empty());
}

TEST_CASE("an image put again is refreshed but keeps its age and its known manifest") {
  Store store;
  ImageRow image{.id = id_of("a"), .layers = {"1111111111111111"}, .manifest = oci::Digest::of("m"), .added = {100}};
  REQUIRE(store.images.put(image, {named("app")}));
  image.layers = {"2222222222222222"};
  image.manifest = {};
  image.added = {200};
  REQUIRE(store.images.put(image, {}));
  auto back = store.images.find(image.id);
  CHECK((*back)->layers == Strings{"2222222222222222"});
  CHECK((*back)->manifest == oci::Digest::of("m"));
  CHECK((*back)->added.ns == 100);
  CHECK(shown(*store.images.names_of(image.id)) == Strings{"app:latest"});
  image.manifest = oci::Digest::of("n");
  REQUIRE(store.images.put(image, {}));
  CHECK((*store.images.find(image.id))->manifest == oci::Digest::of("n"));
}

TEST_CASE("a name moves, and the image that lost its last name is told") {
  Store store;
  store.put(id_of("old"), {"app", "app:1"});
  store.put(id_of("other"), {"other"});
  const auto first = store.images.put({.id = id_of("new")}, {named("app")});
  CHECK(first->empty());
  const auto second = store.images.put({.id = id_of("new")}, {named("app:1"), named("app"), named("other"), named("other")});
  CHECK(*second == std::vector{id_of("old"), id_of("other")});
  CHECK(store.images.names_of(id_of("old"))->empty());
  CHECK(shown(*store.images.names_of(id_of("new"))) == Strings{"app:1", "app:latest", "other:latest"});
  CHECK(store.images.list()->size() == 3);
}

TEST_CASE("one digest stands for several images, as that of an index does, and goes with each of them") {
  Store store;
  const std::string index = "app@sha256:" + std::string(64, '7');
  store.put(id_of("amd"), {index});
  store.put(id_of("arm"), {index, "app:1"});
  store.put(id_of("amd"), {index});
  const auto ids = [&] {
    Strings out;
    const auto images = store.images.with_digest(named(index));
    for (const auto& image : *images) out.push_back(image.id.digest.str());
    return out;
  };
  CHECK(ids() == Strings{id_of("amd").digest.str(), id_of("arm").digest.str()});
  CHECK((*store.images.find_name(named(index)))->id == id_of("amd"));
  CHECK(*store.images.remove_name(named("app:1")));
  CHECK(ids() == Strings{id_of("amd").digest.str()});
  CHECK(store.images.remove(id_of("amd")).has_value());
  CHECK(ids().empty());
}

TEST_CASE("tags are set and taken away") {
  Store store;
  store.put(id_of("a"), {"app"});
  CHECK(store.images.tag(id_of("a"), named("example.com:5001/team/app:2")).has_value());
  CHECK(store.images.tag(id_of("none"), named("x")).error().code() == Errc::not_found);
  auto row = store.images.find_name(named("example.com:5001/team/app:2"));
  REQUIRE(row->has_value());
  CHECK((*row)->id == id_of("a"));
  CHECK((*row)->reference.registry == "example.com:5001");
  CHECK((*row)->reference.path == "team/app");
  CHECK((*row)->tagged.ns > 0);
  CHECK(store.images.names()->size() == 2);
  CHECK(*store.images.remove_name(named("app")));
  CHECK_FALSE(*store.images.remove_name(named("app")));
  CHECK(store.images.names()->size() == 1);
  CHECK(store.images.remove(id_of("a")).has_value());
  CHECK(store.images.remove(id_of("a")).has_value());
  CHECK(store.images.names()->empty());
  CHECK(store.images.list()->empty());
}

TEST_CASE("images are listed newest first") {
  Store store;
  REQUIRE(store.images.put({.id = id_with("1"), .created = {10}, .added = {1}}, {}));
  REQUIRE(store.images.put({.id = id_with("2"), .created = {30}, .added = {1}}, {}));
  REQUIRE(store.images.put({.id = id_with("3"), .created = {10}, .added = {2}}, {}));
  REQUIRE(store.images.put({.id = id_with("4"), .created = Timestamp::least(), .added = {9}}, {}));
  REQUIRE(store.images.put({.id = id_with("0"), .created = {10}, .added = {1}}, {}));
  std::string order;
  const auto images = store.images.list();
  for (const auto& image : *images) order += image.id.digest.hex()[0];
  CHECK(order == "23014");
}

TEST_CASE("what a user types finds the image by docker's rules") {
  Store store;
  const auto manifest = oci::Digest::of("manifest");
  store.put(id_with("abc1"), {"alpine", "alpine:3.20", "example.com/team/alpine:3.20"}, manifest);
  store.put(id_with("abc2"), {"debian:bookworm"});
  store.put(id_with("cafe"), {"abc1"});          // a name that is also an id prefix
  store.put(id_with("d00d"), {"d00d:1"});
  store.put(id_with("777"), {});
  const std::string alpine = id_with("abc1").digest.str(), none = std::string(64, 'e');
  struct Row {
    std::string text, result;
  };
  const Row rows[] = {
      {"alpine", "abc1"},
      {"alpine:latest", "abc1"},
      {"docker.io/library/alpine:3.20", "abc1"},
      {"index.docker.io/library/alpine", "abc1"},
      {"example.com/team/alpine:3.20", "abc1"},
      {"example.com/team/alpine", "not_found: No such image: example.com/team/alpine:latest"},
      {alpine, "abc1"},
      {alpine.substr(7), "abc1"},
      {"sha256:" + none, "not_found: No such image: sha256:" + none},
      {none, "not_found: No such image: sha256:" + none},
      {"abc1", "cafe"},
      {"sha256:abc1", "abc1"},
      {"abc10", "abc1"},
      {"abc2", "abc2"},
      {"7", "777"},
      {"777000", "777"},
      {"abc", "conflict: image id prefix \"abc\" is ambiguous: abc100000000 and abc200000000 begin so"},
      {"sha256:abc", "conflict: image id prefix \"sha256:abc\" is ambiguous: abc100000000 and abc200000000 begin so"},
      {"d00d", "d00d"},
      {"d00d:1", "d00d"},
      {"d00d:2", "not_found: No such image: d00d:2"},
      {"fff", "not_found: No such image: fff:latest"},
      {"nothing", "not_found: No such image: nothing:latest"},
      {"team/nothing:1", "not_found: No such image: team/nothing:1"},
      {"alpine@" + manifest.str(), "abc1"},
      {"alpine:whatever@" + manifest.str(), "abc1"},
      {"example.com/team/alpine@" + manifest.str(), "abc1"},
      {"debian@" + manifest.str(), "not_found: No such image: debian@" + manifest.str()},
      {"alpine@sha256:" + none, "not_found: No such image: alpine@sha256:" + none},
      {"", "invalid_argument: invalid reference format"},
      {"Alpine", "invalid_argument: invalid reference format: repository name (library/Alpine) must be lowercase"},
      {"a b", "invalid_argument: invalid reference format"},
      {"alpine:", "invalid_argument: invalid reference format"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto image = store.images.resolve(row.text);
    const std::string result = image ? "" : format("{}: {}", name(image.error().code()), image.error().text());
    if (image) CHECK(image->id == id_with(row.result));
    else CHECK(result == row.result);
  }
}

TEST_CASE("a missing image is answered with what is near") {
  Store store;
  store.put(id_of("a"), {"alpine:3.19", "alpine:3.20", "example.com/team/server:1"});
  struct Row {
    std::string_view text, hint;
  };
  for (const Row& row : {Row{"alpine", "alpine is here as 3.19, 3.20"}, Row{"alpne:3.20", "did you mean alpine?"},
                         Row{"example.com/team/sever:1", "did you mean example.com/team/server?"}, Row{"mysql", ""}}) {
    CAPTURE(row.text);
    CHECK(store.images.resolve(row.text).error().hint() == row.hint);
  }
}

TEST_CASE("a digest stays known while its tag moves, and goes with the last tag or the image") {
  Store store;
  const auto first = oci::Digest::of("first"), second = oci::Digest::of("second");
  const std::string by_first = "alpine@" + first.str(), by_second = "alpine@" + second.str();
  store.put(id_of("1"), {"alpine"}, first);
  store.put(id_of("2"), {"alpine"}, second);
  CHECK(store.images.resolve(by_first)->id == id_of("1"));
  CHECK(store.images.resolve(by_second)->id == id_of("2"));

  REQUIRE(store.images.tag(id_of("2"), named("alpine:3")));
  CHECK(*store.images.remove_name(named("alpine")));
  CHECK(store.images.resolve(by_second).has_value());
  CHECK(*store.images.remove_name(named("alpine:3")));
  CHECK_FALSE(store.images.resolve(by_second).has_value());

  REQUIRE(store.images.remove(id_of("1")));
  CHECK_FALSE(store.images.resolve(by_first).has_value());
}

TEST_CASE("an image pulled by digest is found by it without having a name") {
  Store store;
  const std::string text = "example.com/app@" + oci::Digest::of("m").str();
  store.put(id_of("a"), {text}, oci::Digest::of("m"));
  CHECK(store.images.resolve(text)->id == id_of("a"));
  CHECK((*store.images.find_name(named(text)))->id == id_of("a"));
  CHECK(store.images.names()->empty());
  CHECK(*store.images.remove_name(named(text)));
  CHECK_FALSE(*store.images.remove_name(named(text)));
  CHECK_FALSE(store.images.resolve(text).has_value());
}

TEST_CASE("damaged rows are errors") {
  Store store;
  store.put(id_of("a"), {"app"});
  for (const char* damage :
       {"UPDATE image SET manifest = 'xyz'", "UPDATE image SET manifest = '', labels = '{'", "UPDATE image SET labels = '1:a'",
        "UPDATE image SET labels = '1:a9:b'", "UPDATE image SET labels = '1:a-1:b'", "UPDATE image SET labels = '1:a1:b1'"}) {
    CAPTURE(damage);
    REQUIRE(store.database.lock()->execute(damage));
    CHECK(store.images.list().error().code() == Errc::corrupt);
  }
}
