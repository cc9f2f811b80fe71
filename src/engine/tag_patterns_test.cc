#include "engine/tag_patterns.h"

#include <doctest/doctest.h>

#include "base/text.h"

namespace mica::engine {
namespace {

TEST_CASE("A pattern is in the tag, not in the host's port") {
  CHECK(split_pattern("alpine:3.*") == std::pair<std::string, std::string>("alpine", "3.*"));
  CHECK(split_pattern("localhost:5000/a/b:*") == std::pair<std::string, std::string>("localhost:5000/a/b", "*"));
  CHECK(split_pattern("localhost:5000/a") == std::pair<std::string, std::string>("localhost:5000/a", ""));
  CHECK(split_pattern("oci:a/b:alpine:3.*") == std::pair<std::string, std::string>("oci:a/b", "alpine:3.*"));
  CHECK(split_pattern("oci:a/b:x") == std::pair<std::string, std::string>("oci:a/b:x", ""));
  CHECK(split_pattern("alpine:3.20") == std::pair<std::string, std::string>("alpine:3.20", ""));
}

TEST_CASE("Versions are ordered by their numbers, and what is not released yet is older") {
  const std::pair<const char*, const char*> ordered[] = {{"1.9", "1.10"}, {"1.2", "1.2.1"}, {"1.2-rc1", "1.2"}, {"1.2-rc1", "1.2-rc2"}, {"1.2rc1", "1.2"},
                                                         {"1.2-alpine", "1.2.1-alpine"}, {"09", "10"}, {"1.2-rc9", "1.2-rc10"}, {"20260102", "20260103"}};
  for (const auto& [older, newer] : ordered) {
    CAPTURE(older);
    CHECK(is_older(older, newer));
    CHECK_FALSE(is_older(newer, older));
  }
  CHECK_FALSE(is_older("1.2", "1.2"));
  CHECK_FALSE(is_older("1.02", "1.2"));
}

TEST_CASE("Tags are chosen by wildcards and by age") {
  const std::vector<std::string> tags = {"1.9", "1.10", "1.10-rc1", "2.0", "edge", "latest", "release-7", "release-12", "sha256-00.sig", "v3.1"};
  struct Case {
    const char* pattern;
    int newest;
    const char* expected;
  };
  const Case cases[] = {
      {"1.*", 0, "1.9 1.10 1.10-rc1"}, {"?.?", 0, "1.9 2.0"},          {"*", 2, "v3.1 2.0"},        {"1.1*", 1, "1.10"},        {"release-*", 1, "release-12"},
      {"[le]*", 0, "edge latest"},     {"*", 0, "1.9 1.10 1.10-rc1 2.0 edge latest release-7 release-12 v3.1"}, {"sha256-*", 0, "sha256-00.sig"}, {"nothing*", 0, ""}};
  for (const Case& one : cases) {
    CAPTURE(one.pattern);
    CHECK(join(matching_tags(tags, one.pattern, one.newest), " ") == one.expected);
  }
}

}  // namespace
}  // namespace mica::engine
