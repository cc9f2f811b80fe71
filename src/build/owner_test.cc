#include "build/owner.h"

#include <doctest/doctest.h>

#include "support/layer_fixture.h"

using namespace mica;
using namespace mica::build;
using namespace mica::testing;

namespace {

/// A chain with the users of the corpus's base image.
snapshot::TreeView users(LayerFixture& fixture, bool linked = false) {
  auto staged = must(fixture.layers.stage());
  const std::string etc = staged.fs() + (linked ? "/real" : "/etc");
  must(sys::make_directories(etc));
  if (linked) REQUIRE(::symlink("/real", (staged.fs() + "/etc").c_str()) == 0);
  must(
      sys::write_file(etc + "/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/:/bin/sh\nbob:x:1001:100::/:/bin/sh\n"));
  must(sys::write_file(etc + "/group", "root:x:0:\nstaff:x:50:app\napp:x:1000:\n"));
  const auto listing = fixture.scan(staged.fs());
  const auto info = must(fixture.layers.commit(std::move(staged), listing, {}));
  return must(fixture.layers.view({info.id}));
}

std::string found(const Result<FoundOwner>& result) {
  if (!result) return result.error().text();
  std::string line = format("{}:{}", result->owner.uid, result->owner.gid);
  for (const std::string& unknown : result->unknown) line += " no " + unknown;
  return line;
}

}  // namespace

TEST_CASE("owners are found as docker finds them") {
  LayerFixture fixture;
  const auto tree = users(fixture);
  for (const auto& [owner, result] :
       std::vector<std::pair<const char*, const char*>>{{"1000", "1000:1000"},
                                                        {"1000:50", "1000:50"},
                                                        {"app", "1000:1000"},
                                                        {"bob", "1001:100"},
                                                        {"bob:staff", "1001:50"},
                                                        {"root", "0:0"},
                                                        {"77:root", "77:0"},
                                                        {":staff", "0:50"},
                                                        {"app:", "1000:0"},
                                                        {"app:1234", "1000:1234"},
                                                        {":", "0:0"},
                                                        {"app:nosuch", "1000:1000 no group \"nosuch\""},
                                                        {"nosuch:staff", "0:50 no user \"nosuch\""},
                                                        {"nosuch", "0:0 no user \"nosuch\""},
                                                        {"4294967295", "0:0 no user \"4294967295\""},
                                                        {"3000000000:app", "0:1000 no user \"3000000000\""},
                                                        {"a:b:c", "0:0 no user \"a\" no group \"b:c\""},
                                                        {"00077", "77:77"},
                                                        {"+5", "5:5"},
                                                        {"-1", "0:0 no user \"-1\""},
                                                        {"2147483647", "2147483647:2147483647"},
                                                        {"2147483648", "0:0 no user \"2147483648\""}}) {
    CAPTURE(owner);
    CHECK(found(find_owner(owner, tree)) == result);
  }
}

TEST_CASE("user files are found through links, and may be missing unless the stage is empty") {
  LayerFixture fixture;
  CHECK(found(find_owner("app:staff", users(fixture, true))) == "1000:50");
  const auto bare = must(fixture.layers.commit(must(fixture.layers.stage()), {}, {}));
  CHECK(found(find_owner("app:staff", must(fixture.layers.view({bare.id})))) == "0:0 no user \"app\" no group \"staff\"");
  CHECK(found(find_owner("root:5", {})) == "0:5");
  const auto empty = find_owner("app", {});
  REQUIRE_FALSE(empty.has_value());
  CHECK(empty.error().code() == Errc::not_found);
  CHECK(empty.error().hint() == "use numbers, such as 1000:1000");
}

TEST_CASE("only the files that a name is looked up in are part of the key") {
  LayerFixture fixture;
  const auto tree = users(fixture);
  const auto names = [&](std::string_view owner) {
    Parts parts;
    add_owner_parts(owner, tree, parts);
    std::string line;
    for (const Part& part : parts) {
      CHECK_FALSE(part.declared);
      CHECK(part.value.size() == 64);
      line += part.name + ",";
    }
    return line;
  };
  CHECK(names("") == "");
  CHECK(names("0:0") == "");
  CHECK(names("root") == "");
  CHECK(names("app") == "file /etc/passwd of the stage,");
  CHECK(names("5:app") == "file /etc/group of the stage,");
  CHECK(names("app:app") == "file /etc/passwd of the stage,file /etc/group of the stage,");
}
