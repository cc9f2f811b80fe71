#include "engine/step_cache_root.h"

#include <doctest/doctest.h>

#include <functional>

#include "base/sha256.h"

using namespace mica;
using namespace mica::engine;

namespace {

CachedStep step(const std::string& name) {
  CachedStep step{.strong = sha256_hex("strong" + name), .weak = sha256_hex("weak" + name), .instruction = "RUN " + name, .created = {7}};
  step.used = now();
  step.diff_id = {oci::Digest::of("diff" + name)};
  step.layer = {.media_type = std::string(oci::kOciLayerZstd), .digest = oci::Digest::of("layer" + name), .size = 10};
  step.content_id = sha256_hex("content" + name);
  step.parts.text = "parts of " + name;
  return step;
}

/// A cache in memory; others may write it between our requests.
class MemoryPlace : public CachePlace {
 public:
  std::optional<std::string> manifest;
  std::map<oci::Digest, std::string> blobs;
  std::vector<oci::Digest> forgotten;
  std::function<void()> before_write, after_write;
  int writes = 0;

  std::string name() const override { return "memory"; }
  Result<std::optional<std::string>> root(task::Cancel) override { return manifest; }
  Result<> set_root(std::string_view bytes, task::Cancel) override {
    ++writes;
    if (auto act = std::exchange(before_write, nullptr)) act();
    manifest = bytes;
    if (auto act = std::exchange(after_write, nullptr)) act();
    return {};
  }
  Result<bool> has(const oci::Digest& blob, task::Cancel) override { return blobs.contains(blob); }
  Result<std::string> read(const oci::Descriptor& blob, std::size_t, task::Cancel) override {
    const auto found = blobs.find(blob.digest);
    if (found == blobs.end()) return fail(Errc::not_found, "no such blob");
    return found->second;
  }
  Result<std::unique_ptr<stream::Source>> open(const oci::Descriptor&, task::Cancel) override { return fail(Errc::internal, "not of this test"); }
  Result<oci::Descriptor> put(const oci::Digest& known, registry::Replayable& body, task::Cancel) override {
    const auto source = TRY(body.from(0));
    const std::string bytes = TRY(stream::read_all(*source, 1 << 20));
    blobs[known] = bytes;
    return oci::Descriptor{.digest = known, .size = static_cast<std::int64_t>(bytes.size())};
  }
  Result<> forget(const std::vector<oci::Digest>& gone) override {
    forgotten = gone;
    return {};
  }

  /// The root of a writer that knew nothing but `steps`.
  std::string root_with(const CachedSteps& steps) {
    const std::string bytes = *write_step_cache_config(steps);
    blobs[oci::Digest::of(bytes)] = bytes;
    return write_step_cache_manifest({.media_type = std::string(kStepCacheType), .digest = oci::Digest::of(bytes), .size = static_cast<std::int64_t>(bytes.size())}, steps);
  }
  std::vector<std::string> instructions() {
    const auto root = read_step_cache(*this, {});
    REQUIRE_MESSAGE(root, (root ? std::string() : root.error().text()));
    std::vector<std::string> all;
    for (const auto& one : root->steps) all.push_back(one.instruction);
    std::sort(all.begin(), all.end());
    return all;
  }
};

Result<AddedSteps> add(MemoryPlace& place, const CachedSteps& mine) {
  auto known = TRY(read_step_cache_to_replace(place, {}));
  return add_to_step_cache(place, std::move(known), mine, {});
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("steps are added to those of others, and nothing is written when all are there") {
  MemoryPlace place;
  REQUIRE(add(place, {step("a")}));
  const auto first = place.manifest;
  const auto added = add(place, {step("b")});
  REQUIRE(added);
  CHECK(added->changed);
  CHECK(added->total == 2);
  CHECK(place.instructions() == Names{"RUN a", "RUN b"});
  CHECK(std::find(place.forgotten.begin(), place.forgotten.end(), oci::Digest::of(*first)) != place.forgotten.end());
  CHECK(std::find(place.forgotten.begin(), place.forgotten.end(), step("a").layer.digest) == place.forgotten.end());
  const auto again = add(place, {step("a"), step("b")});
  REQUIRE(again);
  CHECK(!again->changed);
  CHECK(place.writes == 2);
}

TEST_CASE("a writer that was faster keeps its steps") {
  MemoryPlace place;
  REQUIRE(add(place, {step("a")}));
  auto known = read_step_cache_to_replace(place, {});
  REQUIRE(known);
  place.manifest = place.root_with({step("a"), step("theirs")});
  REQUIRE(add_to_step_cache(place, *known, {step("mine")}, {}));
  CHECK(place.instructions() == Names{"RUN a", "RUN mine", "RUN theirs"});
}

TEST_CASE("a writer that looked before we wrote, and wrote after us, loses nothing of ours") {
  MemoryPlace place;
  REQUIRE(add(place, {step("a")}));
  place.after_write = [&] { place.manifest = place.root_with({step("a"), step("theirs")}); };
  REQUIRE(add(place, {step("mine")}));
  CHECK(place.instructions() == Names{"RUN a", "RUN mine", "RUN theirs"});
  CHECK(place.writes == 3);
}

TEST_CASE("what is damaged is replaced, what is something else is not") {
  MemoryPlace place;
  REQUIRE(add(place, {step("a")}));
  SUBCASE("the list is gone") {
    place.blobs.clear();
    CHECK(!read_step_cache(place, {}));
    REQUIRE(add(place, {step("b")}));
    CHECK(place.instructions() == Names{"RUN b"});
  }
  SUBCASE("an older version") {
    place.manifest = oci::Manifest{.media_type = std::string(oci::kOciManifest),
                                   .config = {.media_type = "application/vnd.mica.step-cache.v1+json", .digest = oci::Digest::of("c"), .size = 1}}
                         .write();
    CHECK(!read_step_cache(place, {}));
    REQUIRE(add(place, {step("b")}));
    CHECK(place.instructions() == Names{"RUN b"});
  }
  SUBCASE("an image") {
    const auto image = oci::Manifest{.media_type = std::string(oci::kOciManifest), .config = {.media_type = std::string(oci::kOciConfig), .digest = oci::Digest::of("c"), .size = 1}}.write();
    place.manifest = image;
    const auto added = add(place, {step("b")});
    REQUIRE(!added);
    CHECK(added.error().code() == Errc::conflict);
    CHECK(*place.manifest == image);
  }
}
