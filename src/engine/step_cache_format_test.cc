#include "engine/step_cache_format.h"

#include <doctest/doctest.h>

#include "base/format.h"
#include "base/sha256.h"

using namespace mica;
using namespace mica::engine;

namespace {

constexpr Timestamp kNow{1'800'000'000'000'000'000};
constexpr std::int64_t kDay = 86'400'000'000'000;

CachedStep step(int number, std::int64_t days_ago = 0, std::int64_t layer_bytes = 1000) {
  const std::string name = std::to_string(number);
  CachedStep step{.strong = sha256_hex("strong" + name), .weak = sha256_hex("weak" + name), .instruction = "RUN make " + name, .duration_ns = 5, .created = {7}};
  step.used = {kNow.ns - days_ago * kDay};
  step.diff_id = {oci::Digest::of("diff" + name)};
  step.layer = {.media_type = std::string(oci::kOciLayerZstd), .digest = oci::Digest::of("layer" + name), .size = layer_bytes};
  step.content_id = sha256_hex("content" + name);
  step.layer_created = {9};
  step.parts.text = "parts of " + name;
  return step;
}

}  // namespace

TEST_CASE("a list of steps comes back as it was written") {
  CachedSteps steps = {step(1), step(2)};
  steps[0].tree_key = sha256_hex("trees");
  steps[0].content_id.clear();
  steps[0].log.text = "1 line\n";
  steps[1].layer_data = "tiny";
  steps[1].layer.digest = oci::Digest::of("tiny");
  steps[1].parts = {.blob = {.media_type = std::string(kKeyPartsType), .digest = oci::Digest::of("p"), .size = 4}};
  steps[1].log = {.blob = {.media_type = std::string(kStepLogType), .digest = oci::Digest::of("l"), .size = 5}};
  const auto bytes = write_step_cache_config(steps);
  REQUIRE(bytes);
  CHECK(*bytes == *write_step_cache_config(steps));
  const auto read = read_step_cache_config(*bytes);
  REQUIRE(read);
  CHECK(*read == steps);
}

TEST_CASE("the manifest names each blob once, and its config by type") {
  CachedSteps steps = {step(1), step(2), step(3)};
  steps[1].layer = steps[0].layer;
  steps[2].log.blob = {.media_type = std::string(kStepLogType), .digest = oci::Digest::of("l"), .size = 5};
  const oci::Descriptor config{.media_type = std::string(kStepCacheType), .digest = oci::Digest::of("config"), .size = 6};
  const std::string bytes = write_step_cache_manifest(config, steps);
  const auto found = step_cache_config_of(bytes);
  REQUIRE(found);
  CHECK(*found == config);
  CHECK(oci::Manifest::parse(bytes)->layers.size() == 3);
  steps[2].layer_data = "tiny";
  CHECK(oci::Manifest::parse(write_step_cache_manifest(config, steps))->layers.size() == 2);
}

TEST_CASE("what is no step cache of this version is told apart") {
  const auto manifest = [](std::string type) {
    return oci::Manifest{.media_type = std::string(oci::kOciManifest), .config = {.media_type = std::move(type), .digest = oci::Digest::of("c"), .size = 1}}.write();
  };
  struct Case {
    std::string bytes;
    Errc code;
  };
  const Case cases[] = {
      {manifest(std::string(oci::kOciConfig)), Errc::conflict},
      {manifest("application/vnd.buildkit.cacheconfig.v0"), Errc::conflict},
      {manifest("application/vnd.mica.step-cache.v1+json"), Errc::unsupported},
      {manifest("application/vnd.mica.step-cache.v3+zstd"), Errc::unsupported},
      {R"({"schemaVersion":2,"manifests":[]})", Errc::conflict},
      {"{", Errc::corrupt},
  };
  for (const auto& [bytes, code] : cases) {
    CAPTURE(bytes);
    const auto found = step_cache_config_of(bytes);
    REQUIRE(!found);
    CHECK(found.error().code() == code);
  }
}

TEST_CASE("damaged lists are errors") {
  const auto bytes = write_step_cache_config({step(1)});
  REQUIRE(bytes);
  CHECK(!read_step_cache_config(bytes->substr(0, bytes->size() / 2)));
  CHECK(!read_step_cache_config("not at all"));
  const std::pair<const char*, void (*)(CachedStep&)> damages[] = {
      {"strong", [](CachedStep& s) { s.strong = "x"; }},       {"weak", [](CachedStep& s) { s.weak.clear(); }},
      {"tree key", [](CachedStep& s) { s.tree_key = "../.."; }}, {"content id", [](CachedStep& s) { s.content_id = "1"; }},
      {"layer", [](CachedStep& s) { s.layer_data = "of another digest"; }},
      {"size", [](CachedStep& s) { s.layer.size = -1; }},      {"parts", [](CachedStep& s) { s.parts = {}; }},
  };
  for (const auto& [name, damage] : damages) {
    CAPTURE(name);
    CachedStep one = step(1);
    damage(one);
    const auto written = write_step_cache_config({one});
    REQUIRE(written);
    CHECK(!read_step_cache_config(*written));
  }
}

TEST_CASE("others' steps are kept within limits, the last used first") {
  SUBCASE("of one step, mine counts") {
    CachedStep mine = step(1);
    mine.instruction = "mine";
    const auto merged = merge_cached_steps({step(1), step(2)}, {mine}, kNow);
    REQUIRE(merged.size() == 2);
    CHECK((merged[0].instruction == "mine" || merged[1].instruction == "mine"));
    CHECK(merged[0].strong < merged[1].strong);
  }
  SUBCASE("unused ones go") {
    const auto merged = merge_cached_steps({step(1, kMaxUnusedDays + 1), step(2, kMaxUnusedDays - 1)}, {}, kNow);
    REQUIRE(merged.size() == 1);
    CHECK(merged[0].instruction == "RUN make 2");
  }
  SUBCASE("beyond the number the oldest go, but none of mine") {
    CachedSteps known, mine;
    for (int i = 0; i < 1100; ++i) known.push_back(step(i, i % 20));
    for (int i = 2000; i < 2010; ++i) mine.push_back(step(i));
    const auto merged = merge_cached_steps(known, mine, kNow);
    CHECK(merged.size() == kMaxCachedSteps);
    int old = 0, new_ones = 0;
    for (const auto& one : merged) {
      old += one.used.ns == kNow.ns - 19 * kDay ? 1 : 0;
      new_ones += one.instruction.starts_with("RUN make 20") && one.instruction.size() == 13 ? 1 : 0;
    }
    CHECK(old == 0);
    CHECK(new_ones == 10);
  }
  SUBCASE("beyond the bytes the oldest go") {
    const std::int64_t third = kMaxCachedLayerBytes / 3 + 1;
    const auto merged = merge_cached_steps({step(1, 3, third), step(2, 1, third), step(3, 2, third)}, {step(4, 0, third)}, kNow);
    REQUIRE(merged.size() == 3);
    for (const auto& one : merged) CHECK(one.instruction != "RUN make 1");
  }
}
