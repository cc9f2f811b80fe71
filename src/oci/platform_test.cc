#include "oci/platform.h"

#include <doctest/doctest.h>

using namespace mica;
using oci::Platform;

TEST_CASE("platforms are normalised") {
  const std::string host = Platform::host().architecture;
  struct Row {
    std::string text, normal;
  };
  for (const Row& row : {
           Row{"linux/amd64", "linux/amd64"}, Row{"amd64", "linux/amd64"}, Row{"x86_64", "linux/amd64"},
           Row{"Linux/X86_64/v1", "linux/amd64"}, Row{"linux/amd64/v3", "linux/amd64/v3"}, Row{"aarch64", "linux/arm64"},
           Row{"linux/arm64/v8", "linux/arm64"}, Row{"linux/arm64/v9", "linux/arm64/v9"}, Row{"armhf", "linux/arm/v7"},
           Row{"armel", "linux/arm/v6"}, Row{"linux/arm", "linux/arm/v7"}, Row{"linux/arm/6", "linux/arm/v6"},
           Row{"i386", "linux/386"}, Row{"macos/arm64", "darwin/arm64"}, Row{"windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64"},
           Row{"linux", "linux/" + host}, Row{"local", "linux/" + host}, Row{"linux/s390x", "linux/s390x"},
       }) {
    CAPTURE(row.text);
    const auto platform = Platform::parse(row.text);
    REQUIRE(platform.has_value());
    CHECK(platform->str() == row.normal);
  }
  for (const char* text : {"", "/", "linux/", "toaster", "linux/amd64/v1/x", "linux/am d64", "linux/\x01", "linux(/amd64", "lin\nux"}) {
    CAPTURE(text);
    CHECK(Platform::parse(text).error().code() == Errc::invalid_argument);
  }
}

TEST_CASE("an image of a lower level serves, the nearest best") {
  const auto rank = [](std::string_view want, Platform have) { return oci::preference(*Platform::parse(want), have); };
  const auto linux_ = [](std::string arch, std::string variant = "") { return Platform{.architecture = arch, .variant = variant}; };
  CHECK(rank("arm64", linux_("arm64", "v8")) == 100);
  CHECK(rank("amd64", linux_("amd64", "v2")) == 0);
  CHECK(rank("linux/amd64/v3", linux_("amd64")) > 0);
  CHECK(rank("linux/amd64/v3", linux_("amd64", "v2")) > rank("linux/amd64/v3", linux_("amd64")));
  CHECK(rank("linux/arm/v7", linux_("arm")) == 100);
  CHECK(rank("linux/arm/v7", linux_("arm", "v6")) > rank("linux/arm/v7", linux_("arm", "v5")));
  CHECK(rank("linux/arm/v7", linux_("arm", "v5")) > 0);
  CHECK(rank("linux/arm/v6", linux_("arm", "v7")) == 0);
  CHECK(rank("linux/arm/v7", linux_("arm", "v-999999999999")) == 0);
  CHECK(rank("amd64", linux_("arm64")) == 0);
  CHECK_FALSE(oci::matches(*Platform::parse("amd64"), {.os = "unknown", .architecture = "unknown"}));
}
