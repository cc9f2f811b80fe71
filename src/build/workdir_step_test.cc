#include <doctest/doctest.h>

#include "support/step_fixture.h"

using namespace mica;
using namespace mica::build;
using namespace mica::testing;

namespace {
Lines made(StepFixture& fixture, WorkdirOp op, const State& parent = {}) {
  const auto ran = fixture.run(std::move(op), parent);
  if (!ran) return {"error: " + ran.error().text()};
  return fixture.layer(*ran);
}
constexpr const char* kUsers = "mkdir etc; echo bob:x:1001:100::/: > etc/passwd; echo staff:x:50: > etc/group; ";
}  // namespace

TEST_CASE("WORKDIR makes what is missing, owned by the user in force") {
  StepFixture fixture;
  const State base = fixture.shell(kUsers);
  CHECK(made(fixture, {"/a/b/c", ""}) == Lines{"d a 755", "d a/b 755", "d a/b/c 755"});
  CHECK(made(fixture, {"/a/b", "bob"}, base) == Lines{"d a 755 1001:100", "d a/b 755 1001:100"});
  CHECK(made(fixture, {"/n", "1234"}, base) == Lines{"d n 755 1234:1234"});
  CHECK(made(fixture, {"/g", "bob:staff"}, base) == Lines{"d g 755 1001:50"});
  CHECK(made(fixture, {"/h", "5:6"}) == Lines{"d h 755 5:6"});
  CHECK(made(fixture, {"/e/x", "bob"}, fixture.shell(std::string(kUsers) + "mkdir -m 700 e")) ==
        Lines{"d e 700", "d e/x 755 1001:100"});
  CHECK(fixture.output.text.empty());
  CHECK(made(fixture, {"/u", "nosuch"}, base) == Lines{"d u 755"});
  CHECK(fixture.output.text == "WORKDIR /u: the stage has no user \"nosuch\" (USER nosuch); it is left out\n");
  CHECK(made(fixture, {"/u", "app"})[0].starts_with("error: USER: looking up \"app\""));
}

TEST_CASE("a WORKDIR that exists is an empty layer, one onto a file an error") {
  StepFixture fixture;
  const State base = fixture.shell(std::string(kUsers) + "mkdir real; ln -s /real l; ln -s gone dang");
  CHECK(made(fixture, {"/etc", "bob"}, base).empty());
  CHECK(made(fixture, {"/", ""}).empty());
  CHECK(made(fixture, {"/etc/passwd", ""}, base) == Lines{"error: mkdir /etc/passwd: not a directory"});
  CHECK(made(fixture, {"/etc/passwd/x", ""}, base) == Lines{"error: mkdir /etc/passwd: not a directory"});
  CHECK(made(fixture, {"/l/sub", ""}, base) == Lines{"d real 755", "d real/sub 755"});
  CHECK(made(fixture, {"/l", ""}, base).empty());
  CHECK(made(fixture, {"/dang/sub", ""}, base) == Lines{"d gone 755", "d gone/sub 755"});
}

TEST_CASE("WORKDIR's key has its path, its user and the files that the user is looked up in") {
  StepFixture fixture;
  const State one = fixture.shell("mkdir etc; echo bob:x:1:1::/: > etc/passwd"),
              two = fixture.shell("mkdir etc; echo bob:x:2:2::/: > etc/passwd");
  const auto key = [&](WorkdirOp op, const State& parent) { return strong_key(must(fixture.run(std::move(op), parent)).parts); };
  CHECK(key({"/a", "bob"}, one) == key({"/a", "bob"}, one));
  CHECK(key({"/a", "bob"}, one) != key({"/a", "bob"}, two));
  CHECK(key({"/a", "7"}, one) == key({"/a", "7"}, two));
  CHECK(key({"/a", "7"}, one) != key({"/b", "7"}, one));
  CHECK(key({"/a", "7"}, one) != key({"/a", "8"}, one));
  const std::string plain = key({"/a", ""}, one);
  fixture.session.clamp_ns = 1'000'000'000;
  CHECK(key({"/a", ""}, one) != plain);
  CHECK(fixture.entry(must(fixture.run(WorkdirOp{"/a", ""}, one)).state, "a").mtime_ns == 1'000'000'000);
}
