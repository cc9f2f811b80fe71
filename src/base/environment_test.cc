#include "base/environment.h"

#include <doctest/doctest.h>

using namespace mica;

TEST_CASE("variables are told apart by their whole names") {
  std::vector<std::string> env = {"PATH=/bin", "PATHS=x", "EMPTY=", "odd"};
  CHECK(has_variable(env, "PATH"));
  CHECK(has_variable(env, "EMPTY"));
  CHECK(!has_variable(env, "PAT"));
  CHECK(!has_variable(env, "odd"));
  CHECK(!has_variable(env, "path"));

  set_variable(env, "PATH", "/usr/bin:/bin");
  set_variable(env, "NEW", "a=b");
  CHECK(env == std::vector<std::string>{"PATH=/usr/bin:/bin", "PATHS=x", "EMPTY=", "odd", "NEW=a=b"});
  remove_variable(env, "PATH");
  remove_variable(env, "gone");
  CHECK(env == std::vector<std::string>{"PATHS=x", "EMPTY=", "odd", "NEW=a=b"});
}
