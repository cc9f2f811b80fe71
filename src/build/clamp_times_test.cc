#include <doctest/doctest.h>

#include "build/session.h"
#include "support/layer_fixture.h"

using namespace mica;
using namespace mica::testing;

TEST_CASE("late times are lowered in the listing and on disk, all else is left alone") {
  LayerFixture fixture;
  const auto staged = must(fixture.layers.stage());
  must(sys::run_and_capture(
      {"sh", "-euc",
       "cd \"$0\"; mkdir -p d/e; echo 1 > d/late; ln d/late d/also; echo 2 > d/early; ln -s late d/e/link; mknod gone c 0 0; "
       "touch -h -d @100 d/early; touch -h -d @2000000000 d/late d/e/link; touch -d @2000000000 d/e; touch -d @50 d",
       staged.fs()}));
  const std::int64_t clamp = 1'000'000'000'000'000'000;
  const auto before = fixture.scan(staged.fs());
  const auto after = must(build::clamp_times(staged, before, clamp));
  CHECK(lines_of(after) == lines_of(before));
  check_same(after, fixture.scan(staged.fs()));
  const auto time = [&](std::string_view path) { return after[after.find(path)].mtime_ns; };
  for (const char* path : {"d/late", "d/also", "d/e", "d/e/link"}) CHECK(time(path) == clamp);
  CHECK(time("d/early") == 100'000'000'000);
  CHECK(time("d") == 50'000'000'000);
  check_same(must(build::clamp_times(staged, after, clamp)), after);
}
