#include "engine/run_options.h"

#include <doctest/doctest.h>

using namespace mica;
using namespace mica::engine;

TEST_CASE("limits read Docker's forms") {
  CHECK(*parse_cpus("1.5") == 150'000);
  CHECK_FALSE(parse_cpus("x"));
  CHECK_FALSE(parse_cpus("0"));
  const auto limit = *parse_ulimit("nofile=1024:2048");
  CHECK(limit.type == "RLIMIT_NOFILE");
  CHECK(limit.soft == 1024);
  CHECK(limit.hard == 2048);
  CHECK(parse_ulimit("core=-1")->soft == ~std::uint64_t{0});
  CHECK_FALSE(parse_ulimit("nofile=3:2"));
  CHECK_FALSE(parse_ulimit("files=3"));
}
