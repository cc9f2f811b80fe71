#include "analyze/limits.h"

#include <doctest/doctest.h>

using namespace mica;
using namespace mica::analyze;

namespace {
std::vector<std::string> broken(const Analysis& analysis, const Limits& limits) {
  std::vector<std::string> out;
  for (const auto& breach : check(analysis, limits)) out.push_back(breach.limit);
  return out;
}
using Names = std::vector<std::string>;
}  // namespace

TEST_CASE("sizes are decimal, or binary with an i") {
  const std::pair<const char*, std::uint64_t> good[] = {{"0", 0}, {"300", 300}, {"20MB", 20'000'000}, {"20m", 20'000'000}, {"20MiB", 20 << 20}, {"20 Mi", 20 << 20}, {"1.5kB", 1500}, {"7b", 7}};
  for (const auto& [text, bytes] : good) {
    CAPTURE(text);
    REQUIRE(parse_bytes(text));
    CHECK(*parse_bytes(text) == bytes);
  }
  for (const char* text : {"", "MB", "-1", "1x", "1MBB", "1e3", "99999999999PB", "1..5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_bytes(text));
  }
}

TEST_CASE("shares are fractions or percents") {
  CHECK(*parse_share("0.95") == doctest::Approx(0.95));
  CHECK(*parse_share("95%") == doctest::Approx(0.95));
  CHECK(*parse_share("1") == 1.0);
  for (const char* text : {"", "95", "101%", "x%", "-1%"}) CHECK_FALSE(parse_share(text));
  CHECK(parse_amount("5%")->share == doctest::Approx(0.05));
  CHECK(parse_amount("5MB")->bytes == 5'000'000);
}

TEST_CASE("what is just allowed keeps to the limit") {
  Analysis analysis{.total_bytes = 1000, .efficiency = 0.9};
  analysis.waste.bytes = 100;
  analysis.waste.reclaimable_bytes = 40;
  analysis.layers = {{.inherited = true, .bytes = 800}, {.index = 1, .bytes = 200}};
  CHECK(broken(analysis, {}).empty());
  CHECK(broken(analysis, {.min_efficiency = 0.9, .max_waste = Amount{.bytes = 100}, .max_reclaimable = Amount{.share = 0.04}, .max_size = 1000, .max_layer = 200}).empty());
  CHECK(broken(analysis, {.min_efficiency = 0.91, .max_waste = Amount{.bytes = 99}, .max_reclaimable = Amount{.share = 0.03}, .max_size = 999, .max_layer = 199}) ==
        Names{"min-efficiency", "max-waste", "max-reclaimable", "max-size", "max-layer"});
  CHECK(broken(analysis, {.max_waste = Amount{.share = 0.099}}) == Names{"max-waste"});
}

TEST_CASE("dive's defaults, and its file over them") {
  Analysis analysis;
  analysis.dive = {.efficiency = 0.85, .wasted_bytes = 30, .user_bytes = 200, .wasted_user_percent = 0.15};
  CHECK(broken(analysis, dive_defaults()) == Names{"lowestEfficiency", "highestUserWastedPercent"});
  Limits limits = dive_defaults();
  REQUIRE(apply_dive_rules("# ours\nrules:\n  lowestEfficiency: 0.8   # less\n  highestWastedBytes: '20B'\n\n  highestUserWastedPercent: disabled\nother:\n  x: 1\n", limits));
  CHECK(broken(analysis, limits) == Names{"highestWastedBytes"});
  for (const char* text : {"rules:\n  lowestEfficiency: 2\n", "rules:\n  nonsense: 1\n", "rules:\n  highestWastedBytes: many\n", "rules\n"}) {
    CAPTURE(text);
    Limits bad;
    CHECK_FALSE(apply_dive_rules(text, bad));
  }
}
